"""Time is the database's alone, and only a simulation's can be moved."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from psycopg2 import errors

from portal import simulations

ROOT = Path(settings.BASE_DIR)
HOST_CLOCK = re.compile(
    r"timezone\.now\(|datetime\.now\(|utcnow\(|date\.today\(|localdate\(|auto_now|\btime\.time\("
    r"|CURRENT_TIMESTAMP|CURRENT_DATE|LOCALTIMESTAMP|transaction_timestamp|statement_timestamp"
    r"|clock_timestamp|(?<!\w)now\(\) *[-+] *(?:interval|make_interval)|(?<= )\w+ *[<>]=? *now\(\)"
    r"|SELECT now\(\)|(?<!Baton)\bNow\(\)"
)
# Who asks another clock, and why that is no part of what Baton judges or writes.
ALLOWED = {
    "pipelines/runs/claims.py": "how long a claim waited for its turn, added to Baton's time",
    "pipelines/runs/health.py": "how long a transaction has been open, in real time",
    "pipelines/runs/child.py": "how long a computation took on its host",
    "pipelines/runs/keeping.py": "how old a folder on its host's disk is, by that host's times",
    "pipelines/runs/invariants/records.py": "how long a transaction has been open, in real time",
    "portal/demo/play.py": "how long the play waits for the moments it announced",
}
MOVES = (
    """INSERT INTO personas_clock VALUES (1, interval '1 hour', true)""",
    """INSERT INTO personas_clock VALUES (1, interval '0', true)""",
    """INSERT INTO personas_clock VALUES (1, interval '1 hour', false)""",
)


def test_nobody_asks_the_hosts_clock() -> None:
    found = {}
    for folder in ("personas", "pipelines", "portal"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if HOST_CLOCK.search(text):
                found[str(path.relative_to(ROOT))] = HOST_CLOCK.findall(text)
    assert {name: said for name, said in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found), "an exception that nobody needs any more"


@pytest.mark.parametrize(
    "line",
    [
        "now = timezone.now()",
        "at = datetime.now(UTC)",
        "opened = models.DateTimeField(auto_now_add=True)",
        'cursor.execute("SELECT now()")',
        "WHERE due_at < now() - interval '1 h'",
        "default=Now()",
        "WHERE due_at<=now() AND",
    ],
)
def test_the_search_finds(line: str) -> None:
    assert HOST_CLOCK.search(line)


def test_the_search_lets_the_databases_clock_pass() -> None:
    for line in ("BatonNow()", "SELECT baton_now()", "baton_now() - interval", "now() + lifetime"):
        assert not HOST_CLOCK.search(line)


@pytest.mark.django_db
def test_no_columns_default_is_another_clock() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, column_default FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_default ~* '(now\\(|current_|timestamp\\()'"
            " AND column_default NOT LIKE 'baton_now()%'"
        )
        assert cursor.fetchall() == []


# --- A real database's clock ---------------------------------------------------------------------


@pytest.fixture
def real(db: None) -> Iterator[str]:
    """The name of a database that was not made as a simulation, with the clock's own table."""
    name = f"baton_real_{settings.SLOT}"
    with simulations._server() as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"DROP DATABASE IF EXISTS {name}_simulation")
        server.execute(f"CREATE DATABASE {name}")
    try:
        with closing(connect(name)) as made, made.cursor() as cursor:
            for statement in definition():
                cursor.execute(statement)
        yield name
    finally:
        with simulations._server() as server:
            server.execute(f"DROP DATABASE IF EXISTS {name}")
            server.execute(f"DROP DATABASE IF EXISTS {name}_simulation")


def connect(name: str) -> psycopg2.extensions.connection:
    given = settings.DATABASES["default"]
    made = psycopg2.connect(host=given["HOST"], port=given["PORT"], user=given["USER"], dbname=name)
    made.autocommit = True
    return made


def definition() -> list[str]:
    """What the migrations made of the clock, read from the database they were applied to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef(t.tgfoid), pg_get_triggerdef(t.oid) FROM pg_trigger t"
            " WHERE t.tgrelid = 'personas_clock'::regclass AND NOT t.tgisinternal"
        )
        triggers = cursor.fetchall()
        cursor.execute(
            "SELECT format('ALTER TABLE personas_clock ADD %s', pg_get_constraintdef(oid))"
            " FROM pg_constraint WHERE conrelid = 'personas_clock'::regclass AND contype = 'c'"
        )
        checks = [text for (text,) in cursor.fetchall()]
    assert triggers
    table = (
        'CREATE TABLE personas_clock (id bigint PRIMARY KEY, "offset" interval, simulation bool)'
    )
    return [table, *checks, *(text for pair in triggers for text in pair)]


def test_a_real_databases_clock_cannot_be_moved(real: str) -> None:
    with closing(connect(real)) as made, made.cursor() as cursor:
        for move in MOVES:
            with pytest.raises(psycopg2.DatabaseError, match=r"not made as a simulation|violates"):
                cursor.execute(move)
        cursor.execute("INSERT INTO personas_clock VALUES (1, interval '0', false)")
        with pytest.raises(errors.RaiseException, match="not made as a simulation"):
            cursor.execute("""UPDATE personas_clock SET "offset" = interval '1 s'""")
        with pytest.raises(errors.RaiseException, match="stays what it was made as"):
            cursor.execute("UPDATE personas_clock SET simulation = true")
        with pytest.raises(errors.RaiseException, match="the clock stays"):
            cursor.execute("DELETE FROM personas_clock")


def test_a_simulations_clock_can_and_it_stays_one(real: str) -> None:
    with simulations._server() as server:
        server.execute(f"ALTER DATABASE {real} RENAME TO {real}_simulation")
    with closing(connect(f"{real}_simulation")) as made, made.cursor() as cursor:
        cursor.execute(MOVES[0])
        cursor.execute("""UPDATE personas_clock SET "offset" = interval '2 h'""")
        with pytest.raises(errors.RaiseException, match="stays what it was made as"):
            cursor.execute("UPDATE personas_clock SET simulation = false, \"offset\" = '0'")
        with pytest.raises(errors.RaiseException, match="the clock stays"):
            cursor.execute("DELETE FROM personas_clock")
