"""Declaration of `measure_coverage`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_coverage",
    version=3,
    summary="Answer with sets of classes that hold the truth as often as promised, else abstain",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
        Port("evaluation", "json", optional=True, help="Of several classes: what errors cost"),
        Port("train", "parquet", optional=True, help="For a number: sets intervals by row"),
    ),
    outputs=(Port("coverage", "json", help="Cuts, coverage and abstention at every confidence"),),
    params=(
        Param(
            "confidence",
            "float",
            0.9,
            minimum=0.5,
            maximum=0.999,
            help="Share of rows whose set must hold the true class (own)",
        ),
        Param(
            "by_class",
            "bool",
            False,
            help="Promise it for each class apart, not only over all rows (Mondrian)",
        ),
        Param(
            "calibration_share",
            "float",
            0.5,
            minimum=0.1,
            maximum=0.9,
            help="Of the holdout: its earlier rows where time is known, else drawn (own)",
        ),
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param(
            "alpha",
            "float",
            minimum=0.01,
            maximum=0.5,
            help="Of a number: share outside, instead of 1 - confidence",
        ),
        Param("groups", "list", [], help="For a number: columns whose groups are counted apart"),
        Param("interval_by", "str", "", help="Of a number: column, each value its own interval"),
        Param("minimum_rows", "int", 50, minimum=1, help="Smaller groups are not judged (own)"),
        Param("fit_rows", "int", 20_000, minimum=100, help="Rows quantiles are learned from"),
        Param("samples", "int", 300, minimum=50, maximum=5000, help="Bootstrap samples"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=300,
    max_memory=1536,
)
