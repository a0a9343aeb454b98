"""Feeds: windows of the log as the measuring operations read them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from personas.ledger import Actor
from pipelines.operations import windows
from pipelines.operations.tables import read_table
from pipelines.registry.models import Deployment
from pipelines.runs.models import Run
from pipelines.serving import feeds
from pipelines.serving.actions import take_labels
from pipelines.serving.models import Prediction
from tests.release import Release, cause, gate_of, person, release, run_of, stage_of

pytestmark = pytest.mark.django_db

ROW = {
    "wind": 20.5, "seats": None, "place": "AMS", "vehicle": "N001", "holiday": True,
    "booked": "2024-01-02T00:00:00",
}  # fmt: skip
START = datetime(2013, 11, 1, tzinfo=UTC)


def logged(deployment: Deployment | None, made: Release, count: int, *, key: str = "k") -> None:
    Prediction.objects.bulk_create(
        [
            Prediction(
                model=made.model,
                version=deployment.version if deployment else None,
                deployment=deployment,
                mode=deployment.mode if deployment else "fallback",
                served_by="model" if deployment else "fallback",
                key=f"{key}{index}",
                event_time=START + timedelta(hours=index),
                inputs={**ROW, "wind": float(index)},
                score=0.25 if deployment else None,
                label=0 if deployment else None,
                request=uuid4(),
            )
            for index in range(count)
        ]
    )


def fed(name: str, run: Run, folder: Path) -> Any:
    path = getattr(feeds, name)(run=run, stage=stage_of(run), folder=folder, params={})
    return None if path is None else read_table(path) if path.suffix == ".parquet" else path


def test_a_canary_window_has_both_sides(tmp_path: Path) -> None:
    made = release()
    cause("deploy_canary", made.run)
    canary = Deployment.objects.get(mode="canary")
    logged(canary, made, 30)
    logged(None, made, 70, key="f")
    frame = fed("canary_window", made.run, tmp_path)
    assert dict(frame[windows.SERVED_BY].value_counts()) == {"fallback": 70, "model": 30}
    mine = frame[frame[windows.SERVED_BY] == "model"]
    assert mine["wind"].tolist() == [float(index) for index in range(30)]
    assert mine[windows.LABEL].unique().tolist() == ["0"]
    assert mine[windows.EVENT_TIME].iloc[0] == START
    assert str(frame["wind"].dtype) == "float64"
    assert str(frame["holiday"].dtype) == "bool"


def test_the_live_versions_answers_are_not_the_canarys(tmp_path: Path) -> None:
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    cause("deploy_canary", second.run)
    logged(Deployment.objects.get(mode="live"), first, 20)
    logged(Deployment.objects.get(mode="canary"), second, 5, key="c")
    frame = fed("canary_window", second.run, tmp_path)
    assert dict(frame[windows.SERVED_BY].value_counts()) == {"other": 20, "model": 5}


def test_a_window_without_a_deployment_is_empty(tmp_path: Path) -> None:
    made = release()
    path = feeds.shadow_window(run=made.run, stage=stage_of(made.run), folder=tmp_path, params={})
    assert path.stat().st_size > 0


def test_labels_join_by_key(tmp_path: Path) -> None:
    made = release()
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    logged(Deployment.objects.get(mode="live"), made, 4)
    actor = Actor.person(person("Dee", use_case=made.case, persona="DE"))
    take_labels(
        actor=actor, model=made.model,
        labels=[{"key": "k1", "value": 1, "observed_at": "2013-11-01T03:00:00Z"}],
    )  # fmt: skip
    frame = fed("labelled_window", made.run, tmp_path)
    assert frame[windows.ACTUAL].tolist()[1] == "1"
    assert frame[windows.ACTUAL].isna().tolist() == [True, False, True, True]
    assert frame[windows.OBSERVED_AT].iloc[1].hour == 3


def test_a_watch_reads_the_open_live_version_and_its_reference(tmp_path: Path) -> None:
    made = release()
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    logged(Deployment.objects.get(mode="live"), made, 6)
    watch = run_of(made.case, kind="watch")
    assert len(fed("live_window", watch, tmp_path)) == 6
    reference = feeds.reference(run=watch, stage=stage_of(watch), folder=tmp_path, params={})
    assert reference is not None
    assert len(read_table(reference)) == 400


def test_the_champion_is_what_is_live_of_another_run(tmp_path: Path) -> None:
    made = release()
    given = {"stage": stage_of(made.run), "folder": tmp_path, "params": {}}
    assert feeds.champion(run=made.run, **given) is None
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    assert feeds.champion(run=made.run, **given) is None
    after = run_of(made.case)
    found = feeds.champion(run=after, **given)
    assert found is not None
    assert found.read_bytes() == made.packaged.package.read_bytes()
