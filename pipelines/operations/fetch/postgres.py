"""A table or query of PostgreSQL as batches: one read-only snapshot, one statement.

The query's text travels as a value and is opened by PL/pgSQL as a cursor, which takes one
statement that returns rows and nothing else: `; COMMIT; DELETE ...` is refused by the
server itself, and within a read-only transaction nothing can be switched back.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isnan

import psycopg2
import pyarrow as pa

from pipelines.operations.contract import OperationError
from pipelines.operations.fetch.guard import addresses
from pipelines.operations.fetch.wanted import Wanted, quoted_table, too_many

BATCH = 20_000  # rows at a time (own)
CONNECT_SECONDS = 10
OPEN = """DO $$ DECLARE found refcursor := 'baton';
BEGIN OPEN found NO SCROLL FOR EXECUTE current_setting('baton.query'); END $$"""
# Type numbers of the server (pg_type.oid) by what they become; all others become text.
TYPES = {
    **dict.fromkeys((20, 21, 23, 26), pa.int64()),
    **dict.fromkeys((700, 701, 1700), pa.float64()),
    16: pa.bool_(),
    **dict.fromkeys((1082, 1114, 1184), pa.timestamp("us")),
}


def batches(wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """Rows as typed batches; raises OperationError without naming the server."""
    try:
        with closing(_connect(wanted)) as connection:
            yield from _read(connection, wanted)
    except psycopg2.Error as error:
        raise _told(error) from None


def _connect(wanted: Wanted) -> "psycopg2.extensions.connection":
    address = wanted.address
    # Without hostaddr libpq would ask for the name again and might get another address.
    found = addresses(address.host, address.port, wanted.hosts)
    return psycopg2.connect(
        host=",".join([address.host] * len(found)),
        hostaddr=",".join(found),
        port=address.port,
        user=address.user,
        password=wanted.secret,
        dbname=address.place,
        sslmode=address.secure,
        passfile="/dev/null",
        connect_timeout=CONNECT_SECONDS,
        application_name="baton fetch",
        options=f"-c statement_timeout={wanted.timeout * 1000} -c default_transaction_read_only=on"
        f" -c idle_in_transaction_session_timeout={wanted.timeout * 1000}",
    )


def _read(connection: "psycopg2.extensions.connection", wanted: Wanted) -> Iterator[pa.RecordBatch]:
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    query = wanted.query or f"SELECT * FROM {quoted_table(wanted.table)}"  # noqa: S608 - quoted
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('baton.query', %s, true)", [query])
        cursor.execute(OPEN)
        rows = 0
        schema: pa.Schema | None = None
        while True:
            cursor.execute(f"FETCH FORWARD {BATCH} FROM baton")
            if schema is None:
                schema = _schema([(item.name, item.type_code) for item in cursor.description])
            found = cursor.fetchall()
            rows += len(found)
            if rows > wanted.max_rows:
                raise too_many(wanted.max_rows)
            if found or not rows:
                yield _batch(found, schema)
            if len(found) < BATCH:
                return


def _schema(columns: list[tuple[str, int]]) -> pa.Schema:
    names = [name for name, _ in columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise OperationError(
            "duplicate_column",
            f"The query gives several columns the name {', '.join(repeated)}.",
            field="query",
            value=list(repeated),
            rule="column names are unique",
        )
    return pa.schema([(name, TYPES.get(code, pa.string())) for name, code in columns])


def _batch(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [
        pa.array([_plain(value, item.type) for value in cells], type=item.type)
        for cells, item in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(value: object, kind: pa.DataType) -> object:
    """A cell as its column's type; not-a-number is missing, zoned times are kept as UTC."""
    if value is None:
        return None
    if isinstance(value, Decimal | float) and pa.types.is_floating(kind):
        number = float(value)
        return None if isnan(number) else number
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    if pa.types.is_string(kind):
        return bytes(value).hex() if isinstance(value, memoryview) else str(value)
    return value


def _told(error: psycopg2.Error) -> OperationError:
    """What the server said of the statement; of the connection only that it failed."""
    said = error.diag.message_primary if error.pgcode and error.diag else None
    if error.pgcode == "57014":
        return OperationError(
            "statement_timeout", "The source took too long for the statement.", field="timeout"
        )
    if said is None or str(error.pgcode).startswith(("08", "28", "3D", "53", "57")):
        return OperationError(
            "connection_failed",
            "The connection could not be opened, or was lost. Who holds it can see its address.",
            field="connection",
            retryable=True,
        )
    if str(error.pgcode).startswith(("22", "23")):
        # Such a message quotes a cell, and what is refused is kept for ever.
        said = f"a value does not suit the statement (SQLSTATE {error.pgcode})"
    return OperationError("bad_query", f"The source says: {said}", field="query", rule="one SELECT")
