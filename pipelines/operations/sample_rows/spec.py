"""Declaration of `sample_rows`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="sample_rows",
    version=3,  # 3: the latest rows, where order in time matters; says how many are left out
    summary="Sample a table beyond a row limit with a weight per row, or keep its latest rows",
    inputs=(Port("table", "parquet", help="The rows to learn from"),),
    outputs=(
        Port("table", "parquet", help="The same table, or its sample with column baton_weight"),
    ),
    params=(
        Param(
            "limit",
            "int",
            2_000_000,
            minimum=0,
            help="Most rows to keep, at least 100; 0 is all; no more than that stay as is (own)",
        ),
        Param(
            "keep",
            "str",
            "random",
            choices=("random", "latest"),
            help="random: a sample with weights. latest: the last moments, whole, without weights",
        ),
        Param("time_column", "str", "", help="For latest: what its moments are"),
        Param("target", "str", "", help="Classes of this column are strata; none for numbers"),
        Param(
            "min_class_rows",
            "int",
            20_000,
            minimum=0,
            help="Rows kept of each class where it has them, before the rest is shared out (own)",
        ),
    ),
)
