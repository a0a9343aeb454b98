"""Declaration of `train_candidate`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.settings import TEXT_FAMILIES

SPEC = Spec(
    name="train_candidate",
    version=4,
    summary="Fit one model family on the features and score it on folds",
    inputs=(
        Port("train", "parquet", help="Training rows"),
        Port("features", "json", help="The feature definition"),
    ),
    outputs=(
        Port("model", "skops", help="The family fitted on all training rows"),
        Port("scores", "json", help="Scores fold by fold"),
        Port("unseen", "parquet", help="What it told each row that its fold had not seen"),
    ),
    params=(
        Param(
            "family",
            "str",
            "boosting",
            choices=("dummy", "linear", "boosting", *TEXT_FAMILIES),
            help="Kind of model",
        ),
        Param("target", "str", help="Must be the target of the features when given"),
        Param(
            "folds",
            "int",
            4,
            minimum=2,
            maximum=20,
            help="Forward in time, or by group, where known",
        ),
        Param(
            "fold_rows",
            "int",
            50_000,
            minimum=20,
            help="Training rows of a fold at most, the latest ones; the model gets all rows",
        ),
        Param("fold_seed", "int", 0, help="Equal for all candidates that are to be compared"),
        Param("metric", "str", "", help="What decides; the dummy answers its best constant"),
        Param("settings", "map", {}, help="The family's parameters, such as learning_rate"),
    ),
    max_runtime=600,
    max_memory=1536,
)
