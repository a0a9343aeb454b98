"""Declaration of `search_candidate`."""

from pipelines.operations.contract import Param, Port, Spec
from pipelines.operations.learning.definition import METRICS
from pipelines.operations.learning.settings import TEXT_FAMILIES

SPEC = Spec(
    name="search_candidate",
    version=5,
    summary="Search a family's parameters on a sample, then fit and score the best",
    inputs=(
        Port("train", "parquet", help="Training rows"),
        Port("features", "json", help="The feature definition"),
    ),
    outputs=(
        Port("model", "skops", help="The best candidate fitted on all training rows"),
        Port("log", "json", help="Every trial: parameters, scores, outcome"),
        Port("scores", "json", help="The best candidate's scores fold by fold"),
        Port("unseen", "parquet", help="What it told each row that its fold had not seen"),
    ),
    params=(
        Param(
            "family",
            "str",
            "boosting",
            choices=("linear", "boosting", *TEXT_FAMILIES[1:]),
            help="Kind of model",
        ),
        Param("target", "str", help="Must be the target of the features when given"),
        Param(
            "metric",
            "str",
            "roc_auc",
            choices=METRICS,
            help="Score that decides; one of the task's",
        ),
        Param(
            "method",
            "str",
            "tpe",
            choices=("tpe", "halving"),
            help="TPE learns from each trial; halving tries many on few rows, the best on more",
        ),
        Param("n_trials", "int", 12, minimum=2, maximum=1000, help="The default counts as one"),
        Param(
            "factor",
            "int",
            3,
            minimum=2,
            maximum=10,
            help="Halving: one in so many goes on, to so many times the rows",
        ),
        Param(
            "budget_seconds",
            "float",
            300.0,
            minimum=1,
            help="For all trials, of all attempts together; a search that hits it says so and "
            "may not repeat bit for bit",
        ),
        Param("sample_rows", "int", 8_000, minimum=20, help="Rows per side of a fold in a trial"),
        Param(
            "folds",
            "int",
            4,
            minimum=2,
            maximum=20,
            help="Forward in time, or by group, where known",
        ),
        Param("fold_rows", "int", 50_000, minimum=20, help="Training rows of a fold at most"),
        Param("fold_seed", "int", 0, help="Equal for all candidates that are to be compared"),
    ),
    max_runtime=900,
    max_memory=1536,
    keeps=True,
)
