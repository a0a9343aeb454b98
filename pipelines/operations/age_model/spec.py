"""Declaration of `age_model`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import CLASS_METRICS

SPEC = Spec(
    name="age_model",
    version=3,
    summary="Train on ever older windows and score the same later rows: how fast does it age?",
    inputs=(
        Port("candidate", "skops", help="The model file: family, settings and features"),
        Port("train", "parquet", help="Training rows"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
    ),
    outputs=(Port("ageing", "json", help="Score by age of the training window, half-life"),),
    params=(
        Param(
            "metric",
            "str",
            "roc_auc",
            choices=(*CLASS_METRICS, "mae", "rmse", "r2"),
            help="Score that decides; one of the model's task",
        ),
        Param("ages", "int", 6, minimum=1, maximum=24, help="Oldest window, in periods"),
        Param("tests", "int", 3, minimum=1, maximum=12, help="Periods at the end that are scored"),
        Param("window", "int", 3, minimum=1, maximum=24, help="Length of a window, in periods"),
        Param("fit_rows", "int", 5000, minimum=100, help="Rows a window is thinned to, at most"),
        Param("test_rows", "int", 4000, minimum=100, help="Rows a scored period is thinned to"),
        Param("samples", "int", 200, minimum=50, maximum=5000, help="Bootstrap samples"),
        Param(
            "naive_column", "str", "", help="Of a number: the answer without a model, in a column"
        ),
        Param("target", "str", help="Column to predict; else what the model file says"),
    ),
    max_runtime=600,
    max_memory=1536,
)
