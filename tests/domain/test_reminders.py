"""Reminders at 50, 80 and 100 % of a deadline's working time: once each, never of what is moot."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from personas.models import Event, Outbox
from pipelines import catalogue
from pipelines.checks.contract import CheckResult, Facts, Params
from pipelines.runs import deadlines
from pipelines.runs.actions import handoffs, runs, timers
from pipelines.runs.models import Reminder, Run
from pipelines.runs.sweeper import Sweeper, drop_moot_reminders
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def sweep() -> None:
    Sweeper(poke=lambda queue, hint: True, stopping=threading.Event()).sweep()


def told(run: Run, noun: str = "") -> list[int]:
    """The shares that people were told of, in order."""
    found = [event for event in f.events_of(run) if event.type == "deadline.reminded"]
    return [event.data["percent"] for event in found if noun in ("", event.subject)]


@pytest.fixture
def run(cast: Cast) -> Run:
    """A stage with ten hours and a form (everybody works around the clock)."""
    return f.run(cast, f.stage("one", "DE", target="PT10H", items=[f.form("note")]))


def test_each_threshold_is_told_once(cast: Cast, run: Run, later: Later) -> None:
    sweep()
    assert told(run) == []
    for hours, expected in ((6, [50]), (1, [50]), (2, [50, 80]), (2, [50, 80, 100])):
        later(hours=hours)
        sweep()
        sweep()
        assert told(run, "stage") == expected
        assert told(run, "item") == expected
    rows = Reminder.objects.filter(run=run)
    assert rows.count() == 6
    assert not rows.filter(told_at=None).exists()


def test_what_was_missed_is_told_in_order(cast: Cast, run: Run, later: Later) -> None:
    later(days=3)
    sweep()
    assert told(run, "stage") == [50, 80, 100]


def test_a_reminder_names_what_is_due_and_goes_to_the_outbox(
    cast: Cast, run: Run, later: Later
) -> None:
    later(hours=6)
    sweep()
    event = Event.objects.get(type="deadline.reminded", subject="item")
    item = f.item_of(run, "note")
    assert (event.actor_kind, event.subject_id) == ("timer", item.pk)
    assert event.data == {
        "percent": 50,
        "personas": ["DE"],
        "due": item.due_at.isoformat(),
        "stage": "one",
        "key": "note",
        "title": "Note",
        "holder": "nobody",
    }
    assert Outbox.objects.filter(event=event, topic="deadline.reminded").count() == 1


def test_two_engines_tell_once(cast: Cast, run: Run, later: Later) -> None:
    """What a second replica has in hand after the first told it is judged again under the lock."""
    later(hours=6)
    first = Reminder.objects.filter(run=run, noun="stage", percent=50).get()
    assert timers.tell(reminder_id=first.pk).data == {"told": True}
    assert timers.tell(reminder_id=first.pk).data == {"told": False}
    assert told(run, "stage") == [50]


def test_a_threshold_has_one_row(cast: Cast, run: Run) -> None:
    stage = f.stage_of(run, "one")
    row = Reminder(run=run, noun="stage", subject_id=stage.pk, percent=50, at=run.created_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    found = deadlines.Deadline(run.created_at, ((50, run.created_at),), ("DE",))
    deadlines.remind(stage, found)
    assert run.reminders.filter(noun="stage", percent=50).count() == 1


def test_what_is_done_reminds_nobody(cast: Cast, run: Run, later: Later) -> None:
    f.fill(cast.dmitri, f.item_of(run, "note"))
    later(days=3)
    assert drop_moot_reminders() == 6
    sweep()
    assert told(run) == []
    assert not run.reminders.filter(dropped_at=None).exists()


def test_what_moves_on_between_the_sweep_and_the_telling_is_dropped(
    cast: Cast, later: Later
) -> None:
    two = [f.form("note"), f.form("other")]
    run = f.run(cast, f.stage("one", "DE", target="PT10H", items=two))
    later(hours=6)
    note = f.item_of(run, "note")
    due = run.reminders.get(noun="item", subject_id=note.pk, percent=50)
    f.fill(cast.dmitri, note)
    timers.tell(reminder_id=due.pk)
    due.refresh_from_db()
    assert (due.told_at, due.dropped_at is None) == (None, False)


def test_a_paused_run_is_left_alone(cast: Cast, run: Run, later: Later) -> None:
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    later(hours=20)
    sweep()
    assert told(run) == []
    runs.resume(actor=acting(cast.priya), run=run)
    sweep()
    assert told(run) == []
    later(hours=5, minutes=5)
    sweep()
    assert told(run, "stage") == [50]


def test_gates_and_hand_offs_remind_too(cast: Cast, later: Later) -> None:
    run = f.run(
        cast,
        f.stage("one", "DE", gate=f.gate("DS", due="PT10H"), hand_off={"due": "PT10H"}),
        f.stage("two", "MLR", needs=["one"]),
    )
    f.perform()
    later(hours=6)
    sweep()
    assert told(run, "gate") == [50]
    f.decide(cast.sofia, f.gate_of(run))
    later(hours=11)
    sweep()
    assert told(run, "gate") == [50]
    assert told(run, "hand_off") == [50, 80, 100]
    assert f.hand_off_of(run).state == "ESCALATED"
    handoffs.accept(actor=acting(cast.kenji), hand_off=f.hand_off_of(run))


def test_an_overdue_item_escalates_once_by_itself(cast: Cast, run: Run, later: Later) -> None:
    later(hours=11)
    sweep()
    sweep()
    item = f.item_of(run, "note")
    assert (item.escalations, item.state) == (1, "OPEN")
    assert f.events(run).count("work_item.escalate") == 1
    assert f.states(run) == {"one": "ACTIVE"}  # silence completes nothing


def passes(facts: Facts, params: Params) -> CheckResult:
    """A check that is always green."""
    return CheckResult("pass", "good")


def test_a_gate_that_closes_at_once_has_no_reminders(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue.CHECKS, "passes", f"{__name__}.passes")
    run = f.run(cast, f.stage("one", "DE", gate={"checks": [{"name": "passes"}], "due": "P1D"}))
    f.perform()
    assert f.gate_of(run).state == "APPROVED"
    assert not run.reminders.exists()


def test_thresholds_are_shares_of_the_working_time(cast: Cast, run: Run) -> None:
    stage = f.stage_of(run, "one")
    marks = dict(run.reminders.filter(noun="stage").values_list("percent", "at"))
    assert stage.activated_at is not None
    spent = {percent: at - stage.activated_at for percent, at in marks.items()}
    assert spent == {p: timedelta(hours=10) * p / 100 for p in (50, 80, 100)}
