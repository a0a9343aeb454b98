"""Declaration of `compare_candidates`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="compare_candidates",
    version=2,
    summary="Hold a candidate against simple models on the same unseen rows, pair by pair",
    inputs=(
        Port("candidate", "skops", help="The candidate, such as one that was brought"),
        Port("models", "skops", many=True, help="Models it has to be better than"),
        Port("holdout", "parquet", help="Labelled rows that none of them saw"),
    ),
    outputs=(Port("comparison", "json", help="Every model beside the candidate"),),
    params=(
        Param("target", "str", "", help="Column to predict; else the candidate's"),
        Param("metric", "str", required=True, help="Score that decides; one of the task's"),
        Param("samples", "int", 500, minimum=100, maximum=10_000, help="Bootstrap samples"),
    ),
    max_runtime=300,
    max_memory=1536,
)
