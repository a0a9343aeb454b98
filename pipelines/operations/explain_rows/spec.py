"""Declaration of `explain_rows`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="explain_rows",
    version=2,
    summary="What each column added to the score of single rows: errors, near misses, any rows",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
        Port("evaluation", "json", optional=True, help="States the threshold of decisions"),
    ),
    outputs=(Port("rows", "json", help="Per row: score, label and what each column added"),),
    params=(
        Param("errors", "int", 50, minimum=1, maximum=500, help="Worst errors explained (W25)"),
        Param("close", "int", 10, minimum=0, maximum=500, help="Rows nearest to the threshold"),
        Param("others", "int", 20, minimum=0, maximum=500, help="Rows drawn from all"),
        Param(
            "orders",
            "int",
            64,
            minimum=2,
            maximum=2000,
            help="Orders of columns drawn per row, each with its reverse; more say it sharper",
        ),
        Param("threshold", "float", help="Instead of the evaluation's"),
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=300,
    max_memory=1536,
)
