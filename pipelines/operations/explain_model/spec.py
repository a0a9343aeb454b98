"""Declaration of `explain_model`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import METRICS

SPEC = Spec(
    name="explain_model",
    version=3,
    summary="What the candidate relies on: importance, partial dependence, worst errors",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
    ),
    outputs=(Port("explanation", "json", help="Importances, curves and the worst errors"),),
    params=(
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param(
            "metric",
            "str",
            "roc_auc",
            choices=METRICS,
            help="Score that decides; one of the task's",
        ),
        Param("rows", "int", 5000, minimum=100, maximum=50_000, help="Rows of each repeat"),
        Param("repeats", "int", 5, minimum=3, maximum=50, help="Each on other rows (Data2)"),
        Param("curves", "int", 6, minimum=0, maximum=30, help="Columns with a dependence curve"),
        Param("errors", "int", 50, minimum=0, maximum=500, help="Worst errors kept (W25)"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=600,
    max_memory=1536,
)
