"""Flow: what it opens with, its parts with and without scripts, records, rights, odd filters."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pipelines.charts.drawing import Drawings
from pipelines.insights.flow.waiting import WaitingCosts
from pipelines.runs.actions import gates, handoffs
from pipelines.runs.models import Run
from portal.web import figures, flowing
from portal.web.flow_parts import PARTS
from portal.web.flow_records import KINDS
from tests import factories
from tests.cast import Cast, acting

pytestmark = pytest.mark.django_db
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def own_drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of another test is drawn already, and nothing is drawn here."""
    monkeypatch.setattr(figures, "drawings", Drawings(tmp_path / "charts"))


@pytest.fixture
def came_back(cast: Cast) -> Run:
    """A run of which a hand-off was returned."""
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


def shown(client: Client, path: str, status: int = 200, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    return answer.content.decode()


def test_it_opens_with_what_to_look_at_first(client: Client, cast: Cast, came_back: Run) -> None:
    client.force_login(cast.amara)
    page = shown(client, "/flow/")
    assert "1 time, most often for the reason “unclear” (1)" in page
    assert "1 run is under way" in page
    assert 'id="chart-cumulative"' in page
    assert "/flow/records/returns/?giver=" in page
    for part in PARTS.values():
        assert f'id="{part.key}"' in page


def test_a_stranger_sees_nothing_of_it(client: Client, cast: Cast, came_back: Run) -> None:
    client.force_login(cast.iris)
    page = shown(client, "/flow/")
    assert "Nothing has moved in this window" in page
    assert came_back.use_case.key not in page
    shown(client, f"/flow/?use_case={came_back.use_case.key}", status=404)
    for kind in KINDS:
        assert came_back.use_case.key not in shown(client, f"/flow/records/{kind}/")
        shown(client, f"/flow/records/{kind}/?use_case={came_back.use_case.key}", status=404)
    for part in PARTS:
        assert came_back.use_case.key not in shown(client, f"/flow/{part}/")


def test_nobody_signs_in_by_it(client: Client, cast: Cast) -> None:
    assert client.get("/flow/").status_code == 302
    assert client.get("/flow/gates/").status_code == 302
    assert client.get("/flow/records/gates/").status_code == 302


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_a_page_a_fragment_and_a_file(
    client: Client, cast: Cast, came_back: Run, part: str
) -> None:
    client.force_login(cast.amara)
    page = shown(client, f"/flow/{part}/")
    assert "<html" in page
    fragment = shown(client, f"/flow/{part}/", **{"HX-Request": "true"})
    assert "<html" not in fragment
    assert "<h1" not in fragment
    answer = client.get(f"/flow/{part}/?file=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert f'"flow-{part}.csv"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("hand-offs/?giver=BA&receiver=DE", None),
        ("gates/?stage=first", None),
        ("returns/?code=unclear", 1),
        ("returns/?code=leakage", 0),
        ("visits/", None),
    ],
)
def test_records_are_in_the_page_and_in_the_file(
    client: Client, cast: Cast, came_back: Run, path: str, count: int | None
) -> None:
    client.force_login(cast.amara)
    kind, _, query = path.partition("?")
    page = shown(client, f"/flow/records/{path}")
    found = client.get(f"/flow/records/{kind}?file=csv&{query}")
    rows = list(csv.DictReader(io.StringIO(found.content.decode())))
    assert f"n = {len(rows)}." in page
    assert count is None or len(rows) == count


@pytest.mark.parametrize(
    "query",
    [
        "days=0",
        "days=-1",
        "days=999999999999",
        "days=%C2%B2",
        "days=x&persona=%01&blueprint=%C2%85",
        "persona=NOBODY&blueprint=none",
        f"show={MARKUP}&blueprint={MARKUP}",
        "use_case=" + "x" * 10_000,
        "first=a&second=&reviewer=&reviewers=0",
    ],
)
def test_odd_filters_are_left_out(client: Client, cast: Cast, came_back: Run, query: str) -> None:
    client.force_login(cast.amara)
    assert MARKUP not in shown(client, f"/flow/?{query}")
    assert MARKUP not in shown(client, f"/flow/forecast/?{query}")
    assert MARKUP not in shown(client, f"/flow/records/visits/?{query}")


def test_a_change_names_stages_that_are_there(client: Client, cast: Cast, came_back: Run) -> None:
    client.force_login(cast.amara)
    shown(client, "/flow/forecast/?drop=nowhere", status=422)
    stage = came_back.stages.order_by("position").first()
    assert stage is not None
    page = shown(client, f"/flow/forecast/?drop={stage.key}")
    assert f'<option value="{stage.key}" selected>' in page


def test_there_is_no_such_part(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    shown(client, "/flow/nothing/", status=404)
    shown(client, "/flow/records/nothing/", status=404)


def test_markup_in_a_title_and_formulas_in_a_reason_stay_text(
    client: Client, cast: Cast, came_back: Run
) -> None:
    came_back.use_case.title = MARKUP
    came_back.use_case.save()
    client.force_login(cast.amara)
    assert MARKUP not in shown(client, "/flow/")
    assert MARKUP not in shown(client, "/flow/waiting/")


def test_the_page_asks_a_fixed_number_of_statements(
    client: Client, cast: Cast, came_back: Run
) -> None:
    client.force_login(cast.amara)
    with CaptureQueriesContext(connection) as few:
        shown(client, "/flow/")
    factories.run_of(cast, came_back.use_case)
    factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    factories.work_off()
    with CaptureQueriesContext(connection) as many:
        shown(client, "/flow/")
    assert len(many) == len(few) <= 15


@pytest.mark.parametrize(("part", "most"), [("forecast", 18), ("waiting", 12), ("times", 12)])
def test_a_part_asks_few_statements(
    client: Client, cast: Cast, came_back: Run, part: str, most: int
) -> None:
    client.force_login(cast.amara)
    with CaptureQueriesContext(connection) as asked:
        shown(client, f"/flow/{part}/", **{"HX-Request": "true"})
    assert len(asked) <= most


def test_waiting_is_told_in_money_where_a_brief_names_a_value() -> None:
    costs = WaitingCosts(2, 1, timedelta(days=3), (("EUR", 12_345.6),), ())
    view = SimpleNamespace(looks=SimpleNamespace(costs=costs))
    told = flowing._costs(view, "days=90")  # type: ignore[arg-type]
    assert told is not None
    assert told.text == "Waiting cost 12\u202f346 EUR: 2 runs waited 3 d between them."
    assert told.href == "/flow/waiting/?days=90"
