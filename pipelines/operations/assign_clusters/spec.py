"""Declaration of `assign_clusters`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="assign_clusters",
    version=1,
    summary="Assign every row to its segment; prove that order, company and retraining change none",
    inputs=(
        Port("candidate", "skops", help="The segment model"),
        Port("rows", "parquet", help="The rows to assign"),
        Port("learned", "parquet", optional=True, help="The rows it was learned from, to retrain"),
    ),
    outputs=(
        Port("assignments", "parquet", help="Key, segment, membership and runner-up of each row"),
        Port("report", "json", help="What was proved"),
    ),
    params=(
        Param("key_column", "str", "", help="Column naming a row; empty = the model's, else none"),
        Param("names", "map", {}, help="What people call the segments, by segment number"),
        Param("singles", "int", 50, minimum=5, maximum=1000, help="Rows assigned one by one"),
    ),
    queue="cpu",
    max_runtime=600,
    max_memory=1536,
)
