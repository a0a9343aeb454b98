"""Declaration of `score_baseline`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="score_baseline",
    version=2,
    summary="Score a constant and the best single column on the holdout, with intervals",
    inputs=(
        Port("train", "parquet", help="Rows to learn from"),
        Port("holdout", "parquet", help="Rows to decide on"),
        Port("contract", "json", optional=True, help="Data contract that says what is known when"),
    ),
    outputs=(Port("baseline", "json", help="Metrics of both baselines"),),
    params=(
        Param("target", "str", required=True, help="Target column"),
        Param("task", "str", "", help="classification: numbers with few values are classes, too"),
        Param("exclude", "list", [], help="Columns the one-column rule may not use"),
        Param(
            "resamples",
            "int",
            200,
            minimum=20,
            maximum=5000,
            help="Bootstrap resamples for the 95 % intervals (conv)",
        ),
        Param("max_rows", "int", 50_000, minimum=500, help="Training rows to choose the column on"),
    ),
)
