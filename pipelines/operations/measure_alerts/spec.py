"""Declaration of `measure_alerts`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_alerts",
    version=2,  # 2: no alert in few rows is no promise of none
    summary="Count the alerts of a window: a day, against capacity, against the rate expected",
    inputs=(
        Port("window", "parquet", help="Logged answers, with labels where people have reviewed"),
        Port("evaluation", "json", optional=True, help="Where threshold and capacity come from"),
    ),
    outputs=(Port("report", "json", help="Alert volume, rate and precision"),),
    params=(
        Param("threshold", "float", None, minimum=0, maximum=1, help="Else the evaluation's"),
        Param("capacity", "float", None, minimum=0, help="Alerts a day; else the evaluation's"),
        Param("times", "float", 2.0, minimum=1, help="Rate over or under by so much alerts (own)"),
        Param("minimum", "int", 200, minimum=20, help="Rows below which nothing is judged (own)"),
    ),
    max_runtime=120,
    max_memory=1024,
)
