"""Declaration of `declare_features`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import TASK_NAMES

SPEC = Spec(
    name="declare_features",
    version=1,
    summary="Hold the columns that a brought model takes against the table and the data contract",
    inputs=(
        Port("declaration", "json", help="What was declared of the model"),
        Port("train", "parquet", help="Rows as they come from the source"),
        Port("contract", "json", help="The sealed data contract"),
    ),
    outputs=(Port("features", "json", help="The feature definition"),),
    params=(
        Param("target", "str", required=True, help="Column to predict; the declaration's, too"),
        Param("task", "str", "classification", choices=TASK_NAMES, help="What the run asks"),
        Param("positive", "str", help="The class that scores speak of; else the greater one"),
        Param("exclude", "list", [], help="Columns that no model may take"),
        Param("group_column", "str", "", help="Rows of one group belong together; no feature"),
        Param("key_column", "str", "", help="Column naming a row; empty = the contract's"),
        Param("time_column", "str", "", help="Column ordering the rows; empty = the contract's"),
    ),
    max_runtime=300,
    max_memory=1536,
)
