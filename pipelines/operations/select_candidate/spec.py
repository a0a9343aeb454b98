"""Declaration of `select_candidate`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import METRICS

SPEC = Spec(
    name="select_candidate",
    version=2,  # 2: the two best families together
    summary="Compare candidates on the same folds and choose the simplest within one SE",
    inputs=(
        Port("models", "skops", many=True, help="Model files of the candidates"),
        Port("scores", "json", many=True, help="Their scores, in the same order"),
        Port("unseen", "parquet", many=True, optional=True, help="What they told unseen rows, too"),
    ),
    outputs=(
        Port("candidate", "skops", help="The chosen model file, unchanged"),
        Port("comparison", "json", help="Every candidate beside the best and the baseline"),
    ),
    params=(
        Param(
            "metric",
            "str",
            "roc_auc",
            choices=METRICS,
            help="Score that decides; one of the task's",
        ),
        Param(
            "rule",
            "str",
            "one_se",
            choices=("one_se", "best"),
            help="one_se: the simplest candidate within one standard error of the best (conv)",
        ),
    ),
    max_runtime=120,
    max_memory=1024,
)
