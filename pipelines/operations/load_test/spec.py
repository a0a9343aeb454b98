"""Declaration of `load_test`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="load_test",
    version=2,
    summary="Load a package in a clean process: golden rows, schema, bad input, latency, memory",
    inputs=(
        Port("package", "zip", help="The serving package"),
        Port("holdout", "parquet", help="Rows to send, as they come from the source"),
    ),
    outputs=(Port("report", "json", help="What was tried and what came out, without timings"),),
    params=(
        Param("rows", "int", 500, minimum=20, maximum=20_000, help="Holdout rows sent"),
        Param("singles", "int", 300, minimum=20, maximum=5000, help="Single-row calls timed"),
    ),
    max_runtime=300,
    max_memory=2048,
    cacheable=True,
)
