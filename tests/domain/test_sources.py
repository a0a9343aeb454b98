"""A run reads through a connection instead of files: the shipped S1, on real databases."""

import json
import os
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg2
import pytest
from django.db import connection as database

from personas.errors import Invalid, NotAllowed
from pipelines.artefacts import connections
from pipelines.artefacts.actions import keep
from pipelines.artefacts.connections import Source
from pipelines.blueprints.shipped import shipped_text
from pipelines.runs import previews
from pipelines.runs.actions import runs
from pipelines.runs.models import Attempt, Run
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.test_fetch_postgres import server

__all__ = ["server"]  # a fixture

HUSH = "hush-hush-hush"
VARIABLE = "BATON_CONNECTION_SECRET_SHOP"
QUERY = "SELECT id, city, late FROM trips ORDER BY id"
TRIPS = [(n, ("Ulm", "Bern")[n % 2], "yes" if n % 4 == 0 else "no") for n in range(60)]
FILE = "id,city,late\n" + "".join(f"{n},{city},{late}\n" for n, city, late in TRIPS)
TABLE = "trips_of_tests"


@pytest.fixture
def trips(cast: Cast, tmp_path: Path, settings: Any) -> Path:
    """An SQLite file behind the connection `trips`, open to every use case."""
    place = tmp_path / "trips.sqlite"
    with closing(sqlite3.connect(place)) as made, made:
        made.execute("CREATE TABLE trips (id INTEGER, city TEXT, late TEXT)")
        made.executemany("INSERT INTO trips VALUES (?, ?, ?)", TRIPS)
    settings.CONNECTION_FOLDERS = [str(tmp_path)]
    _hold(cast, name="trips", kind="sqlite", address=f"sqlite://{place}")
    return place


def _hold(cast: Cast, **given: Any) -> None:
    connections.hold(actor=acting(cast.priya), **{"use_cases": ["*"], **given})


def source_stage(key: str = "tabular-classification", *, steps: int = 4) -> dict[str, Any]:
    """The inputs, parameters and the first steps of S1 of a shipped blueprint."""
    shipped = tomllib.loads(shipped_text(key))
    stage = next(one for one in shipped["stages"] if one["key"] == "source")
    kept = {name: stage[name] for name in ("key", "title", "persona")}
    inputs = [one for one in shipped["inputs"] if one["key"] == "tables"]
    more = {"inputs": inputs, "parameters": shipped["parameters"]}
    taken = [
        {**one, "params": _known_here(one.get("params", {}))} for one in stage["steps"][:steps]
    ]
    return f.plan({**kept, "steps": taken}, **more)


def _known_here(params: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a form of an earlier stage says, for there is none."""
    return {
        name: value
        for name, value in params.items()
        if not (isinstance(value, dict) and str(value.get("ref", "")).startswith("item."))
    }


def begin(cast: Cast, plan: dict[str, Any], parameters: dict[str, Any], **given: Any) -> Run:
    answer = runs.create(
        actor=acting(cast.amara),
        use_case=f.use_case(cast),
        version=f.publish(plan),
        parameters={"target": "late", **parameters},
        inputs=given,
    )
    return Run.objects.get(pk=answer.data["run"])


def attempts(run: Run) -> dict[str, Attempt]:
    return {one.operation: one for one in Attempt.objects.filter(run=run).order_by("id")}


def file(tmp_path: Path) -> list[dict[str, str]]:
    path = tmp_path / "trips.csv"
    path.write_text(FILE, encoding="utf-8")
    return [{"name": "trips", "digest": keep(path, media="csv").digest, "media": "csv"}]


def test_the_source_stage_reads_through_sqlite(cast: Cast, trips: Path) -> None:
    run = begin(cast, source_stage(), {"connection": "trips", "query": QUERY})
    factories.work_off()
    made = attempts(run)
    assert {one.state for one in made.values()} == {"SUCCEEDED"}, [m.error for m in made.values()]
    facts, read = made["fetch"].facts, made["ingest"]
    assert (facts["connection"], facts["rows"], facts["asked"]) == ("trips", 60, QUERY)
    assert read.inputs["ports"]["tables"][0]["digest"] == made["fetch"].outputs["table"]["digest"]
    assert (read.facts["rows"], read.facts["target"]["name"]) == (60, "late")
    assert "trips.sqlite" not in json.dumps([made["fetch"].params, facts, made["fetch"].log])


def test_each_run_reads_afresh_and_equal_content_is_not_computed_twice(
    cast: Cast, trips: Path
) -> None:
    plan, asked = source_stage(steps=2), {"connection": "trips", "query": QUERY}
    first = begin(cast, plan, asked)
    factories.work_off()
    same = begin(cast, plan, asked)
    factories.work_off()
    assert attempts(same)["fetch"].cached_from is None
    assert attempts(same)["ingest"].cached_from == attempts(first)["ingest"]
    with closing(sqlite3.connect(trips)) as made, made:
        made.execute("INSERT INTO trips VALUES (99, 'Linz', 'no')")
    later = begin(cast, plan, asked)
    factories.work_off()
    assert attempts(later)["ingest"].cached_from is None
    assert attempts(later)["ingest"].facts["rows"] == 61


def test_with_files_nothing_is_fetched(cast: Cast, tmp_path: Path) -> None:
    run = begin(cast, source_stage(steps=2), {}, tables=file(tmp_path))
    factories.work_off()
    made = attempts(run)
    assert (made["fetch"].state, made["fetch"].outputs) == ("SUCCEEDED", {})
    assert made["ingest"].facts["rows"] == 60


@pytest.fixture
def table(server: int) -> Iterator[int]:
    """The same rows in the tests' own PostgreSQL, outside the test's transaction."""
    given = database.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with closing(psycopg2.connect(**{n: given[n] for n in names if given.get(n)})) as made:
        made.autocommit = True
        with made.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
            cursor.execute(f"CREATE TABLE {TABLE} (id int, city text, late text)")
            cursor.executemany(f"INSERT INTO {TABLE} VALUES (%s, %s, %s)", TRIPS)
        yield server
        with made.cursor() as cursor:
            cursor.execute(f"DROP TABLE {TABLE}")


def test_the_source_stage_reads_through_postgresql(
    cast: Cast, table: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = database.get_connection_params()
    user, name = given.get("user") or os.environ.get("USER", "postgres"), given["dbname"]
    monkeypatch.setenv(VARIABLE, str(given.get("password") or HUSH))
    settings.CONNECTION_HOSTS = [f"127.0.0.1:{table}"]
    address = f"postgresql://{user}@127.0.0.1:{table}/{name}?sslmode=disable"
    _hold(cast, name="shop", kind="postgresql", address=address, secret_name=VARIABLE)
    query = f"SELECT id, city, late FROM {TABLE} ORDER BY id"
    run = begin(cast, source_stage(steps=2), {"connection": "shop", "query": query})
    wrong = begin(cast, source_stage(steps=2), {"connection": "shop", "query": "SELECT nothing"})
    factories.work_off()
    made = attempts(run)
    assert made["fetch"].state == "SUCCEEDED", made["fetch"].error
    assert made["ingest"].facts["rows"] == 60
    error = attempts(wrong)["fetch"].error
    assert (error["code"], error["field"]) == ("bad_query", "query")
    assert 'column "nothing" does not exist' in error["message"]


def test_a_dead_connection_fails_the_step_and_names_no_address(cast: Cast, trips: Path) -> None:
    run = begin(cast, source_stage(steps=2), {"connection": "trips", "query": QUERY})
    trips.unlink()
    factories.work_off()
    made = attempts(run)
    assert made["fetch"].error["code"] == "connection_failed"
    assert "ingest" not in made
    assert "trips.sqlite" not in json.dumps(made["fetch"].error)


@pytest.mark.parametrize("both", [True, False])
def test_files_and_a_connection_exclude_each_other(
    cast: Cast, trips: Path, tmp_path: Path, both: bool
) -> None:
    given = {"connection": "trips", "query": QUERY} if both else {}
    inputs = {"tables": file(tmp_path)} if both else {}
    with pytest.raises(Invalid) as caught:
        begin(cast, source_stage(), given, **inputs)
    assert set(caught.value.fields) == {"inputs.tables", "parameters.connection"}
    assert "parameters.connection" in caught.value.fields["inputs.tables"][0]
    assert "inputs.tables" in caught.value.fields["parameters.connection"][0]


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"connection": "other", "query": "x"}, "connection", "no connection 'other'"),
        ({"connection": "closed", "query": "x"}, "connection", "no connection 'closed'"),
        ({"connection": "trips"}, "query", "is required"),
        ({"connection": "trips", "query": "x", "path": "y"}, "path", "does not suit"),
        ({"connection": "store", "query": "x"}, "query", "does not suit"),
        ({"connection": "store"}, "path", "is required"),
    ],
)
def test_what_cannot_be_read_is_refused_before_the_run(
    cast: Cast, trips: Path, given: dict[str, str], field: str, said: str
) -> None:
    _hold(cast, name="closed", kind="sqlite", address="sqlite:///srv/a", use_cases=["elsewhere"])
    address = "s3://bucket?endpoint=https://store.example.org&user=K"
    _hold(cast, name="store", kind="s3", address=address, secret_name=VARIABLE)
    with pytest.raises(Invalid) as caught:
        begin(cast, source_stage(), given)
    assert said in caught.value.fields[f"parameters.{field}"][0]


def test_half_a_connection_is_refused(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        begin(cast, source_stage(), {"query": QUERY}, tables=file(tmp_path))
    assert "parameters.connection is empty" in caught.value.fields["parameters.query"][0]


@pytest.fixture
def inline() -> Iterator[None]:
    """Previews read in this process: what a child adds is tested with connections."""
    lane = mock.Mock(wraps=factories.InlineLane())
    lane.kill = mock.Mock()
    with mock.patch.object(previews, "Lane", return_value=lane):
        yield


def test_a_preview_is_kept_and_known_until_the_question_changes(
    cast: Cast, trips: Path, inline: None
) -> None:
    use_case, source = f.use_case(cast), Source("trips", QUERY)
    answer = previews.preview(actor=acting(cast.amara), use_case=use_case, source=source)
    assert answer.data["rows"] == 60
    seen = previews.known(use_case, source)
    assert seen is not None
    assert (seen["digest"], seen["query"]) == (answer.data["digest"], QUERY)
    assert previews.known(use_case, Source("trips", QUERY + " LIMIT 5")) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [("SELECT wrong FROM trips", "no such column: wrong"), ("DELETE FROM trips", "The source")],
)
def test_a_preview_names_what_is_wrong_with_the_query(
    cast: Cast, trips: Path, inline: None, query: str, said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        previews.preview(
            actor=acting(cast.amara), use_case=f.use_case(cast), source=Source("trips", query)
        )
    assert said in caught.value.fields["query"][0]
    trips.unlink()
    with pytest.raises(Invalid) as caught:
        previews.preview(
            actor=acting(cast.amara), use_case=f.use_case(cast), source=Source("trips", query)
        )
    assert list(caught.value.fields) == ["connection"]
    assert "trips.sqlite" not in json.dumps(caught.value.fields)


def test_who_does_not_manage_the_use_case_reads_nothing(cast: Cast, trips: Path) -> None:
    found: UseCase = f.use_case(cast)
    with pytest.raises(NotAllowed):
        previews.preview(actor=acting(cast.noor), use_case=found, source=Source("trips", QUERY))


def test_one_who_sees_every_row_is_told_how_to_see_some(
    cast: Cast, trips: Path, inline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "MOST_ROWS", 10)
    with pytest.raises(Invalid) as caught:
        previews.preview(
            actor=acting(cast.amara), use_case=f.use_case(cast), source=Source("trips", QUERY)
        )
    assert "LIMIT" in caught.value.fields["query"][0]
