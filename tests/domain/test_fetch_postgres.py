"""Reading from a real PostgreSQL: types, one snapshot, and statements that would do more."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection as database

from pipelines import catalogue
from pipelines.operations.contract import Context, Json, OperationError, Outcome, clean_params

TABLE = "fetched_of_tests"
SECRET = "hush-hush-hush"


def forward(source: socket.socket, place: Any) -> None:
    """Let bytes through in both directions until one side is done."""
    family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
    with closing(source), closing(socket.socket(family)) as target:
        target.connect(place)
        back = threading.Thread(target=pump, args=(target, source), daemon=True)
        back.start()
        pump(source, target)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def server(db: None) -> Iterator[int]:
    """A port of this machine behind which the tests' own server answers."""
    given = database.get_connection_params()
    host, port = str(given.get("host") or "/tmp"), int(given.get("port") or 5432)
    place: Any = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    taken, _ = listener.accept()
                    threading.Thread(target=forward, args=(taken, place), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])


@pytest.fixture
def sales(server: int) -> Iterator[int]:
    """A table outside the test's transaction: another session reads it."""
    given = database.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with closing(psycopg2.connect(**{n: given[n] for n in names if given.get(n)})) as made:
        made.autocommit = True
        with made.cursor() as cursor:
            cursor.execute(f'DROP TABLE IF EXISTS "{TABLE}"')
            cursor.execute(
                f'CREATE TABLE "{TABLE}" (id int, big bigint, price numeric(9,2), share float8,'
                " paid bool, made_on date, sold_at timestamptz, plain timestamp, city text,"
                " code uuid, raw bytea)"
            )
            cursor.execute(
                f'INSERT INTO "{TABLE}" SELECT n, n * 10000000000, n / 4.0,'
                " CASE WHEN n = 2 THEN 'NaN' ELSE n / 8.0 END, n % 2 = 0,"
                " date '2024-01-01' + n, timestamptz '2024-01-01 12:00:00+02',"
                " timestamp '2024-01-01 12:00:00', CASE WHEN n <> 3 THEN 'Ulm ' || n END,"
                " '00000000-0000-0000-0000-000000000001', '\\x00ff' FROM generate_series(0, 9) n"
            )
        yield server
        with made.cursor() as cursor:
            cursor.execute(f'DROP TABLE "{TABLE}"')


def fetch(folder: Path, port: int, *, hosts: bool = True, **params: Json) -> Outcome:
    given = database.get_connection_params()
    spec = catalogue.spec("fetch")
    user, name = given.get("user") or os.environ.get("USER", "postgres"), given["dbname"]
    outcome = catalogue.resolve("fetch")(
        Context(
            spec=spec,
            folder=folder,
            params=clean_params(spec, {"connection": "sales", **params}),
            connection={
                "kind": "postgresql",
                "address": f"postgresql://{user}@127.0.0.1:{port}/{name}?sslmode=disable",
                "secret": str(given.get("password") or SECRET),
                "hosts": [f"127.0.0.1:{port}"] if hosts else [],
            },
        )
    )
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_table_comes_with_its_own_types(tmp_path, sales) -> None:
    outcome = fetch(tmp_path, sales, table=TABLE)
    table = pq.read_table(outcome.outputs["table"])
    moment = pa.timestamp("us")
    assert table.schema.types == [
        *(pa.int64(), pa.int64(), pa.float64(), pa.float64(), pa.bool_()),
        *(moment, moment, moment, pa.string(), pa.string(), pa.string()),
    ]
    row = table.slice(2, 2).to_pylist()
    assert row[0]["share"] is None
    assert row[1]["city"] is None
    assert row[0]["price"] == 0.5
    assert row[0]["made_on"] == pd.Timestamp("2024-01-03")
    assert row[0]["sold_at"] == pd.Timestamp("2024-01-01 10:00")
    assert row[0]["plain"] == pd.Timestamp("2024-01-01 12:00")
    assert (row[0]["code"][-1], row[0]["raw"]) == ("1", "00ff")
    assert outcome.facts["rows"] == 10


def test_a_query_is_read_in_parts(tmp_path, sales, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.operations.fetch.postgres.BATCH", 3)
    query = f'SELECT id, city FROM "{TABLE}" WHERE id % 2 = 0 ORDER BY id DESC;'
    table = pq.read_table(fetch(tmp_path, sales, query=query).outputs["table"])
    assert table.column("id").to_pylist() == [8, 6, 4, 2, 0]


WRITES = (
    f'DELETE FROM "{TABLE}"',
    f'DELETE FROM "{TABLE}" RETURNING id',
    f'WITH gone AS (DELETE FROM "{TABLE}" RETURNING id) SELECT * FROM gone',
    f'SELECT 1; COMMIT; DELETE FROM "{TABLE}"',
    f'SELECT 1$$; COMMIT; DELETE FROM "{TABLE}"; DO $$ BEGIN',
    f'SELECT 1\'; COMMIT; DELETE FROM "{TABLE}" --',
    "COMMIT",
    "SET TRANSACTION READ WRITE",
    "SELECT set_config('transaction_read_only', 'off', false)",
    f"COPY \"{TABLE}\" TO '/tmp/stolen'",
    "SELECT lo_create(0)",
    "SELECT * FROM there_is_no_such_table",
    "SELECT 1 AS a, 2 AS a",
    "SELECT 1 WHERE false",
)


@pytest.mark.parametrize("query", WRITES)
def test_statements_do_nothing_but_read(tmp_path, sales, query) -> None:
    with pytest.raises(OperationError) as caught:
        fetch(tmp_path, sales, query=query)
    assert caught.value.code in ("bad_query", "duplicate_column", "no_rows")
    assert "127.0.0.1" not in str(caught.value.as_json())
    assert not list(tmp_path.iterdir())
    assert fetch(tmp_path, sales, table=TABLE).facts["rows"] == 10


def test_a_slow_statement_is_ended(tmp_path, sales) -> None:
    with pytest.raises(OperationError) as caught:
        fetch(tmp_path, sales, query="SELECT pg_sleep(30)", timeout=1)
    assert caught.value.code == "statement_timeout"


def test_more_rows_than_allowed_are_refused(tmp_path, sales) -> None:
    with pytest.raises(OperationError) as caught:
        fetch(tmp_path, sales, table=TABLE, max_rows=9)
    assert caught.value.code == "too_many_rows"


def test_addresses_inside_need_a_name(tmp_path, sales) -> None:
    with pytest.raises(OperationError) as caught:
        fetch(tmp_path, sales, hosts=False, table=TABLE)
    assert caught.value.code == "address_not_allowed"


def test_a_server_that_is_away_is_told_without_its_address(tmp_path, db) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with pytest.raises(OperationError) as caught:
        fetch(tmp_path, port, table=TABLE)
    assert (caught.value.code, caught.value.retryable) == ("connection_failed", True)
    assert "127.0.0.1" not in str(caught.value.as_json())
    assert SECRET not in str(caught.value.as_json())
