"""Declaration of `split_origins`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="split_origins",
    version=2,  # the document tells its recipe
    summary="Split forecasts by when they were made, with a gap as long as the horizon",
    inputs=(Port("table", "parquet", help="Forecasts with origin, moment and value"),),
    outputs=(
        Port("train", "parquet", help="Forecasts whose outcome was known at the boundary"),
        Port("holdout", "parquet", help="Forecasts made at the boundary or later"),
        Port("split", "json", help="How it was split, with digests of the row numbers"),
    ),
    params=(
        Param("target", "str", "value", help="What is forecast"),
        Param("origin_column", "str", "origin", help="When a forecast was made"),
        Param("time_column", "str", "moment", help="When the step that it is about begins"),
        Param("train_until", "str", "", help="The boundary (ISO 8601)"),
        Param("decide_until", "str", "", help="Outcomes from then on are left out (ISO 8601)"),
        Param(
            "holdout_share", "float", 0.2, minimum=0.01, maximum=0.9,
            help="Share of the origins to decide on, where no boundary is given (conv)",
        ),
    ),
)  # fmt: skip
