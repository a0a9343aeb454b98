"""Reperformance: a run computed again in a real child, from its records, and compared."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from pipelines.artefacts.actions import keep
from pipelines.artefacts.models import Artefact
from pipelines.reperform import perform, records
from pipelines.reperform.perform import reperform
from pipelines.reperform.records import Recorded, recorded
from pipelines.runs.models import Run
from tests import factories
from tests.api import world
from tests.cast import Cast
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _light_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child of these tests imports nothing ahead of time."""
    monkeypatch.setenv("BATON_WARM_IMPORTS", "")


@pytest.fixture
def run(cast: Cast) -> Run:
    """A hello run whose gate was approved."""
    made = factories.hello_run(cast)
    engine.decide(cast.sofia, factories.to_gate(cast, made))
    factories.work_off()
    return Run.objects.select_related("use_case", "version__blueprint").get(pk=made.pk)


def changed(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let the first step's record say something else."""

    def instead(run: Run) -> Iterator[Recorded]:
        first, *_ = recorded(run)
        yield replace(first, **changes)

    monkeypatch.setattr(perform, "recorded", instead)


def stored(text: str, folder: Path) -> dict[str, dict[str, Any]]:
    """An output of that content, as a step's record names it."""
    path = folder / "kept.json"
    path.write_text(text)
    kept = keep(path, media="json")
    return {"result": {"digest": kept.digest, "media": "json", "size": kept.size}}


def test_an_approved_run_is_bit_equal(run: Run, tmp_path: Path) -> None:
    told: list[str] = []
    before = world.rows()
    report = reperform(run, tmp_path, tell=lambda step: told.append(step.place))
    assert world.rows() == before
    assert told == [step.place for step in report.steps]
    assert len(told) >= 2
    assert {one.verdict for one in report.artefacts} == {"equal"}
    assert report.holds


def test_what_came_out_otherwise_is_different_and_says_where(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = stored('{"message": "something else", "rows": 0}', tmp_path)
    changed(monkeypatch, outputs=outputs)
    report = reperform(run, tmp_path)
    result = next(one for one in report.artefacts if one.name == "result")
    assert (result.verdict, report.holds) == ("different", False)
    assert result.where[0].startswith("message: 'something else' became ")
    assert result.kept == outputs["result"]["digest"] != result.again


def test_the_same_values_in_other_bytes_are_within(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next(iter(recorded(run)))
    with perform.storage().open(first.outputs["result"]["digest"]) as stream:
        values = json.load(stream)
    changed(monkeypatch, outputs=stored(json.dumps(values, indent=7), tmp_path))
    report = reperform(run, tmp_path)
    assert {one.name: one.verdict for one in report.artefacts} == {
        "result": "within", "facts": "equal",
    }  # fmt: skip
    assert report.holds


def test_other_parameters_show(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, params={"message": "not what it was asked"})
    report = reperform(run, tmp_path)
    assert report.counts["different"] >= 1
    assert not report.holds


def test_a_step_that_fails_now_is_a_failure(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(monkeypatch, params={"fail": "error"})
    (one,) = reperform(run, tmp_path).artefacts
    assert one.verdict == "failed"
    assert one.reason


def test_what_it_read_may_be_gone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [{"name": "x", "digest": "0" * 64, "media": "json"}]
    changed(monkeypatch, ports={"given": gone})
    (one,) = reperform(run, tmp_path).artefacts
    assert one.verdict == "not_repeated"
    assert "is not to be had" in one.reason
    assert not reperform(run, tmp_path).holds


def test_another_version_of_the_code_is_not_asked(cast: Cast, run: Run) -> None:
    first = engine.attempt_of(run, next(iter(recorded(run))).place.split(".")[1])
    first.operation_version = 99
    assert records._reason(first) == "it was computed by version 99; this code has 1"
    first.operation = "no_such"
    assert "no operation 'no_such'" in records._reason(first)


def test_what_a_feed_gathered_is_read_again(cast: Cast, run: Run) -> None:
    attempt = engine.attempt_of(run, next(iter(recorded(run))).place.split(".")[1])
    attempt.operation = "measure_drift"
    digest = Artefact.objects.values_list("pk", flat=True).first()
    attempt.inputs = {
        "ports": {},
        "feeds": {"window": "live_window", "reference": "reference"},
        "made": {"live_window": {"digest": digest, "size": 1}},
    }
    assert records._ports(attempt) == {
        "window": [{"name": "live_window", "digest": digest, "media": "parquet"}]
    }


def test_the_command_ends_with_what_it_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("reperform", str(run.pk), "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["holds"] is True
    assert found["counts"]["equal"] == len([a for s in found["steps"] for a in s["artefacts"]])
    call_command("reperform", str(run.pk), "--only", found["steps"][0]["place"])
    assert "It holds: 2 bit-equal." in capsys.readouterr().out
    changed(monkeypatch, params={"message": "other"})
    with pytest.raises(SystemExit) as ended:
        call_command("reperform", str(run.pk))
    assert ended.value.code == 1
    assert "It does NOT hold" in capsys.readouterr().out


def test_what_nobody_approved_is_not_repeated(cast: Cast) -> None:
    made = factories.hello_run(cast)
    factories.to_gate(cast, made)
    with pytest.raises(CommandError, match="nobody has approved") as refused:
        call_command("reperform", str(made.pk))
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="There is no run 0"):
        call_command("reperform", "0")


def test_a_step_there_is_not(run: Run) -> None:
    with pytest.raises(CommandError, match="none has that name"):
        call_command("reperform", str(run.pk), "--only", "no.step")
