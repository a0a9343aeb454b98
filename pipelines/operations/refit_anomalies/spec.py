"""Declaration of `refit_anomalies`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="refit_anomalies",
    version=2,
    summary="Learn a detector again from its recipe in a clean process and compare bit by bit",
    inputs=(
        Port("candidate", "skops", help="The detector with its recipe"),
        Port("train", "parquet", help="The rows it was learned from"),
        Port("holdout", "parquet", help="Rows on which both must give the same scores"),
    ),
    outputs=(Port("report", "json", help="Differences and environment"),),
    params=(Param("rows", "int", 2000, minimum=10, help="Rows compared"),),
    max_runtime=600,
    max_memory=2048,
)
