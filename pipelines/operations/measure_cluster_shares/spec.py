"""Declaration of `measure_cluster_shares`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_cluster_shares",
    version=1,
    summary="Hold the segments of later rows against the assignments that were delivered",
    inputs=(
        Port("candidate", "skops", help="The segment model"),
        Port("assignments", "parquet", help="The assignments that were delivered"),
        Port("rows", "parquet", optional=True, accepts=("csv",), help="Later rows"),
        Port("unseen", "parquet", optional=True, help="Rows kept aside, where there are none"),
    ),
    outputs=(Port("report", "json", help="Shares before and now, PSI, certainty"),),
    params=(
        Param("amber", "float", 0.10, minimum=0, help="PSI floor of amber (conv, own)"),
        Param("red", "float", 0.25, minimum=0, help="PSI floor of red (conv, own)"),
        Param(
            "confidence", "float", 0.99, minimum=0.8, maximum=0.9999,
            help="Rows without drift stay below their limit this often (statistics)",
        ),
        Param("minimum", "int", 200, minimum=50, help="Rows below which no PSI is measured (meas)"),
        Param(
            "certainty_drop", "float", 0.1, minimum=0, maximum=1,
            help="How far the mean membership may fall: rows that suit no segment well (own)",
        ),
    ),
    max_runtime=300,
    max_memory=1024,
)  # fmt: skip
