"""Declaration of `read_drill`."""

from pipelines.operations.contract import Port, Spec

SPEC = Spec(
    name="read_drill",
    version=1,
    summary="State what a rollback drill measured: who answered, golden rows, and how long it took",
    inputs=(Port("record", "json", help="What the drill wrote down, as the system gives it"),),
    outputs=(Port("report", "json", help="The drill without its timings"),),
    max_runtime=60,
    max_memory=1024,
)
