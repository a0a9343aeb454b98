"""A small simulation on the real engine: its ground truth against rows and ledger."""

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from personas.models import Event
from pipelines.runs.models import Attempt, Decision, Finding, HandOff, Run, Stage, WorkItem
from pipelines.simulation.truth import RunTruth, TaskTruth, read
from pipelines.simulation.world import World
from pipelines.usecases.models import Delegation
from tests.domain.flow_truth import flow_is_what_was_drawn
from tests.domain.simulated import play

STATES = {
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "broken": "FAILED",
    "timed_out": "TIMED_OUT",
    "lost": "LOST",
    "cancelled": "CANCELLED",
    "fenced": "CANCELLED",
}


def tasks(run: RunTruth, noun: str, *outcomes: str) -> list[TaskTruth]:
    return [task for task in run.tasks if task.noun == noun and task.outcome in outcomes]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_rows_the_ledger_and_the_invariants_agree_with_the_ground_truth(
    tmp_path: Path,
) -> None:
    # Committed, as in earnest: in one transaction the clock's row would grow and grow.
    world = play(seed=7)
    ground_truth_is_what_the_rows_say(world)
    people_work_only_when_they_are_there(world)
    flow_is_what_was_drawn(world)
    verify_is_silent()
    what_is_saved_can_be_read(world, tmp_path)


def ground_truth_is_what_the_rows_say(world: World) -> None:
    assert world.truth.runs
    for run in world.truth.runs:
        assert_run(run)
        assert_stages(run)
        assert_hand_offs(run)
        assert_decisions(run)
        assert_items(run)
        assert_attempts(run)
        assert_findings(run)
    seen = {(task.noun, task.outcome) for run in world.truth.runs for task in run.tasks}
    # The comparison says something only where there was something to compare.
    assert {
        *(("hand_off", end) for end in ("accepted", "returned")),
        *(("decision", end) for end in ("approve", "request_changes")),
        *(("item", "done"), ("attention", "done"), ("offer", "done")),
    } <= seen
    assert {"succeeded", "failed", "lost"} <= {
        one.outcome for run in world.truth.runs for one in run.attempts
    }
    away = [(one.since, one.until) for one in world.truth.absences if one.since > world.begins]
    assert sorted(Delegation.objects.values_list("since", "until")) == sorted(away)


def assert_run(run: RunTruth) -> None:
    row = Run.objects.get(pk=run.row)
    assert (row.state, row.started_at) == (run.state, run.begun)
    if run.done is not None and run.state != "CANCELLED":
        assert row.finished_at == run.done
    events = Event.objects.filter(stream__kind="run", stream__key=str(run.row))
    paused = events.filter(type="run.pause").values_list("at", flat=True)
    assert list(paused.order_by("seq")) == [since for since, _ in run.pauses]


def assert_stages(run: RunTruth) -> None:
    begun = Stage.objects.filter(run=run.row, activated_at__isnull=False)
    rounds: dict[str, int] = {}
    for key in begun.values_list("key", flat=True):
        rounds[key] = rounds.get(key, 0) + 1
    assert rounds == run.rounds
    events = Event.objects.filter(
        stream__kind="run", stream__key=str(run.row), type="stage.returned"
    )
    told = [(one.at, one.data["stage"], one.data["code"]) for one in events.order_by("seq")]
    assert told == [(one.at, one.target, one.code) for one in run.returns]


def assert_hand_offs(run: RunTruth) -> None:
    known = {task.row: task for task in tasks(run, "hand_off", "accepted", "returned", "withdrawn")}
    rows = HandOff.objects.filter(run=run.row, offered_at__isnull=False, answered_at__isnull=False)
    for row in rows.select_related("answered_by", "answered_for"):
        if row.pk not in known:  # withdrawn with its stage or run, by nobody's answer
            assert row.state == "WITHDRAWN"
            continue
        task = known.pop(row.pk)
        assert row.state.lower() == task.outcome
        assert (row.offered_at, row.answered_at) == (task.since, task.done)
        assert row.answered_at - row.offered_at == task.done - task.since
        if task.outcome != "withdrawn":
            assert row.answered_by.username == task.by
            assert row.return_code == task.code
        if task.outcome == "accepted" and task.on_behalf_of:
            assert row.answered_for.username == task.on_behalf_of
    assert not known


def assert_decisions(run: RunTruth) -> None:
    given = {"approve", "approve_with_conditions", "request_changes", "reject", "abstain"}
    drawn = sorted(
        (task.row, task.done, task.by, task.on_behalf_of, task.outcome, task.code, task.target)
        for task in tasks(run, "decision", *given)
    )
    rows = Decision.objects.filter(gate__run=run.row, carried_from=None)
    told = sorted(
        (
            row.gate_id,
            row.at,
            row.user.username,
            row.on_behalf_of.username if row.on_behalf_of else "",
            row.verdict,
            row.reason_code,
            row.target,
        )
        for row in rows.select_related("user", "on_behalf_of")
    )
    assert told == drawn


def assert_items(run: RunTruth) -> None:
    done = {task.row: task for noun in ("item", "help") for task in tasks(run, noun, "done")}
    rows = WorkItem.objects.filter(run=run.row, state="COMPLETED").select_related("completed_by")
    assert {row.pk for row in rows} == set(done)
    for row in rows:
        task = done[row.pk]
        assert (row.opened_at, row.closed_at) == (task.since, task.done)
        assert row.completed_by is not None
        assert row.completed_by.username == task.by


def assert_attempts(run: RunTruth) -> None:
    rows = Attempt.objects.filter(run=run.row, cached_from=None).exclude(state="CANCELLED", token=0)
    told = {row.pk: (str(row.state), row.started_at) for row in rows}
    drawn = {one.row: (STATES[one.outcome], one.begun) for one in run.attempts}
    assert told == drawn
    for row in rows.filter(state="SUCCEEDED"):
        task = next(one for one in run.attempts if one.row == row.pk)
        assert row.finished_at == task.done


def assert_findings(run: RunTruth) -> None:
    known = {task.row: task for task in run.tasks if task.noun == "finding"}
    for row in Finding.objects.filter(run=run.row):
        task = known.pop(row.pk)
        assert row.opened_at == task.since
        assert (row.state == "RESOLVED") == (task.outcome == "done")
        if row.state == "RESOLVED":
            assert row.closed_at == task.done
    assert not known


def people_work_only_when_they_are_there(world: World) -> None:
    paused = {run.row for run in world.truth.runs if run.pauses}
    checked = 0
    for run in world.truth.runs:
        for task in tasks(run, "decision", "approve", "request_changes"):
            person = world.people[task.by]
            assert task.begun is not None
            assert task.done is not None
            assert person.calendar.is_open(task.begun)
            assert task.since <= task.begun
            if run.row not in paused:
                checked += 1
                assert person.calendar.between(task.begun, task.done) == task.touch
    assert checked


def verify_is_silent() -> None:
    told = StringIO()
    call_command("verify", full=True, stdout=told)
    assert "broken" not in told.getvalue()


def what_is_saved_can_be_read(world: World, tmp_path: Path) -> None:
    world.truth.save(tmp_path / "deep" / "truth.json")
    found = read(tmp_path / "deep" / "truth.json")
    assert len(found["runs"]) == len(world.truth.runs)
    task = found["runs"][0]["tasks"][0]
    assert datetime.fromisoformat(task["since"]) == world.truth.runs[0].tasks[0].since
    assert timedelta(seconds=task["touch"]) == world.truth.runs[0].tasks[0].touch
