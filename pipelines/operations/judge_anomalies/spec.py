"""Declaration of `judge_anomalies`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="judge_anomalies",
    version=3,  # 3: the larger of stated and measured volume; a capacity is a rate
    summary="Challenge a detector: planted anomalies found, alerts a day, alert rate, top cases",
    inputs=(
        Port("candidate", "skops", help="The detector"),
        Port("holdout", "parquet", help="Later rows, as they came"),
        Port("checked", "parquet", help="Later rows with planted anomalies"),
    ),
    outputs=(
        Port("evaluation", "json", help="Every figure, with the threshold"),
        Port("predictions", "parquet", help="Score of each later row"),
        Port("cases", "json", help="The strangest rows, with what is far out in them"),
        Port("slices", "json", help="Planted anomalies found, by kind"),
        Port("explanation", "json", help="By which columns anomalies are found"),
    ),
    params=(
        Param("capacity", "float", 10.0, minimum=0.01, help="Alerts a day that can be reviewed"),
        Param("volume", "float", None, minimum=0, help="Rows a day; the measured where more"),
        Param("margin", "float", 0.8, minimum=0.05, maximum=1, help="Share of the day used (own)"),
        Param("k", "int", 20, minimum=5, maximum=100, help="Cases for people to review"),
        Param(
            "label", "str", "", help="Column that says which rows are anomalies, if there is one"
        ),
        Param(
            "key_column", "str", "", help="Column naming a row; empty = the model's, else its place"
        ),
    ),
    max_runtime=300,
    max_memory=1536,
)
