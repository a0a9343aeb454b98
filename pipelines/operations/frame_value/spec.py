"""Declaration of `frame_value`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import TASK_NAMES

SPEC = Spec(
    name="frame_value",
    version=2,
    summary="Judge a use-case brief: what is missing, what it is worth, which tier it is in",
    outputs=(Port("brief", "json", help="The brief with value, break-even and tier"),),
    params=(
        Param("brief", "map", {}, help="The brief's fields as the business analyst filled them in"),
        Param(
            "task",
            "str",
            "classification",
            choices=TASK_NAMES,
            help="What is asked: errors are false alarms and misses, or so many units",
        ),
        Param(
            "exposure_high",
            "float",
            100_000.0,
            minimum=0,
            help="Money at stake per day from which an automated use is tier 1 (own)",
        ),
        Param(
            "exposure_low",
            "float",
            1_000.0,
            minimum=0,
            help="Money at stake per day below which advice is tier 3 (own)",
        ),
    ),
    max_runtime=60,
    max_memory=512,
)
