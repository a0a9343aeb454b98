"""DuckDB as the engine for data larger than memory: bounded memory, closed to the outside.

Imported by compute modules only. Every SQL text is built here or by callers from
identifiers and literals that pass through `identifier` and `literal`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import duckdb

THREADS = 2  # own: a worker's lanes share the machine
SHARE = 0.55  # of an operation's memory limit; the rest is Python, Arrow and read buffers (own)
ROW_GROUP = 122_880  # rows; DuckDB's own vector-aligned size (tool)
Connection = duckdb.DuckDBPyConnection


@contextmanager
def engine(
    folder: Path, *, memory_mib: int, reads: Sequence[Path] = (), threads: int = THREADS
) -> Iterator[Connection]:
    """A connection that spills into a folder of the attempt and sees no file but those named.

    `reads` are the files it may read; it may write below `folder`. No extension is loaded, no
    address is asked, and none of it can be changed by a later statement.
    """
    spill = folder / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{max(64, int(memory_mib * SHARE))}MiB",
            "temp_directory": str(spill),
            "threads": threads,
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )
    try:
        allowed = ", ".join(literal(str(path)) for path in reads)
        connection.execute(f"SET allowed_paths = [{allowed}]")
        connection.execute(f"SET allowed_directories = [{literal(str(folder) + '/')}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()
        rmtree(spill, ignore_errors=True)


def identifier(name: str) -> str:
    """A name quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text quoted as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def copy_to_parquet(connection: Connection, query: str, path: Path) -> None:
    """Write the rows of a query in their order; raises what DuckDB raises."""
    connection.execute(
        f"COPY ({query}) TO {literal(str(path))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )
