"""Declaration of `evaluate_forecast`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="evaluate_forecast",
    version=3,
    summary="Judge forecasts step by step ahead, beside repeating the last season",
    inputs=(
        Port("candidate", "skops", help="The model file"),
        Port("train", "parquet", help="Forecasts it learned from: the scale of the errors"),
        Port("holdout", "parquet", help="Forecasts made later, with their outcome"),
    ),
    outputs=(Port("forecast", "json", help="Every score at every horizon, with intervals"),),
    params=(
        Param("target", "str", help="What is forecast; else what the model file says"),
        Param("horizon_column", "str", "horizon", help="Steps ahead"),
        Param("naive_column", "str", "season_1", help="The same place of the latest known season"),
        Param("groups", "list", [], help="Columns whose values have a series each"),
        Param("alpha", "float", 0.1, minimum=0.01, maximum=0.5, help="Outside the interval (conv)"),
        Param("samples", "int", 300, minimum=50, maximum=5000, help="Bootstrap samples"),
        Param("key_column", "str", "", help="For a model brought in: column naming a row"),
        Param("time_column", "str", "", help="For a model brought in: column ordering the rows"),
    ),
    max_runtime=300,
    max_memory=1536,
)
