"""Declaration of `screen_fairness`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="screen_fairness",
    version=3,
    summary="Compare decisions and errors between the groups of declared sensitive columns",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
        Port("evaluation", "json", optional=True, help="States the threshold of decisions"),
    ),
    outputs=(Port("fairness", "json", help="Rates of every group, ratios and differences"),),
    params=(
        Param("sensitive", "list", [], help="Declared columns; features or not"),
        Param(
            "favourable",
            "str",
            "flagged",
            choices=("flagged", "not flagged"),
            help="The decision a person would want; the four-fifths rule speaks of it",
        ),
        Param("threshold", "float", help="Instead of the evaluation's"),
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param(
            "minimum_rows", "int", 50, minimum=1, help="Smaller groups are shown, not judged (own)"
        ),
        Param(
            "minimum_cases",
            "int",
            20,
            minimum=1,
            help="Rows of a class that a group needs for an error rate to be judged (own)",
        ),
        Param("samples", "int", 300, minimum=50, maximum=5000, help="Bootstrap samples"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=300,
    max_memory=1536,
)
