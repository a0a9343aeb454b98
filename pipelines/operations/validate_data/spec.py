"""Declaration of `validate_data`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="validate_data",
    version=2,  # 2: rows told again, the longest time without a row
    summary="Hold a table against its data contract: violations, freshness, duplicates, labels",
    inputs=(
        Port("table", "parquet", help="The table to judge"),
        Port("contract", "json", help="The data contract"),
    ),
    outputs=(Port("report", "json", help="Every violation with its first rows"),),
    params=(
        Param("target", "str", "", help="Target column; the contract's when empty"),
        Param("time_column", "str", "", help="Time column; the contract's when empty"),
        Param("as_of", "str", "", help="Time to measure freshness at (ISO 8601); none when empty"),
        Param("rows_shown", "int", 5, minimum=1, maximum=100, help="Rows shown per violation"),
    ),
)
