"""Declaration of `profile`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="profile",
    version=2,
    summary="Describe every column: type, missing, distinct, quantiles, top values, histogram",
    inputs=(Port("table", "parquet", help="The table to describe"),),
    outputs=(Port("profile", "json", help="One entry per column"),),
    params=(
        Param("bins", "int", 20, minimum=2, maximum=200, help="Bars of a histogram"),
        Param(
            "exact_rows",
            "int",
            1_000_000,
            minimum=0,
            help="Rows up to which everything is exact; beyond, the table is streamed (own)",
        ),
        Param("top", "int", 10, minimum=1, maximum=100, help="Most frequent values to list"),
    ),
)
