"""Declaration of `retrain_clean`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="retrain_clean",
    version=2,
    summary="Train the candidate again from its recipe in a clean process and compare bit by bit",
    inputs=(
        Port("candidate", "skops", help="The fitted pipeline with its recipe"),
        Port("train", "parquet", help="The rows it was trained on"),
        Port("holdout", "parquet", help="Rows on which both must give the same scores"),
    ),
    outputs=(Port("report", "json", help="Both digests, differences, environment"),),
    params=(Param("rows", "int", 5000, minimum=10, help="Holdout rows compared"),),
    queue="memory",
    max_runtime=900,
    max_memory=3072,
)
