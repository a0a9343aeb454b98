"""Declaration of `judge_clusters`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="judge_clusters",
    version=3,
    summary="Challenge a segment model: stability, chance, sizes, certainty, other rows, profile",
    inputs=(
        Port("candidate", "skops", help="The segment model"),
        Port("rows", "parquet", help="The rows it was learned from"),
        Port("holdout", "parquet", optional=True, help="Rows it has not seen"),
    ),
    outputs=(
        Port("evaluation", "json", help="Every figure"),
        Port("profile", "json", help="What sets each segment apart, in plain words"),
    ),
    params=(
        Param("resamples", "int", 20, minimum=5, maximum=200, help="Bootstrap resamples (conv)"),
        Param(
            "shuffles",
            "int",
            19,
            minimum=9,
            maximum=999,
            help="Tables without groups, of each kind (own)",
        ),
        Param("judged", "int", 1500, minimum=100, maximum=10_000, help="Rows judged on (own)"),
        Param("unsure_below", "float", 0.6, minimum=0, maximum=1, help="Unsure membership (own)"),
        Param("describe", "list", [], help="Columns to describe segments by; empty = all"),
    ),
    max_runtime=600,
    max_memory=1536,
)
