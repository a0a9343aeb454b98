"""Flow over REST: who sees what, in which form, with how many statements."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from pipelines.insights import queries, reading
from pipelines.insights.reading import Question, Scope
from pipelines.runs.actions import gates, handoffs
from pipelines.runs.models import Run
from portal.sheets import sheet
from tests import factories
from tests.api.conftest import Client, Play
from tests.cast import Cast, acting

PARTS = (
    "", "/cumulative", "/hand-offs", "/ageing", "/waiting", "/gates", "/returns", "/forecast",
    "/models",
)  # fmt: skip


@pytest.fixture
def came_back(cast: Cast) -> Run:
    """A run of which a hand-off was returned, and given again."""
    run = factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    factories.work_off()
    factories.completed(cast, run.items.get(key="go"), {"decision": "go"})
    gate = factories.open_gate(run)
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    factories.work_off()
    offer = factories.open_hand_off(run)
    handoffs.offer(actor=acting(cast.amara), hand_off=offer, answers={"gaps": "none"})
    handoffs.return_(
        actor=acting(cast.dmitri), hand_off=offer, reason="what is this?", reason_code="unclear"
    )
    return run


def rows(client: APIClient, address: str) -> list[dict[str, str]]:
    answer = client.get(f"/api/v1/flow{address}", {"format": "csv"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert re.search(r'filename="flow[a-z-]*\.csv"', answer.headers["Content-Disposition"])
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_answers_in_both_forms(cast: Cast, api: Client, play: Play, part: str) -> None:
    client = api(cast.amara)
    answer = client.get(f"/api/v1/flow{part}")
    assert answer.status_code == 200
    assert set(answer.json()["window"]) == {"since", "until", "asked", "days", "cut"}
    rows(client, part)
    by_header = client.get(f"/api/v1/flow{part}", headers={"Accept": "text/csv"})
    assert by_header.headers["Content-Type"].startswith("text/csv")


def test_only_what_one_may_see_is_counted(cast: Cast, api: Client, play: Play) -> None:
    mine = api(cast.amara).get("/api/v1/flow").json()
    assert (mine["runs"], mine["n"]) == (1, 2)
    nobody = api(cast.iris).get("/api/v1/flow").json()
    assert (nobody["runs"], nobody["n"], nobody["stages"]) == (0, 0, [])
    hidden = api(cast.iris).get("/api/v1/flow", {"use_case": play.use_case.key})
    assert hidden.status_code == 404
    forecast = api(cast.iris).get("/api/v1/flow/forecast").json()
    assert forecast["use_cases"] == []


def test_the_matrix_leads_to_its_records(cast: Cast, api: Client, came_back: Run) -> None:
    client = api(cast.amara)
    pair = client.get("/api/v1/flow/hand-offs").json()["matrix"]["pairs"][0]
    assert (pair["giver"], pair["receiver"], pair["returned"]) == ("BA", "DE", 1)
    link = pair["records"][0]["link"]
    assert client.get(link).json()["id"] == pair["records"][0]["id"]
    cell = client.get("/api/v1/flow/hand-offs", {"giver": "BA", "receiver": "DE"}).json()
    assert [one["code"] for one in cell["records"] if one["code"]] == ["unclear"]
    assert rows(client, "/hand-offs")[0]["by_code"] == "unclear=1"


def test_a_return_is_told_with_its_reason(cast: Cast, api: Client, came_back: Run) -> None:
    (reason,) = api(cast.amara).get("/api/v1/flow/returns").json()["reasons"]
    assert (reason["code"], reason["n"], reason["by_kind"]) == ("unclear", 1, {"hand_off": 1})
    assert reason["pairs"] == [["source", "frame", 1]]


@pytest.mark.parametrize(
    ("name", "value", "fields"),
    [("days", "0", {"days"}), ("days", "731", {"days"}), ("tier", "4", {"tier"}),
     ("drop", "nowhere", {"drop"}), ("parallel", "prepare", {"parallel"}), ("nix", "1", {"nix"})],
)  # fmt: skip
def test_what_cannot_be_asked(
    cast: Cast, api: Client, play: Play, name: str, value: str, fields: set[str]
) -> None:
    answer = api(cast.amara).get("/api/v1/flow/forecast", {name: value})
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == fields


@pytest.mark.parametrize("name", ["use_case", "blueprint", "persona"])
def test_each_filter_leaves_out_what_is_another(
    cast: Cast, api: Client, play: Play, name: str
) -> None:
    own = {"use_case": play.use_case.key, "blueprint": "hello", "persona": "DE"}[name]
    client = api(cast.amara)
    assert client.get("/api/v1/flow", {name: own}).json()["n"] > 0
    if name != "use_case":
        assert client.get("/api/v1/flow", {name: "OTHER"}).json()["n"] == 0


@pytest.mark.parametrize(
    ("ask", "statements"),
    [(queries.flow, 9), (queries.hand_off_flow, 8), (queries.ageing_flow, 8),
     (queries.waiting_flow, 8), (queries.gate_flow, 8), (queries.return_flow, 9),
     (queries.cumulative, 3), (queries.models, 4), (queries.flow_forecast, 13)],
)  # fmt: skip
def test_statements_do_not_grow_with_rows(
    cast: Cast, play: Play, ask: object, statements: int
) -> None:
    factories.run_of(cast, factories.use_case(cast, title="Another"))
    with CaptureQueriesContext(
        connection,
    ) as seen:
        ask(Question(), Scope())  # type: ignore[operator]
    assert len(seen) <= statements


def test_forecasts_of_many_use_cases_take_four_statements(cast: Cast, play: Play) -> None:
    other = factories.run_of(cast, factories.use_case(cast, title="Another"))
    with CaptureQueriesContext(connection) as seen:
        found = queries.forecasts([play.use_case.pk, other.use_case_id])
    assert len(seen) <= 4
    assert set(found) == {play.use_case.pk, other.use_case_id}
    # Nothing has ever been done: there is no date yet, and it says so.
    assert {one.p85 for one in found.values()} == {None}
    assert queries.forecasts([]) == {}


def test_a_window_that_is_too_full_begins_later(
    cast: Cast, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = queries.history(Question(), Scope())
    assert not whole.window.cut
    monkeypatch.setattr(reading, "MOST", 0)
    narrow = queries.history(Question(), Scope())
    assert narrow.window.cut
    assert narrow.window.since > whole.window.since
    assert all(one.finished is None for one in narrow.visits)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_computes_nothing(text: str) -> None:
    (_, (cell, number)) = list(csv.reader(io.StringIO(sheet(["a", "b"], [[text, -1]]), newline="")))
    assert cell == "'" + text
    assert number == "-1"
