"""Declaration of `repeat_split`."""

from pipelines.operations.contract import Port, Spec

SPEC = Spec(
    name="repeat_split",
    version=1,
    summary="Split the table again in a clean process, by the seed written down, compare digests",
    inputs=(
        Port("table", "parquet", help="The whole table, as it was split"),
        Port("split", "json", help="How it was split, with recipe and digests"),
        Port("train", "parquet", help="The rows to learn from, as handed over"),
        Port("holdout", "parquet", help="The rows to decide on, as handed over"),
    ),
    outputs=(Port("report", "json", help="Digests written down and made again"),),
    max_runtime=300,
    max_memory=2048,
)
