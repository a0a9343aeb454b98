"""Declaration of `measure_drift`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_drift",
    version=2,
    summary="Hold a window of logged inputs and scores against the reference, judged by its size",
    inputs=(
        Port("window", "parquet", help="Logged predictions with their inputs"),
        Port("reference", "parquet", help="Rows that the model was judged on"),
        Port("predictions", "parquet", optional=True, help="Their scores, in a column score"),
        Port("model", "skops", optional=True, help="Whose words count as known in texts"),
    ),
    outputs=(Port("report", "json", help="Every column, worst first, and the alerts"),),
    params=(
        Param("columns", "list", [], help="Columns to look at; empty = all inputs"),
        Param("ignore", "list", [], help="Columns that are expected to move, such as the month"),
        Param("text_columns", "list", [], help="Columns of texts, beside those that look like it"),
        Param(
            "domain_auc", "float", 0.55, minimum=0.5, maximum=1,
            help="AUC of a classifier of the words from which texts have moved (conv)",
        ),
        Param(
            "domain_confidence", "float", 0.95, minimum=0.8, maximum=0.9999,
            help="Or this quantile under random labels, where it is higher (statistics)",
        ),
        Param("amber", "float", 0.10, minimum=0, help="PSI floor of amber (conv, own)"),
        Param("red", "float", 0.25, minimum=0, help="PSI floor of red (conv, own)"),
        Param(
            "confidence", "float", 0.99, minimum=0.8, maximum=0.9999,
            help="A window without drift stays below its limit this often (statistics)",
        ),
        Param(
            "minimum", "int", 200, minimum=50,
            help="Rows below which no PSI is measured: at 200, 37 % exceed .10 by chance (meas)",
        ),
        Param(
            "alert_from", "str", "amber", choices=("amber", "red"),
            help="The level from which a column raises an alert",
        ),
    ),
    max_runtime=300,
    max_memory=2048,
)  # fmt: skip
