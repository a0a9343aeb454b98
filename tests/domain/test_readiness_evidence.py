"""What readiness gathers from runs, releases, answers and watches."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pgtrigger
import pytest

from pipelines.readiness import gather
from pipelines.readiness.queries import readiness
from pipelines.registry.models import Deployment, Model, ModelVersion
from pipelines.runs.models import Attempt, Run, Stage, Step, WorkItem
from pipelines.serving.models import Prediction
from pipelines.usecases.models import UseCase
from tests import release
from tests.domain import engine

pytestmark = pytest.mark.django_db
NOW = datetime(2031, 5, 5, tzinfo=UTC)


@pytest.fixture
def case() -> UseCase:
    return release.use_case()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run_of(case: UseCase, **more: Any) -> Run:
    """A running run of a blueprint that has work items."""
    release.person("Ada")
    plan = {"key": "watched", "title": "Watched", "kind": "main"}
    stages = [engine.stage("monitor", "DS", items=[engine.form("brief")])]
    return release.run_of(case, version=engine.publish({**plan, "stages": stages}), **more)


def file(folder: Path, text: str, ending: str = "json") -> Path:
    made = folder / f"{text}.{ending}"
    made.write_text(text)
    return made


def step(run: Run, place: str, operation: str, folder: Path, **facts: Any) -> Step:
    return release.step_with(run, place, {}, facts, operation=operation)


def finding(case: UseCase, test: str) -> Any:
    return next(r.finding for r in readiness(case).tests if r.test.id == test)


def version(run: Run, number: int, folder: Path, **metrics: float) -> ModelVersion:
    """A version that is live (what was live before has ended)."""
    model, _ = Model.objects.get_or_create(
        use_case=run.use_case, defaults={"name": run.use_case.key, "title": "Late"}
    )
    package = release.step_with(
        run, "operationalise.package", {"package": file(folder, f"p{number}", "zip")}, {},
        operation="package_model",
    )  # fmt: skip
    gate = release.gate_of(run)
    made = ModelVersion.objects.create(
        model=model, number=number, state="APPROVED", run=run, approval=gate, approved_at=NOW,
        package_id=package.result.outputs["package"]["digest"],
        facts={"metrics": {name: {"value": value} for name, value in metrics.items()}},
    )  # fmt: skip
    Deployment.objects.filter(model=model, ended_at=None).update(
        ended_at=NOW + number * timedelta(days=1), ended_reason="it took its place"
    )
    Deployment.objects.create(
        model=model, version=made, mode="live", run=run,
        started_at=NOW + number * timedelta(days=1),
    )  # fmt: skip
    return made


def form(run: Run, key: str, **data: Any) -> None:
    stage = release.stage_of(run, "monitor", 10)
    WorkItem.objects.create(
        run=run, stage=stage, key=key, kind="form", title=key, persona_id="DS", data=data,
        state="COMPLETED", data_digest="d" * 64,
    )  # fmt: skip


def test_what_came_from_the_cache_was_not_computed(case: UseCase, folder: Path) -> None:
    first, second = run_of(case), run_of(case)
    done = step(first, "evaluate.retrain", "retrain_clean", folder)
    again = step(second, "evaluate.retrain", "retrain_clean", folder)
    with pgtrigger.ignore("runs.Attempt:final_stays"):
        Attempt.objects.filter(step=again).update(cached_from=done.result)
    step(first, "deploy.shadow", "measure_traffic", folder)
    canary = step(second, "deploy.canary", "measure_traffic", folder)
    with pgtrigger.ignore("runs.Attempt:final_stays"):
        Attempt.objects.filter(step=canary).update(params={"mode": "canary"})
    found = gather.computed(case.pk)
    assert (found["retrain_clean"].times, found["retrain_clean"].cached) == (1, 1)
    assert found["measure_traffic"].times == 2
    assert found["measure_traffic:canary"].times == 1
    other = release.use_case("another")
    assert gather.computed(other.pk) == {}


def features(run: Run, number: int, folder: Path, digest: str, *, at: datetime) -> None:
    """A round that defines features, and the evaluation that follows two hours later."""
    for key, operation, delay, outputs in (
        ("features", "build_features", 0, {"features": file(folder, digest)}),
        ("evaluate", "evaluate_model", 1, {}),
    ):
        Stage.objects.filter(run=run, key=key).update(current=False)
        stage = Stage.objects.create(
            run=run, key=key, round=number, position=3 + delay, persona_id="MLR", state="ACTIVE",
            activated_at=at + timedelta(hours=delay), submitted_at=at + timedelta(hours=2 * delay),
        )  # fmt: skip
        made = release.step_with(run, f"{key}.work", outputs, {}, operation=operation)
        assert made.stage_id == stage.pk


def test_changes_of_features_are_timed_across_rounds_and_runs(case: UseCase, folder: Path) -> None:
    first, second = run_of(case), run_of(case)
    day = timedelta(days=1)
    release.stage_of(first)  # the personas are there
    features(first, 1, folder, "a", at=NOW)
    assert gather.lead_times(case.pk) == ()  # the first definition is no change
    features(first, 2, folder, "b", at=NOW + day)
    features(second, 1, folder, "b", at=NOW + 2 * day)  # the same: no change
    features(second, 2, folder, "c", at=NOW + 3 * day)
    assert gather.lead_times(case.pk) == (7200.0, 7200.0)
    assert finding(case, "Data6").points == 1
    assert "2.0 hours" in finding(case, "Data6").text


def test_the_release_before_is_compared(case: UseCase, folder: Path) -> None:
    first, second = run_of(case), run_of(case)
    step(first, "operationalise.load_test", "load_test", folder, p95_seconds=1, memory_mib=1)
    version(first, 1, folder)
    version(second, 2, folder)
    found = readiness(case)
    assert (found.run, found.version) == (second, 2)
    assert gather.previous(first.pk)["load_test"]["p95_seconds"] == 1
    assert gather.previous(None) == {}


def test_metric_and_kpi_of_five_releases(case: UseCase, folder: Path) -> None:
    for number in range(1, 6):
        run = run_of(case)
        form(run, "brief", metric="roc_auc", kpi_now=5.0, kpi_target=50.0)
        if number < 5:
            form(run, "kpi", kpi_now=10.0 * number, comment="more were called in time")
        version(run, number, folder, roc_auc=0.6 + number / 100)
        found = finding(case, "Model2")
        assert found.points == 0.5, found.text
    assert "4 of 5" in finding(case, "Model2").text
    form(run, "kpi", kpi_now=60.0, comment="more again")
    found = finding(case, "Model2")
    assert (found.points, found.times) == (1, 5)
    assert "+1.00" in found.text


def test_the_age_of_what_is_live_is_counted_in_the_time_of_the_data(
    case: UseCase, folder: Path
) -> None:
    run = run_of(case)
    release.step_with(
        run, "explore.split", {}, {"parts": {"train": {"last": "2013-08-31T00:00:00"}}},
        operation="split_data",
    )  # fmt: skip
    step(run, "evaluate.age", "age_model", folder, half_life_days=30.0, aged=True)
    made = version(run, 1, folder)
    assert "by the clock" in finding(case, "Mon4").text  # nothing was answered yet
    live = Deployment.objects.get(version=made)
    for key, day in (("a", 29), ("b", 31)):
        Prediction.objects.create(
            model=made.model, version=made, deployment=live, mode="live", served_by="live",
            key=key, event_time=datetime(2013, 8, 31, tzinfo=UTC) + timedelta(days=day),
            request="0" * 32,
        )  # fmt: skip
        found = finding(case, "Mon4")
        assert f"{day} days younger" in found.text
        assert found.points == (1 if day < 30 else 0)


def test_the_last_watch_says_how_quality_holds(case: UseCase, folder: Path) -> None:
    run = run_of(case)
    window = {"enough": True, "value": 0.7, "control_limit": 0.6, "labelled": 9, "metric": "auc"}
    form(run, "brief", kpi_name="calls in time", kpi_target=9)  # a kind without a metric
    assert finding(case, "Mon7").points == 0
    for value, points in ((0.7, 0.5), (0.5, 0.0), (0.8, 1.0)):
        watch = run_of(case, kind="watch")
        step(watch, "watch.quality", "measure_quality", folder, **{**window, "value": value})
        found = finding(case, "Mon7")
        assert found.points == points, found.text
        assert (found.noun, found.pk) == ("run", watch.pk)
    assert readiness(case).run == run


def test_rollbacks_on_record_count(case: UseCase, folder: Path) -> None:
    run = run_of(case)
    version(run, 1, folder)
    for number, points in ((1, 0.5), (2, 1.0)):
        live = Deployment.objects.get(ended_at=None)
        live.ended_at, live.ended_reason = NOW + timedelta(days=9), "rolled back: slow"
        live.save()
        Deployment.objects.create(
            model=live.model, version=live.version, mode="live", run=run,
            started_at=NOW + timedelta(days=9),
        )  # fmt: skip
        found = finding(case, "Infra7")
        assert (found.points, found.times) == (points, number)
