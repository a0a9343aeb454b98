"""Declaration of `make_series`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="make_series",
    version=4,  # 3: rows without a value are counted; 4: rows told again, stretches copied
    summary="Count or add up events per hour, day or week and group; find gaps and duplicates",
    inputs=(Port("table", "parquet", help="Events, one a row"),),
    outputs=(Port("series", "parquet", help="Groups, moment, value, rows and whether filled"),),
    params=(
        Param("time_column", "str", required=True, help="When an event happened"),
        Param("groups", "list", [], help="Columns whose values have a series each"),
        Param("every", "str", "day", choices=("hour", "day", "week"), help="One value for each"),
        Param(
            "measure", "str", "count", choices=("count", "sum", "mean", "last"),
            help="Of the events in it: how many, or of a column its sum, mean or last value",
        ),
        Param("value_column", "str", "", help="The column that is measured; not for count"),
        Param(
            "gaps", "str", "", choices=("", "zero", "missing", "previous"),
            help="What stands where no event was; else zero for count and sum, else missing",
        ),
        Param("time_until", "str", "", help="Events from then on are left out (ISO 8601)"),
        Param("max_steps", "int", 2_000_000, minimum=10, help="Values that are made at most"),
    ),
    max_runtime=300,
    max_memory=2048,
)  # fmt: skip
