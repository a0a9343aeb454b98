"""Declaration of `evaluate_model`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="evaluate_model",
    version=4,
    summary="Judge a candidate on rows it never saw: scores, how far to trust them, worth",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("holdout", "parquet", help="Labelled rows after those of training"),
    ),
    outputs=(
        Port("evaluation", "json", help="Curves, calibration or bias, threshold or interval"),
        Port("predictions", "parquet", help="Key, time, score, label, decisions or interval"),
    ),
    params=(
        Param("target", "str", help="Column to predict; else what the model file says"),
        Param(
            "costs", "map", {},
            help="Money: cost_fp, cost_fn, benefit_tp; for a number unit_cost; currency",
        ),
        Param(
            "class_costs", "map", {},
            help='Money per error of several classes: "true -> answer", and other for the rest',
        ),
        Param("currency", "str", "", help="Of the costs, where they do not say it themselves"),
        Param("target_metric", "str", "", help="Metric of the brief, such as ROC AUC"),
        Param("target_value", "float", help="What the brief asks of that metric"),
        Param(
            "alpha", "float", 0.1, minimum=0.01, maximum=0.5,
            help="Of a number: share of outcomes that its interval may miss (conv)",
        ),
        Param("interval_by", "str", "", help="Of a number: column, each value its own interval"),
        Param("usual_column", "str", "", help="Of a number: the answer without a model"),
        Param("samples", "int", 300, minimum=50, maximum=5000, help="Bootstrap samples"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=600,
    max_memory=1536,
)  # fmt: skip
