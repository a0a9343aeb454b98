"""Declaration of `evaluate_slices`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="evaluate_slices",
    version=3,
    summary="Look for groups of rows, named or found, that the candidate serves worse",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
    ),
    outputs=(Port("slices", "json", help="Every slice with its score, interval and verdict"),),
    params=(
        Param("slices", "list", [], help="Columns to slice by; numbers in quarters"),
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param("minimum_rows", "int", 50, minimum=10, help="Smaller slices are not judged (own)"),
        Param(
            "tolerance",
            "float",
            0.05,
            minimum=0,
            maximum=1,
            help="Points of ROC AUC below all rows, or share of the mean error above it (own)",
        ),
        Param(
            "false_discovery", "float", 0.05, minimum=0.001, maximum=0.5, help="Rate over slices"
        ),
        Param("find", "bool", True, help="Also find slices by a shallow tree on the errors"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=300,
    max_memory=1536,
)
