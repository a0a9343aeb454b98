"""Declaration of `measure_traffic`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_traffic",
    version=2,
    summary="Wait for enough logged predictions, then count, time and compare them with offline",
    inputs=(
        Port("window", "parquet", help="Logged predictions of the deployment"),
        Port("reference", "parquet", help="Scores of the evaluation, in a column score"),
    ),
    outputs=(Port("report", "json", help="The measured window"),),
    params=(
        Param("minimum", "int", 1000, minimum=1, help="Predictions of the model to wait for"),
        Param("minimum_hours", "float", 24.0, minimum=0, help="Hours of event time to wait for"),
        Param("mode", "str", "canary", choices=("shadow", "canary", "live"), help="Which window"),
        Param("poll_seconds", "float", 5.0, minimum=0.5, maximum=3600, help="When to ask again"),
    ),
    max_runtime=120,
    max_memory=1024,
    waits=True,
    cacheable=False,
    max_wait=14 * 86_400,
)
