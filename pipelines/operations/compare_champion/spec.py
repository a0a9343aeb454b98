"""Declaration of `compare_champion`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="compare_champion",
    version=4,
    summary="Score the same holdout rows by challenger and champion and compare them in pairs",
    inputs=(
        Port("challenger", "zip", help="The package that is to go out"),
        Port(
            "champion", "zip", optional=True, help="The package that serves; none for a first one"
        ),
        Port("holdout", "parquet", help="Labelled rows that neither has seen"),
    ),
    outputs=(Port("comparison", "json", help="Every metric of both, with paired intervals"),),
    params=(
        Param("primary", "str", "pr_auc", help="The metric that has to be better"),
        Param("costs", "map", {}, help="Money, as in the brief: cost_fp ..., or unit_cost"),
        Param("class_costs", "map", {}, help="Money per error of several classes"),
        Param("samples", "int", 300, minimum=100, maximum=5000, help="Bootstrap samples"),
        Param("time", "str", "", help="Column whose days are drawn together; empty = rows"),
        Param(
            "origin_column",
            "str",
            "",
            help="When a forecast was made: blocks of time as long as forecasts reach, not days",
        ),
        Param("group_column", "str", "", help="Rows of one group are drawn together, before days"),
    ),
    max_runtime=300,
    max_memory=2048,
)
