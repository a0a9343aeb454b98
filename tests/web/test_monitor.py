"""The monitor: what moved, what outcomes say, who answered, and the alerts' answers."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pipelines.charts.drawing import Drawings
from pipelines.lifecycles import ALERT, NEW, move
from pipelines.monitoring.measured import measured_of, worst_first
from pipelines.monitoring.models import Alert
from pipelines.registry.models import Deployment
from pipelines.serving.daily import days_of
from pipelines.serving.models import Label, Prediction
from portal.web import figures
from tests.release import Release, cause, person, release, run_of, step_with, use_case

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 3, 1, 10, tzinfo=UTC)
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def own_drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of another test is drawn already, and nothing is drawn here."""
    monkeypatch.setattr(figures, "drawings", Drawings(tmp_path / "charts"))


@pytest.fixture
def made() -> Release:
    """A version that answers a quarter of the callers."""
    found = release(parameters={"canary_share": 0.25})
    cause("deploy_canary", found.run)
    return found


def answer(made: Release, *, days: int, each: int, labels: int = 0) -> None:
    """So many days with so many answers; the first of each day have outcomes."""
    deployment = Deployment.objects.get(model=made.model)
    rows = [
        Prediction(
            model=made.model,
            version=made.version if number else None,
            deployment=deployment if number else None,
            mode="canary" if number else "fallback",
            served_by="model" if number else "fallback",
            key=f"{day}-{number}",
            score=0.5 if number else None,
            latency=0.01 * (number + 1),
            failed=number == 1,
            request=uuid.uuid4(),
            event_time=FIRST + timedelta(days=day),
        )
        for day in range(days)
        for number in range(each)
    ]
    Prediction.objects.bulk_create(rows)
    Label.objects.bulk_create(
        Label(model=made.model, key=f"{day}-{number + 1}", value="1")
        for day in range(days)
        for number in range(labels)
    )


def measured(made: Release, *, windows: int = 2, columns: int = 3) -> None:
    """So many watches have measured drift and quality."""
    for number in range(windows):
        run = run_of(made.case, kind="watch")
        until = (FIRST + timedelta(days=number)).isoformat()
        listed = [
            {"column": f"c{place} {MARKUP}", "psi": 0.05 * (place + 1), "limit": 0.01,
             "level": "quiet", "shift": None}
            for place in range(columns)
        ]  # fmt: skip
        listed += [
            {"column": "score", "psi": 0.3, "limit": 0.2, "level": "red", "shift": 0.5},
            {"column": "few", "psi": None, "limit": None, "level": "not enough data"},
        ]
        facts = {"rows": 500, "columns": listed, "last_event": until}
        step_with(run, "watch.drift", {}, facts, operation="measure_drift")
        quality = {
            "rows": 500, "labelled": 300, "metric": "roc_auc", "value": 0.7, "low": 0.6,
            "high": 0.8, "control_limit": 0.65, "reference": 0.72, "worth_per_1000": 1234.5,
            "currency": "EUR", "lag_p50_hours": 4.0,
        }  # fmt: skip
        step_with(run, "watch.quality", {}, quality, operation="measure_quality")


def alert(made: Release, number: int = 0) -> Alert:
    """An open alert of the data scientist's."""
    return Alert.objects.create(
        model=made.model, cause="drift", severity="red", text=f"{number} {MARKUP}",
        state=move(ALERT, NEW, "raise"), persona_id="DS", raised_by=made.run,
    )  # fmt: skip


def page(client: Client, made: Release, query: str = "") -> str:
    found = client.get(f"/use-cases/{made.case.key}/monitor/{query}")
    assert found.status_code == 200
    return found.content.decode()


def seated(client: Client, made: Release, persona: str = "DS") -> None:
    client.force_login(person(f"The {persona}", use_case=made.case, persona=persona))


def test_days_count_answers_outcomes_and_time(made: Release) -> None:
    answer(made, days=3, each=4, labels=2)
    found = days_of(made.model)
    assert [day.day.day for day in found.days] == [1, 2, 3]
    assert not found.is_cut
    first = found.days[0]
    assert (first.rows, first.by_model, first.by_fallback, first.failed) == (4, 3, 1, 1)
    assert (first.labelled, first.unlabelled, first.mean_score) == (2, 1, 0.5)
    assert first.p50_seconds == pytest.approx(0.025)
    assert first.p95_seconds == pytest.approx(0.0385)
    # Where more was answered than is read, the day that was read in part is left out.
    part = days_of(made.model, most=6)
    assert [day.day.day for day in part.days] == [3]
    assert part.is_cut


def test_windows_hold_each_column_against_the_limit_of_its_size(made: Release) -> None:
    measured(made)
    drift, quality = measured_of(made.case)
    found = {(one.window.label, one.column): one.limit for one in drift}
    assert len(found) == 8  # two windows of three columns and the score; too few rows have none
    assert found["Watch 1", "score"] == 0.2  # what chance reaches is more than the convention
    assert found["Watch 2", f"c0 {MARKUP}"] == 0.1
    assert [one.window.until for one in drift[::4]] == [FIRST, FIRST + timedelta(days=1)]
    assert worst_first(drift) == [f"c{place} {MARKUP}" for place in (2, 1, 0)]
    assert [(one.window.until, one.missing) for one in quality] == [
        (FIRST, 200),
        (FIRST + timedelta(days=1), 200),
    ]


def test_page_says_what_moved_and_what_is_missing(client: Client, made: Release) -> None:
    answer(made, days=3, each=4, labels=2)
    measured(made)
    alert(made)
    seated(client, made)
    text = page(client, made)
    assert "In the latest window (Watch 2, 500 answers) 1 of 3 features are beyond" in text
    assert "The latest window&#x27;s scores have a PSI of 0.30, beyond the limit of 0.20." in text
    assert "roc auc was 0.700 (0.600 to 0.800) in the latest window" in text
    assert "200 of its 500 answers had no outcome yet." in text
    assert "3 of 9 answers have no outcome yet (33 %)." in text
    assert "1,000 answers were worth 1,234 EUR" in text
    assert "12 answers in 3 days, 3 of them by the fallback; 3 failed." in text
    assert MARKUP not in text
    assert "style=" not in text
    for name in ("drift", "answers", "scores", "quality", "labels", "worth", "traffic", "latency"):
        assert f'id="chart-{name}"' in text


def test_numbers_behind_a_chart_are_a_file(client: Client, made: Release) -> None:
    measured(made)
    seated(client, made)
    lines = page(client, made, "?table=drift").splitlines()
    assert lines[0] == "feature,window until,PSI,limit,window"
    assert lines[1] == f"c2 {MARKUP},2026-03-01T10:00:00+00:00,{0.05 * 3},0.1,Watch 1"
    assert len(lines) == 7
    assert "<h1>" in page(client, made, "?table=nonsense")


def test_before_a_version_there_is_nothing_to_watch(client: Client) -> None:
    case = use_case("quiet")
    client.force_login(person("Ada"))
    found = client.get(f"/use-cases/{case.key}/monitor/").content.decode()
    assert "There is nothing to watch yet" in found
    assert "charts.js" not in found  # the library is loaded only where charts are


def test_stranger_learns_nothing(client: Client, made: Release) -> None:
    client.force_login(person("Stranger"))
    for query in ("", "?table=drift"):
        found = client.get(f"/use-cases/{made.case.key}/monitor/{query}")
        assert found.status_code == 404
        assert made.case.title not in found.content.decode()


@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow(
    client: Client,
    made: Release,
    count: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    answer(made, days=count * 5, each=5, labels=2)
    measured(made, windows=count, columns=count * 4)
    for number in range(count):
        alert(made, number)
    seated(client, made)
    page(client, made)
    with django_assert_max_num_queries(15):
        page(client, made)


def test_alert_is_answered_from_the_menu_and_one_stays_here(client: Client, made: Release) -> None:
    found = alert(made)
    seated(client, made)
    here = f"/use-cases/{made.case.key}/monitor/#alert-{found.pk}"
    assert "Open a run" in page(client, made)
    form = {"back": "monitor", "idempotency_key": str(uuid.uuid4())}
    assert client.post(f"/alerts/{found.pk}/acknowledge", form)["Location"] == here
    form = {"back": "monitor", "idempotency_key": str(uuid.uuid4()), "response": "Retrain",
            "resolution": "On the last 30 days."}  # fmt: skip
    assert client.post(f"/alerts/{found.pk}/resolve", form)["Location"] == here
    found.refresh_from_db()
    assert found.resolution == "Retrain: On the last 30 days."
    other = alert(made, 1)
    form = {"idempotency_key": str(uuid.uuid4()), "resolution": "Done."}
    there = client.post(f"/alerts/{other.pk}/resolve", form)["Location"]
    assert there == f"/models/{made.model.name}/"


def test_who_may_not_answer_reads_why(client: Client, made: Release) -> None:
    alert(made)
    seated(client, made, "SWE")
    text = page(client, made)
    assert "Answering this alert takes a seat as DS or MLE." in text
    assert "Resolve it" not in text


def test_api_answers_the_same(client: Client, made: Release) -> None:
    answer(made, days=2, each=4, labels=1)
    measured(made, windows=1)
    alert(made)
    seated(client, made)
    body = client.get(f"/api/v1/use-cases/{made.case.key}/monitor").json()
    assert body["model"] == made.model.name
    assert [day["unlabelled"] for day in body["days"]] == [2, 2]
    assert len(body["drift"]) == 4
    assert body["quality"][0]["missing"] == 200
    assert [one["text"] for one in body["alerts"]] == [f"0 {MARKUP}"]
    client.force_login(person("Stranger"))
    assert client.get(f"/api/v1/use-cases/{made.case.key}/monitor").status_code == 404
