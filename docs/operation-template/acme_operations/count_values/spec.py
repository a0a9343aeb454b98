"""Declaration of `count_values`: light, for Baton reads it before anything is computed."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="count_values",
    version=1,  # a higher one for other results of the same input
    summary="Count how often each value of a column occurs",
    inputs=(Port("table", "parquet", help="The table with the column"),),
    outputs=(Port("counts", "json", help="Each value with its number of rows, most first"),),
    params=(
        Param("column", "str", required=True, help="The column to count"),
        Param("most", "int", 20, minimum=1, maximum=1000, help="So many values at most"),
    ),
    row_order="free",  # or "used", where another order of the rows gives another result
    # Whoever exceeds these is ended, and the attempt fails with a message that says so.
    max_runtime=120,  # seconds
    max_memory=1024,  # MiB, all its processes together
    max_processes=4,
    max_file_size=64,  # MiB of one file
)
