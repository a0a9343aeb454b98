"""Rollback drills: live and back for real, and nothing of it left but one event."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from personas.models import Event
from pipelines.artefacts.actions import keep
from pipelines.checks.drills import rollback_drilled
from pipelines.operations.clusters.package import read_segments_package
from pipelines.operations.contract import Context, OperationError, Outcome
from pipelines.operations.pack_clusters.compute import write_zip
from pipelines.operations.packages.loaded import Loaded
from pipelines.operations.read_drill.compute import run as read
from pipelines.operations.read_drill.spec import SPEC
from pipelines.operations.rehearse_segments.example import example as segments
from pipelines.registry import moves
from pipelines.registry.models import AliasMove, Deployment, ModelVersion
from pipelines.runs.models import Run
from pipelines.serving import feeds
from pipelines.serving.drill import rollback_drill
from tests.release import Release, cause, gate_of, release, run_of, stage_of, step_with, use_case

pytestmark = pytest.mark.django_db


def drilled(run: Run, folder: Path) -> dict[str, Any]:
    """The record of a drill, and what the step reads from it."""
    path = rollback_drill(run=run, stage=stage_of(run), folder=folder, params={})
    outcome = read(Context(spec=SPEC, folder=folder, inputs={"record": path}))
    assert isinstance(outcome, Outcome)
    return dict(outcome.facts)


def standing() -> list[tuple[str, int, bool]]:
    """What is deployed, and what was."""
    return [
        (one.mode, one.version.number, one.ended_at is None)
        for one in Deployment.objects.select_related("version").order_by("pk")
    ]


def test_a_first_release_goes_back_to_the_fallback(tmp_path: Path) -> None:
    made = release()
    cause("deploy_shadow", made.run)
    before = standing()
    facts = drilled(made.run, tmp_path)
    assert (facts["to"], facts["from"], facts["before"]) == (1, None, None)
    assert facts["forward"]["by"] == 1
    assert facts["forward"]["asked"] == facts["forward"]["right"] > 10
    assert facts["back"]["by"] is None
    assert facts["back"]["asked"] == facts["back"]["right"] > 10
    assert (facts["switched"], facts["came_back"]) == (True, True)
    assert standing() == before == [("shadow", 1, True)]
    assert not AliasMove.objects.exists()
    assert rollback_drilled({"deploy.drill": facts}, {}).verdict == "pass"


def test_a_second_release_goes_back_to_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    predict = Loaded.predict

    def counted(self: Loaded, rows: Any) -> Any:
        asked.append((self.digest, len(rows)))
        return predict(self, rows)

    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    cause("deploy_canary", second.run)
    before, moves = standing(), AliasMove.objects.count()
    monkeypatch.setattr(Loaded, "predict", counted)
    facts = drilled(second.run, tmp_path)
    assert (facts["to"], facts["from"], facts["before"]) == (2, 1, 1)
    assert (facts["forward"]["by"], facts["back"]["by"]) == (2, 1)
    assert (facts["switched"], facts["came_back"], facts["untouched"]) == (True, True, True)
    assert (standing(), AliasMove.objects.count()) == (before, moves)
    packages = [second.version.package_id, first.version.package_id]  # one batch of each
    assert asked == [
        (package, facts[way]["asked"])
        for package, way in zip(packages, ("forward", "back"), strict=True)
    ]


def test_the_ledger_keeps_the_drill_and_none_of_its_moves(tmp_path: Path) -> None:
    made = release()
    events = Event.objects.filter(stream__kind="model")
    before = events.count()
    drilled(made.run, tmp_path)
    (event,) = events.order_by("pk")[before:]
    assert (event.type, event.data["version"], event.data["back_to"]) == ("model.drill", 1, None)
    assert event.data["untouched"] is True


def test_the_model_s_lock_lets_its_predictions_be_logged() -> None:
    """Rows that refer to the model ask for FOR KEY SHARE, which FOR UPDATE would hold up."""
    made = release()
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        moves.lock_model(ModelVersion.objects.get(run=made.run).model_id)
    assert "FOR NO KEY UPDATE" in asked.captured_queries[-1]["sql"]


def test_a_version_that_is_not_approved_is_not_drilled(tmp_path: Path) -> None:
    made = release(approve=False)
    with pytest.raises(OperationError, match="only what may be deployed can be rolled back"):
        drilled(made.run, tmp_path)


def test_what_is_put_back_must_answer_as_it_was_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that has gone bad on the disk is found by the drill, not by the night of need."""
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    scored, own = Loaded.score, first.version.package_id

    def off(self: Any, rows: Any) -> list[float]:
        return [one + (0.1 if self.digest == own else 0.0) for one in scored(self, rows)]

    assert drilled(second.run, tmp_path)["came_back"] is True
    monkeypatch.setattr("pipelines.operations.packages.loaded.golden_difference", lambda *_: 0.0)
    monkeypatch.setattr("pipelines.operations.packages.loaded.Loaded.score", off)
    facts = drilled(second.run, tmp_path)
    assert (facts["switched"], facts["came_back"]) == (True, False)
    result = rollback_drilled({"deploy.drill": facts}, {})
    assert result.verdict == "fail"
    assert "0 of" in result.summary
    assert "version 1" in result.summary


def test_delivered_files_go_back_to_the_table_before(tmp_path: Path) -> None:
    given, _ = segments(tmp_path)
    first = _delivered(None, given["package"])
    facts = drilled(first.run, tmp_path)
    assert (facts["path"], facts["to"], facts["from"]) == ("delivered files", 1, None)
    other = tmp_path / "other"
    other.mkdir()
    second = _delivered(first, _other_package(other))
    facts = drilled(second.run, tmp_path)
    assert (facts["to"], facts["from"]) == (2, 1)
    assert facts["forward"]["right"] == facts["forward"]["asked"] == 300
    assert (facts["switched"], facts["came_back"]) == (True, True)
    assert not AliasMove.objects.exists()


def _other_package(folder: Path) -> Path:
    """Another package: the same table, under another licence."""
    given, _ = segments(folder)
    _, entries = read_segments_package(given["package"])
    path = folder / "again.zip"
    write_zip(path, entries, {"kind": "segments", "licence": "MIT"})
    return path


def _delivered(before: Release | None, package: Path) -> Release:
    case = before.case if before else use_case()
    run = run_of(case)
    step_with(run, "operationalise.pack", {"package": package}, {}, position=6)
    cause("register_version", run)
    cause("approve_version", run, gate=gate_of(run))
    version = ModelVersion.objects.get(run=run)
    return Release(case, run, version.model, version, None)  # type: ignore[arg-type]


def test_the_moment_is_the_database_s(tmp_path: Path) -> None:
    made = release()
    path = feeds.now(run=made.run, stage=stage_of(made.run), folder=tmp_path, params={})
    assert json.loads(path.read_text())["now"].endswith("+00:00")
    assert keep(path, media="json").size > 20
