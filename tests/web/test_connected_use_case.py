"""A new use case whose data come through a connection, by page and by API."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from pipelines.artefacts import connections
from pipelines.runs import inspections, previews
from pipelines.runs.models import Run
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast, acting

pytestmark = pytest.mark.django_db

QUERY = "SELECT id, city, late FROM trips"
ASKED = {"connection": "trips", "query": QUERY}


@pytest.fixture(autouse=True)
def inline() -> Iterator[None]:
    """Both looks compute in this process; children are tested elsewhere."""
    lane = mock.Mock(wraps=factories.InlineLane())
    lane.kill = mock.Mock()
    with (
        mock.patch.object(previews, "Lane", return_value=lane),
        mock.patch.object(inspections, "Lane", return_value=lane),
    ):
        yield


@pytest.fixture
def trips(cast: Cast, tmp_path: Path, settings: Any) -> Path:
    place = tmp_path / "trips.sqlite"
    with closing(sqlite3.connect(place)) as made, made:
        made.execute("CREATE TABLE trips (id INTEGER, city TEXT, late TEXT)")
        rows = [(n, ("Ulm", "Bern")[n % 2], "yes" if n % 4 == 0 else "no") for n in range(60)]
        made.executemany("INSERT INTO trips VALUES (?, ?, ?)", rows)
    settings.CONNECTION_FOLDERS = [str(tmp_path)]
    given = {"kind": "sqlite", "address": f"sqlite://{place}", "use_cases": ["*"]}
    connections.hold(actor=acting(cast.priya), name="trips", **given)
    return place


@pytest.fixture
def amara(client: Client, cast: Cast, trips: Path) -> Client:
    factories.published("tabular-classification")
    client.force_login(cast.amara)
    return client


def draft(amara: Client, **form: Any) -> UseCase:
    amara.post("/use-cases/new/", {"question": "Which are late?", **ASKED, **form})
    return UseCase.objects.get(draft=True)


def test_the_whole_way_from_a_connection_to_a_running_run(amara: Client) -> None:
    assert '<option value="trips">' in amara.get("/use-cases/new/").content.decode()
    made = draft(amara)
    path = f"/use-cases/{made.key}"
    assert made.parameters == ASKED
    page = amara.get(f"{path}/columns/").content.decode()
    assert "60 rows" in page
    assert "read through <strong>trips</strong>" in page
    assert '<option value="late" selected>' in page
    answer = amara.post(f"{path}/columns/", {"base": "trips.parquet", "target": "late"})
    assert answer["Location"] == f"{path}/seats/"
    page = amara.get(f"{path}/start/").content.decode()
    assert "read through <strong>trips</strong> when the run comes to it" in page
    form = {f"p.{name}": value for name, value in {**ASKED, "target": "late"}.items()}
    form |= {"blueprint": "tabular-classification", "title": "Late", "question": "Which?"}
    answer = amara.post(f"{path}/start/", form)
    assert answer.status_code == 302, answer.content.decode()
    run = Run.objects.get()
    assert (run.parameters["connection"], run.parameters["query"]) == ("trips", QUERY)
    assert run.inputs == {}


def test_a_wrong_query_is_named_and_the_draft_kept(amara: Client) -> None:
    wrong = {**ASKED, "query": "SELECT wrong FROM trips"}
    answer = amara.post("/use-cases/new/", {"question": "Which are late?", **wrong})
    page = amara.get(answer["Location"]).content.decode()
    assert "no such column: wrong" in page
    assert "SELECT wrong FROM trips" in page
    made = UseCase.objects.get(draft=True)
    assert made.parameters == wrong
    answer = amara.post(f"/use-cases/{made.key}/source", ASKED)
    assert answer["Location"] == f"/use-cases/{made.key}/columns/"
    assert "60 rows" in amara.get(answer["Location"]).content.decode()


def test_a_connection_that_is_gone_leaves_the_draft(amara: Client, trips: Path) -> None:
    trips.unlink()
    answer = amara.post("/use-cases/new/", {"question": "Which are late?", **ASKED})
    page = amara.get(answer["Location"]).content.decode()
    assert "file cannot be read" in page or "is not there" in page
    assert "trips.sqlite" not in page
    assert UseCase.objects.get(draft=True).parameters == ASKED


def test_files_and_a_connection_are_refused_by_both_names(amara: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"a,b\n1,2\n", content_type="text/csv")
    answer = amara.post("/use-cases/new/", {"question": "Which?", "files": [file], **ASKED})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "give one of the two" in page
    assert page.count("give one of the two") >= 2
    assert not UseCase.objects.exists()
    answer = amara.post("/use-cases/new/", {"question": "Which?", "query": QUERY})
    assert "is required, as query says" in answer.content.decode()


def test_files_take_the_place_of_the_connection_and_back(amara: Client) -> None:
    made = draft(amara)
    file = SimpleUploadedFile("a.csv", b"a,b\n1,2\n3,4\n", content_type="text/csv")
    amara.post(f"/use-cases/{made.key}/files", {"files": [file]})
    made.refresh_from_db()
    assert "connection" not in made.parameters
    assert made.inputs["tables"][0]["name"] == "a"
    amara.post(f"/use-cases/{made.key}/source", ASKED)
    made.refresh_from_db()
    assert (made.parameters, made.inputs) == (ASKED, {})
    amara.post(f"/use-cases/{made.key}/source", {"connection": "trips"})
    page = amara.get(f"/use-cases/{made.key}/columns/").content.decode()
    assert "is required for &#x27;trips&#x27;, which is sqlite" in page


def test_files_stay_until_something_was_read_in_their_place(amara: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"a,b\n1,2\n3,4\n", content_type="text/csv")
    amara.post("/use-cases/new/", {"question": "Which?", "files": [file]})
    made = UseCase.objects.get(draft=True)
    for form in ({}, {"connection": "trips", "query": "SELECT wrong FROM trips"}):
        amara.post(f"/use-cases/{made.key}/source", form)
        made.refresh_from_db()
        assert made.inputs["tables"][0]["name"] == "a"
    amara.post(f"/use-cases/{made.key}/columns/", {"base": "a", "target": "b"})
    made.refresh_from_db()
    assert "connection" not in made.parameters  # it could not be read: the files count
    amara.post(f"/use-cases/{made.key}/source", ASKED)
    made.refresh_from_db()
    assert (made.inputs, made.parameters["connection"]) == ({}, "trips")


def test_the_start_page_names_both_where_both_are_given(amara: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"a,b\n1,2\n3,4\n", content_type="text/csv")
    amara.post("/use-cases/new/", {"question": "Which?", "files": [file]})
    made = UseCase.objects.get(draft=True)
    form = {"blueprint": "tabular-classification", "title": "T", "question": "Q", "p.target": "b"}
    form |= {f"p.{name}": value for name, value in ASKED.items()}
    answer = amara.post(f"/use-cases/{made.key}/start/", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "parameters.connection is &#x27;trips&#x27;, too" in page
    assert "inputs.tables was given, too" in page
    assert not Run.objects.exists()


def test_a_stranger_sees_no_preview(amara: Client, cast: Cast) -> None:
    made = draft(amara)
    event = previews.known(made, connections.Source.of(ASKED))
    assert event is not None
    where = f"/api/v1/artefacts/{event['digest']}"
    assert amara.get(where).status_code == 200
    amara.force_login(cast.noor)
    assert amara.get(where).status_code == 404
    assert amara.post(f"/use-cases/{made.key}/source", ASKED).status_code in (403, 404)


def test_the_api_reads_refuses_and_starts_alike(amara: Client) -> None:
    send = {"content_type": "application/json"}
    given = {"title": "Late", "blueprint": "tabular-classification", "parameters": ASKED}
    key = amara.post("/api/v1/use-cases", given, **send).json()["key"]
    where = f"/api/v1/use-cases/{key}"
    found = amara.post(f"{where}/preview", ASKED, **send)
    assert found.status_code == 200, found.content
    body = found.json()
    assert (body["connection"], body["rows"], body["suggested_target"]) == ("trips", 60, "late")
    wrong = amara.post(f"{where}/preview", {**ASKED, "query": "SELECT wrong"}, **send)
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["query"])
    unknown = amara.post(f"{where}/preview", {**ASKED, "connection": "none"}, **send)
    assert list(unknown.json()["fields"]) == ["connection"]
    none = amara.post(f"{where}/runs", {"parameters": {"target": "late"}}, **send)
    assert set(none.json()["fields"]) == {"inputs.tables", "parameters.connection"}
    made = amara.post(f"{where}/runs", {"parameters": {**ASKED, "target": "late"}}, **send)
    assert made.status_code == 201, made.content
