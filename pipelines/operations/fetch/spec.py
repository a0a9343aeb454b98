"""Declaration of `fetch`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="fetch",
    version=2,
    summary="Read a table, query or object through a named connection into one snapshot",
    outputs=(
        Port(
            "table",
            "parquet",
            optional=True,
            help="The snapshot: what was there when it was read; none where nothing is asked for",
        ),
    ),
    params=(
        Param("connection", "str", "", maximum=40, help="Name of the connection; empty: none"),
        Param("table", "str", "", maximum=200, help="A table or view: name, or schema.name"),
        Param("query", "str", "", maximum=20_000, help="One SELECT statement, instead of a table"),
        Param("key", "str", "", maximum=1024, help="Key of a CSV or Parquet object (S3)"),
        Param("max_rows", "int", 100_000_000, minimum=1, help="Most rows to take (own)"),
        Param("max_bytes", "int", 64 << 30, minimum=1024, help="Largest object in bytes (own)"),
        Param(
            "timeout",
            "int",
            600,
            minimum=1,
            maximum=3000,
            help="Longest time in seconds that the source may take for one statement (own)",
        ),
    ),
    max_runtime=3600,
    cacheable=False,
    connects=True,
)
