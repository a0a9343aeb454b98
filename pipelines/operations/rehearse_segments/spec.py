"""Declaration of `rehearse_segments`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="rehearse_segments",
    version=1,
    summary="Open a package of segments in a clean process: assignments, bad input, time, memory",
    inputs=(
        Port("package", "zip", help="The package of segments"),
        Port("rows", "parquet", help="The rows whose assignments it holds, in their order"),
    ),
    outputs=(Port("report", "json", help="What was tried and what came out, without timings"),),
    params=(
        Param("rows", "int", 2000, minimum=20, maximum=100_000, help="Rows assigned again"),
        Param("singles", "int", 100, minimum=20, maximum=1000, help="Rows assigned one by one"),
    ),
    max_runtime=300,
    max_memory=2048,
)
