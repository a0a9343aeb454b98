"""Declaration of `select_anomalies`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="select_anomalies",
    version=4,
    summary="Choose among detectors by planted anomalies found within the reviewers' day",
    inputs=(
        Port("models", "skops", many=True, help="The detectors"),
        Port("checked", "parquet", help="Rows with planted anomalies"),
    ),
    outputs=(
        Port("candidate", "skops", help="The chosen detector"),
        Port("comparison", "json", help="All of them, and why this one"),
    ),
    params=(
        Param("capacity", "float", 10.0, minimum=0.01, help="Alerts a day that can be reviewed"),
        Param("volume", "float", None, minimum=0, help="Rows a day; the measured where more"),
        Param("margin", "float", 0.8, minimum=0.05, maximum=1, help="Share of the day used (own)"),
        Param("time_column", "str", "", help="Column with the time; empty = the model's"),
    ),
    max_runtime=300,
    max_memory=1536,
)
