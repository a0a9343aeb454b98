"""Declaration of `build_inputs`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="build_inputs",
    version=2,
    summary="Define and test the columns that rows are compared by, where nothing is predicted",
    inputs=(
        Port("rows", "parquet", help="The rows"),
        Port("contract", "json", help="The sealed data contract"),
    ),
    outputs=(Port("features", "json", help="The feature definition"),),
    params=(
        Param("columns", "list", [], help="Columns to use; empty = all that are left"),
        Param("exclude", "list", [], help="Columns never to use"),
        Param("key_column", "str", "", help="Column naming a row; empty = the contract's"),
        Param("time_column", "str", "", help="Column ordering the rows; empty = the contract's"),
        Param("hide", "str", "", help="A column that says what rows are: never compared by"),
        Param("label", "str", "", help="Name of the mark that planted anomalies will carry"),
    ),
    max_runtime=300,
    max_memory=1536,
)
