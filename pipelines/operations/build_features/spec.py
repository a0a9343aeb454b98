"""Declaration of `build_features`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import TASK_NAMES

SPEC = Spec(
    name="build_features",
    version=2,
    summary="Define how each column becomes numbers, and test the definition",
    inputs=(
        Port("train", "parquet", help="Training rows"),
        Port("contract", "json", help="The sealed data contract"),
    ),
    outputs=(Port("features", "json", help="The feature definition"),),
    params=(
        Param("target", "str", required=True, help="Column to predict: two classes, or a number"),
        Param(
            "task", "str", "classification", choices=TASK_NAMES, help="What is asked of the model"
        ),
        Param("positive", "str", help="The class that scores speak of; else the greater one"),
        Param("columns", "list", [], help="Columns to use; empty = all that are left"),
        Param("exclude", "list", [], help="Columns never to use"),
        Param("text_columns", "list", [], help="Columns to read as texts, word by word"),
        Param("find_texts", "bool", False, help="Read prose as texts without being told"),
        Param("group_column", "str", "", help="Rows of one group stay in one fold; no feature"),
        Param("key_column", "str", "", help="Column naming a row; empty = the contract's"),
        Param("time_column", "str", "", help="Column ordering the rows; empty = the contract's"),
        Param("origin_column", "str", "", help="When a forecast was made; never a feature"),
        Param("base_column", "str", "", help="A number that models predict the difference from"),
    ),
    max_runtime=300,
    max_memory=1536,
)
