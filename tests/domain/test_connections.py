"""Named connections: who may hold them, what a run may do with them, and what nobody sees."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from personas.errors import Invalid, NotAllowed
from personas.models import Event
from pipelines.artefacts import connections
from pipelines.artefacts.models import Connection
from pipelines.operations.contract import OperationError
from pipelines.runs.lanes import CHILD_LIMITS, SECRET, Lane, Work
from pipelines.runs.models import Attempt
from tests import factories
from tests.cast import Cast, acting
from tests.domain import engine as f

VARIABLE = "BATON_CONNECTION_SECRET_SHOP"
HUSH = "hush-hush-hush"


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> str:
    """The address of an SQLite file in an allowed folder."""
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made, made:
        made.execute("CREATE TABLE sales (id INTEGER, city TEXT)")
        made.executemany("INSERT INTO sales VALUES (?, ?)", [(n, f"Ulm {n}") for n in range(5)])
    settings.CONNECTION_FOLDERS = [str(tmp_path)]
    return f"sqlite://{tmp_path}/shop.sqlite"


def held(cast: Cast, address: str, **given: Any) -> Connection:
    what = {"kind": "sqlite", "secret_name": VARIABLE, "use_cases": ["*"], **given}
    connections.hold(actor=acting(cast.priya), name="shop", address=address, **what)
    return Connection.objects.get(pk="shop")


def test_each_change_is_an_event_without_a_secret(cast: Cast, shop, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, HUSH)
    held(cast, shop)
    held(cast, shop, use_cases=["late-flights"])
    connections.drop(actor=acting(cast.priya), connection=Connection.objects.get())
    events = Event.objects.filter(stream__kind="engine", stream__key="connections").order_by("seq")
    assert [event.type for event in events] == [
        "connection.held",
        "connection.held",
        "connection.dropped",
    ]
    assert HUSH not in json.dumps([event.data for event in events])
    assert not Connection.objects.exists()


def test_only_who_manages_operations_holds_connections(cast: Cast, shop) -> None:
    with pytest.raises(NotAllowed) as caught:
        connections.hold(actor=acting(cast.amara), name="shop", kind="sqlite", address=shop)
    assert caught.value.code == "capability.operations.manage"
    found = held(cast, shop)
    with pytest.raises(NotAllowed):
        connections.drop(actor=acting(cast.amara), connection=found)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Shop!"}, "name"),
        ({"kind": "mysql"}, "kind"),
        ({"address": "sqlite:///"}, "address"),
        ({"secret_name": "BATON_SECRET_KEY"}, "secret_name"),
        ({"secret_name": "DATABASE_URL"}, "secret_name"),
        ({"kind": "s3", "address": "s3://b?endpoint=https://a.org"}, "secret_name"),
        ({"use_cases": ["x" * 81]}, "use_cases"),
    ],
)
def test_what_does_not_suit_is_refused_by_field(cast: Cast, given, field) -> None:
    what = {"name": "shop", "kind": "sqlite", "address": "sqlite:///srv/a", **given}
    with pytest.raises(Invalid) as caught:
        connections.hold(actor=acting(cast.priya), **what)
    assert list(caught.value.fields) == [field]


def test_a_connection_opens_for_its_use_cases_only(cast: Cast, shop, monkeypatch) -> None:
    held(cast, shop, use_cases=["late-flights"])
    monkeypatch.setenv(VARIABLE, HUSH)
    assert connections.opened("shop", use_case="late-flights")["secret"] == HUSH
    said = []
    for name, use_case in (("shop", "other"), ("none", "other")):
        with pytest.raises(OperationError) as caught:
            connections.opened(name, use_case=use_case)
        said.append((caught.value.code, caught.value.message.replace(name, "")))
    assert said[0] == said[1], "a name cannot be tried out"
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(OperationError) as caught:
        connections.opened("shop", use_case="late-flights")
    assert caught.value.code == "no_secret"


def test_a_connection_named_by_default_opens_for_nobody(cast: Cast, shop) -> None:
    held(cast, shop, use_cases=[])
    with pytest.raises(OperationError):
        connections.opened("shop", use_case="late-flights")


def everything_kept() -> str:
    """All rows of all tables as text: what backups, pages and the API could show."""
    with database.cursor() as cursor:
        names = database.introspection.table_names(cursor)
        rows = []
        for name in names:
            if name != "artefacts_connection":
                cursor.execute(f'SELECT t::text FROM "{name}" t')
                rows += [str(row[0]) for row in cursor.fetchall()]
    return "\n".join(rows)


def test_a_run_reads_without_seeing_address_or_secret(cast: Cast, shop, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, HUSH)
    held(cast, shop)
    step = f.step("read", operation="fetch", params={"connection": "shop", "table": "sales"})
    run = f.run(cast, f.stage("one", "DE", steps=[step]))
    assert factories.work_off() == 1
    attempt = Attempt.objects.get(run=run)
    assert attempt.state == "SUCCEEDED", attempt.error
    assert attempt.outputs["table"]["digest"]
    assert HUSH not in everything_kept()
    mine = json.dumps([attempt.params, attempt.facts, attempt.error, attempt.log], default=str)
    assert "shop.sqlite" not in mine


def test_a_refused_read_fails_the_step_and_says_why(
    cast: Cast, shop, settings, monkeypatch
) -> None:
    monkeypatch.setenv(VARIABLE, HUSH)
    held(cast, shop)
    settings.CONNECTION_FOLDERS = []
    step = f.step("read", operation="fetch", params={"connection": "shop", "table": "sales"})
    run = f.run(cast, f.stage("one", "DE", steps=[step]))
    factories.work_off()
    attempt = Attempt.objects.get(run=run)
    assert (attempt.state, attempt.error["code"]) == ("FAILED", "file_not_allowed")
    assert "shop.sqlite" not in json.dumps(attempt.error)


def test_the_child_gets_one_secret_and_no_environment_of_them(tmp_path, shop, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, HUSH)
    assert SECRET.match(VARIABLE)
    assert not any(SECRET.match(name) for name in CHILD_LIMITS)
    out = tmp_path / "out"
    out.mkdir()
    work = Work(
        operation="fetch",
        params={"connection": "shop", "table": "sales"},
        inputs={},
        many={},
        seed=0,
        folder=out,
        max_runtime=120,
        max_memory=2048,
        connection={"kind": "sqlite", "address": shop, "secret": HUSH, "folders": [str(tmp_path)]},
    )
    assert HUSH not in repr(work)
    lane = Lane(0, tmp_path)
    try:
        result = lane.perform(work, lambda message: None, beat_every=60)
        assert lane.child is not None
        environment = Path(f"/proc/{lane.child.pid}/environ").read_bytes()
    finally:
        lane.kill()
    assert result.kind == "done", result.message
    assert result.message["facts"]["rows"] == 5
    assert HUSH.encode() not in environment
