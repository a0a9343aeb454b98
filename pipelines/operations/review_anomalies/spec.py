"""Declaration of `review_anomalies`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="review_anomalies",
    version=1,
    summary="Count what people said of the strangest cases: precision among the first k",
    inputs=(Port("cases", "json", help="The cases that were reviewed"),),
    outputs=(Port("reviewed", "json", help="Each case with its verdict, and the precision"),),
    params=(
        Param("verdicts", "map", {}, help="By case: anomaly, ordinary or unclear"),
        Param("k", "int", 20, minimum=1, maximum=100, help="The first so many cases are counted"),
    ),
    max_runtime=60,
    max_memory=512,
)
