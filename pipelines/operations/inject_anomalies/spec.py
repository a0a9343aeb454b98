"""Declaration of `inject_anomalies`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="inject_anomalies",
    version=2,
    summary="Put anomalies of known kinds among real rows, marked, so that finding them is counted",
    inputs=(
        Port("rows", "parquet", help="Real rows"),
        Port("features", "json", help="The columns that are compared: only they are changed"),
    ),
    outputs=(Port("checked", "parquet", help="Real rows, then changed copies; column injected"),),
    params=(
        Param("kinds", "list", ["spike", "shift", "mix"], minimum=1, help="spike, shift, mix"),
        Param("count", "int", 240, minimum=30, maximum=10_000, help="Anomalies made (own)"),
        Param(
            "strength", "float", 8.0, minimum=1, maximum=100,
            help="How far out, in robust spreads of the column (own)",
        ),
        Param("rows", "int", 5000, minimum=100, maximum=1_000_000, help="Real rows kept, the last"),
    ),
    max_runtime=300,
    max_memory=1024,
)  # fmt: skip
