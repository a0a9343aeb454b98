"""Declaration of `measure_quality`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_quality",
    version=3,
    summary="Join late labels with what was answered: metric, control limit, worth in money",
    inputs=(
        Port("window", "parquet", help="Logged predictions with labels where they came in"),
        Port("predictions", "parquet", help="The evaluation's scores and labels"),
    ),
    outputs=(Port("report", "json", help="The measured quality"),),
    params=(
        Param("metric", "str", "roc_auc", help="The metric of the brief"),
        Param("positive", "str", "", help="The positive class, as labels are reported"),
        Param("costs", "map", {}, help="Money, as in the brief: cost_fp ..., or unit_cost"),
        Param("class_costs", "map", {}, help="Money per error of several classes, as in the brief"),
        Param("minimum", "int", 200, minimum=20, help="Labels below which nothing is judged (own)"),
        Param(
            "deviations", "float", 3.0, minimum=1, maximum=6,
            help="Control limit: the evaluation's value minus so many standard deviations (own)",
        ),
        Param("samples", "int", 300, minimum=100, maximum=5000, help="Bootstrap samples"),
    ),
    max_runtime=300,
    max_memory=2048,
)  # fmt: skip
