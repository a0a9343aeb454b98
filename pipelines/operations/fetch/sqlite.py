"""A table or query of an SQLite file, spooled as CSV: its cells have no column type to rely on.

The file is opened read-only below an allowed folder; an authorizer lets statements read and
nothing else, so neither ATTACH nor an extension's function reaches another file.
"""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

from pipelines.operations.contract import OperationError
from pipelines.operations.fetch.guard import file_in
from pipelines.operations.fetch.wanted import Wanted, quoted_table, too_many

LOOK_EVERY = 100_000  # steps of SQLite's machine between two looks at the clock
LONGEST_CELL = 16 << 20  # bytes (own)
READS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
DANGEROUS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


def spool(wanted: Wanted, path: Path) -> int:
    """Write the rows as CSV and say how many; raises OperationError."""
    file = file_in(wanted.address.place, wanted.folders)
    uri = f"file:{quote(str(file))}?mode=ro"
    query = wanted.query or f"SELECT * FROM {quoted_table(wanted.table)}"  # noqa: S608 - quoted
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            _restrict(connection, wanted.timeout)
            return _write(connection, query, wanted, path)
    except sqlite3.Error as error:
        raise _told(error) from None


def _restrict(connection: sqlite3.Connection, timeout: int) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
    connection.set_authorizer(_allow)
    until = perf_counter() + timeout
    connection.set_progress_handler(lambda: int(perf_counter() > until), LOOK_EVERY)


def _allow(action: int, _first: str | None, second: str | None, *_where: str | None) -> int:
    """Reading is allowed; a function's name comes second."""
    named = (second or "").casefold()
    if action in READS and not (action == sqlite3.SQLITE_FUNCTION and named in DANGEROUS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _write(connection: sqlite3.Connection, query: str, wanted: Wanted, path: Path) -> int:
    rows = 0
    cursor = connection.execute(query)
    if cursor.description is None:
        raise OperationError("bad_query", "The statement gives no rows.", field="query")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow([item[0] for item in cursor.description])
        for row in cursor:
            rows += 1
            if rows > wanted.max_rows:
                raise too_many(wanted.max_rows)
            writer.writerow([_plain(value) for value in row])
    return rows


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        raise OperationError(
            "unsupported_type", "The query gives binary cells.", field="query", rule="no BLOB"
        )
    return value


def _told(error: sqlite3.Error) -> OperationError:
    said = str(error)
    if "interrupted" in said:
        return OperationError(
            "statement_timeout", "The source took too long for the statement.", field="timeout"
        )
    if "unable to open" in said or "not a database" in said or "locked" in said:
        return OperationError(
            "connection_failed", "The connection's file cannot be read.", field="connection"
        )
    return OperationError("bad_query", f"The source says: {said}", field="query", rule="one SELECT")
