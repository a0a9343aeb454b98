"""Declaration of `stress_model`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="stress_model",
    version=2,
    summary="Disturb the inputs column by column and see how far scores and decisions move",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
        Port("evaluation", "json", optional=True, help="States the threshold of decisions"),
    ),
    outputs=(Port("stress", "json", help="Every disturbance with how far it moved the scores"),),
    params=(
        Param(
            "fractions",
            "list",
            [0.01, 0.05, 0.2],
            minimum=1,
            maximum=10,
            help="Noise on numbers, in standard deviations of the column (own)",
        ),
        Param("rows", "int", 2000, minimum=50, maximum=50_000, help="Rows disturbed, drawn"),
        Param("threshold", "float", help="Instead of the evaluation's"),
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=300,
    max_memory=1536,
)
