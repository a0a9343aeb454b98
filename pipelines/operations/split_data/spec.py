"""Declaration of `split_data`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import TASK_NAMES

SPEC = Spec(
    name="split_data",
    version=4,  # 2: the document tells its recipe; 3: groups beside time; 4: rows told again later
    summary="Split by time, by group or stratified; says how, and proves it with digests",
    inputs=(Port("table", "parquet", help="The whole table"),),
    outputs=(
        Port("train", "parquet", help="Rows to learn from"),
        Port("holdout", "parquet", help="Rows to decide on"),
        Port("split", "json", help="How it was split, with digests of the row numbers"),
    ),
    params=(
        Param("target", "str", "", help="Target column; rows without it are left out"),
        Param(
            "task",
            "str",
            "classification",
            choices=TASK_NAMES,
            help="A number is neither split nor counted by its values",
        ),
        Param("time_column", "str", "", help="Split by time: learn from earlier rows"),
        Param("train_until", "str", "", help="Rows before this time train (ISO 8601)"),
        Param(
            "decide_until",
            "str",
            "",
            help="Rows from train_until to before this time decide (ISO 8601)",
        ),
        Param(
            "group_column",
            "str",
            "",
            help="Rows of one group stay on one side",
        ),
        Param(
            "holdout_share",
            "float",
            0.2,
            minimum=0.01,
            maximum=0.9,
            help="Share of rows to decide on, where no time is given (conv)",
        ),
    ),
)
