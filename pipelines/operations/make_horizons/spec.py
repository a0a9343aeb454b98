"""Declaration of `make_horizons`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="make_horizons",
    version=1,
    summary="A row for each forecast: what is known when it is made, and the value to come",
    inputs=(Port("series", "parquet", help="Groups, moment and value, regular in time"),),
    outputs=(Port("table", "parquet", help="Rows to learn from, one for each horizon"),),
    params=(
        Param("horizons", "int", 7, minimum=1, maximum=168, help="Steps forecast: 1, 2, ... (own)"),
        Param("season", "int", 7, minimum=1, maximum=400, help="Steps until the pattern repeats"),
        Param("lags", "int", 7, minimum=1, maximum=200, help="Latest values that are features"),
        Param("changes", "int", 3, minimum=0, maximum=200, help="Latest changes since last season"),
        Param("windows", "list", [7, 28], help="Steps of rolling means and deviations"),
        Param("max_rows", "int", 2_000_000, minimum=100, help="Rows that are made at most"),
    ),
    max_runtime=300,
    max_memory=2048,
)
