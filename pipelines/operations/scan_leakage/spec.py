"""Declaration of `scan_leakage`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="scan_leakage",
    version=2,
    summary="Look for leaks: columns that alone predict the target, repeated rows, future times",
    inputs=(
        Port("table", "parquet", help="The rows to learn from"),
        Port("holdout", "parquet", optional=True, help="The rows to decide on"),
        Port("contract", "json", optional=True, help="Data contract that says what is known when"),
    ),
    outputs=(Port("scan", "json", help="Score of every column, and the suspects"),),
    params=(
        Param("target", "str", required=True, help="Target column"),
        Param("time_column", "str", "", help="Time of prediction; later times are leaks"),
        Param("exclude", "list", [], help="Columns that will not be features, and known as such"),
        Param(
            "suspect_above",
            "float",
            0.95,
            minimum=0.5,
            maximum=1,
            help="AUC or R2 of one column from which it is a suspect (own, W6)",
        ),
        Param(
            "watch_above",
            "float",
            0.8,
            minimum=0.5,
            maximum=1,
            help="AUC or R2 of one column from which it is worth a look (own)",
        ),
        Param(
            "max_rows",
            "int",
            100_000,
            minimum=1000,
            help="Rows sampled for the scores, to bound the time",
        ),
    ),
)
