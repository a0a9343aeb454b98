"""Deadlines in business calendars: stages, gates, hand-offs, items; pauses; who may change them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from personas.actions import change_calendar
from personas.calendars import OFFICE, WEEKDAYS
from personas.errors import Invalid, NotAllowed
from personas.ledger import ENGINE
from personas.models import BusinessCalendar, Clock, Event
from pipelines.runs.actions import gates, handoffs, runs
from pipelines.runs.models import Run
from tests.cast import Cast, acting
from tests.domain import engine as f

FRIDAY = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
NIGHT = {day: ["22:00-24:00"] for day in WEEKDAYS}


def set_clock(moment: datetime) -> None:
    """Let the database's clock stand: a test is one transaction, whose now() stays."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()
    clock, _ = Clock.objects.get_or_create(
        id=1, defaults={"offset": timedelta(0), "simulation": True}
    )
    clock.offset, clock.simulation = moment - now, True
    clock.save()


def due_on(found: datetime | None, text: str) -> bool:
    """Whether a deadline is this one (UTC)."""
    return found == datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(autouse=True)
def _office(cast: Cast) -> None:
    """A Friday at 15:00; offices work from nine to five, UTC, and DevOps at night."""
    BusinessCalendar.objects.update(hours=OFFICE, zone="UTC", holidays=[])
    BusinessCalendar.objects.filter(persona="OPS").update(hours=NIGHT)
    set_clock(FRIDAY)


def test_a_stage_and_its_items_are_due_in_their_personas_time(cast: Cast) -> None:
    night = f.form("watch", persona="OPS")
    run = f.run(cast, f.stage("one", "DE", target="P1D", items=[f.form("note"), night]))
    assert due_on(f.stage_of(run, "one").due_at, "2026-11-30 15:00")
    assert due_on(f.item_of(run, "note").due_at, "2026-11-30 15:00")
    # Two hours a night, from this night on: one working day of two hours is over at midnight.
    assert due_on(f.item_of(run, "watch").due_at, "2026-11-28 00:00")


def test_without_a_target_nothing_is_due(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE", items=[f.form("note")], gate=f.gate("DS")))
    f.fill(cast.dmitri, f.item_of(run, "note"))
    assert f.stage_of(run, "one").due_at is None
    assert (f.gate_of(run).due_at, f.gate_of(run).expires_at) == (None, None)
    assert not run.reminders.exists()


def test_a_gate_gives_the_slowest_of_its_personas_their_time(cast: Cast) -> None:
    BusinessCalendar.objects.filter(persona="BA").update(holidays=[date(2026, 11, 30)])
    asks = f.gate("DS", "BA", due="P1D", expires="P2D")
    run = f.run(cast, f.stage("one", "DE", gate=asks))
    f.perform()
    assert due_on(f.gate_of(run).due_at, "2026-12-01 15:00")
    assert due_on(f.gate_of(run).expires_at, "2026-12-02 15:00")


def test_an_escalation_moves_the_expiry_in_working_time_and_approves_nothing(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS", expires="P1D")))
    f.perform()
    for day, expected in (("11-30", "12-01"), ("12-01", "12-02"), ("12-02", "")):
        set_clock(datetime.fromisoformat(f"2026-{day} 15:05").replace(tzinfo=UTC))
        gates.expire(gate_id=f.gate_of(run).pk)
        if expected:
            assert f.gate_of(run).state == "OPEN"
            assert due_on(f.gate_of(run).expires_at, f"2026-{expected} 15:05")
    assert f.gate_of(run).state == "EXPIRED"
    assert f.stage_of(run, "one").state == "IN_REVIEW"


def test_a_hand_off_waits_for_the_receivers_working_day(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("one", "DE", hand_off={"due": "P1D"}),
        f.stage("two", "DS", needs=["one"]),
    )
    f.perform()
    passing = f.hand_off_of(run)
    assert due_on(passing.due_at, "2026-11-30 15:00")
    set_clock(FRIDAY + timedelta(days=2))  # more than a day later, but a Sunday
    handoffs.escalate(hand_off_id=passing.pk)
    assert f.hand_off_of(run).state == "OFFERED"
    set_clock(FRIDAY + timedelta(days=3, minutes=5))
    handoffs.escalate(hand_off_id=passing.pk)
    assert f.hand_off_of(run).state == "ESCALATED"


def test_a_next_round_has_its_own_deadline(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE", target="P1D", gate=f.gate("DS")))
    f.perform()
    set_clock(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    assert due_on(f.stage_of(run, "one").due_at, "2026-12-03 10:00")


# --- Pauses ------------------------------------------------------------------------------------


def paused(cast: Cast, *, since: datetime, until: datetime) -> Run:
    """A run with a gate of two working days from Friday 15:00, paused in between."""
    asks = f.gate("DS", due="P2D", expires="P5D")
    run = f.run(cast, f.stage("one", "DE", target="P2D", gate=asks))
    f.perform()
    set_clock(since)
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    set_clock(until)
    runs.resume(actor=acting(cast.priya), run=run)
    return run


def test_after_a_pause_the_working_time_that_was_left_is_left(cast: Cast) -> None:
    monday = datetime(2026, 11, 30, 11, 0, tzinfo=UTC)
    run = paused(cast, since=monday, until=monday + timedelta(days=2))
    # On Monday at 11:00 a day and four hours were left of what ended on Tuesday at 15:00.
    assert due_on(f.gate_of(run).due_at, "2026-12-03 15:00")
    assert due_on(f.gate_of(run).expires_at, "2026-12-08 15:00")
    marks = dict(run.reminders.filter(noun="gate").values_list("percent", "at"))
    assert due_on(marks[100], "2026-12-03 15:00")
    assert due_on(marks[50], "2026-12-02 15:00")  # Monday 15:00 before: four hours were left


def test_a_pause_outside_of_working_hours_moves_nothing(cast: Cast) -> None:
    saturday = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
    run = paused(cast, since=saturday, until=saturday + timedelta(days=1))
    assert due_on(f.gate_of(run).due_at, "2026-12-01 15:00")


def test_what_was_overdue_before_a_pause_stays_overdue_for_as_long(cast: Cast) -> None:
    wednesday = datetime(2026, 12, 2, 15, 0, tzinfo=UTC)
    run = paused(cast, since=wednesday, until=wednesday + timedelta(days=3))
    assert due_on(f.gate_of(run).due_at, "2026-12-04 15:00")


def test_a_waiting_steps_patience_is_not_used_up_by_a_pause(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE"))
    held = f.claim()
    step = f.step_of(run, "work")
    step.waiting_since = FRIDAY
    step.save()
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    set_clock(FRIDAY + timedelta(days=4))
    runs.resume(actor=acting(cast.priya), run=run)
    step.refresh_from_db()
    assert due_on(step.waiting_since, "2026-12-01 15:00")
    assert held.run_id == run.pk


# --- The calendars -----------------------------------------------------------------------------


def calendar(code: str = "DS") -> BusinessCalendar:
    return BusinessCalendar.objects.get(persona=code)


def test_devops_change_a_calendar_and_new_deadlines_follow_it(cast: Cast) -> None:
    early = f.run(cast, f.stage("one", "DS", target="P1D"))
    change_calendar(
        actor=acting(cast.priya),
        calendar=calendar(),
        zone="Europe/Berlin",
        hours={"tue": ["10:00-12:00"], "mon": []},
        holidays=[date(2026, 12, 1), date(2026, 12, 1)],
    )
    changed = calendar()
    assert (changed.zone, changed.hours) == ("Europe/Berlin", {"tue": ["10:00-12:00"]})
    assert changed.holidays == [date(2026, 12, 1)]
    late = f.run(cast, f.stage("one", "DS", target="P1D"))
    assert due_on(f.stage_of(early, "one").due_at, "2026-11-30 15:00")
    assert due_on(f.stage_of(late, "one").due_at, "2026-12-08 11:00")  # noon in Berlin
    event = Event.objects.get(type="calendar.changed")
    assert (event.actor, event.data["zone"]) == (cast.priya, "Europe/Berlin")


def test_only_who_manages_operations_changes_calendars(cast: Cast) -> None:
    for actor in (acting(cast.sofia), ENGINE):
        with pytest.raises(NotAllowed):
            change_calendar(actor=actor, calendar=calendar(), zone="UTC", hours=OFFICE)
    with pytest.raises(Invalid) as error:
        change_calendar(
            actor=acting(cast.priya),
            calendar=calendar(),
            zone="Mars",
            hours={"mon": ["17-9"]},
            holidays=[date(2026, 1, 1) + timedelta(days=day) for day in range(1001)],
        )
    assert set(error.value.fields) == {"zone", "hours", "holidays"}
    assert calendar().zone == "UTC"


# --- When a run last moved ---------------------------------------------------------------------


def moved(run: Run) -> datetime:
    run.refresh_from_db()
    return run.moved_at


def last_event(run: Run) -> datetime:
    return f.events_of(run)[-1].at


def test_every_event_of_a_run_moves_it(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("one", "DE", items=[f.form("note")], steps=[f.step("work")], gate=f.gate("DS")),
    )
    acts = (
        f.perform,
        lambda: f.fill(cast.dmitri, f.item_of(run, "note")),
        lambda: runs.pause(actor=acting(cast.priya), run=run, reason="wait"),
        lambda: runs.resume(actor=acting(cast.priya), run=run),
        lambda: f.decide(cast.sofia, f.gate_of(run), "abstain"),
        lambda: f.decide(cast.sofia, f.gate_of(run), "approve"),
    )
    for number, act in enumerate(acts, start=1):
        set_clock(FRIDAY + timedelta(minutes=number))
        act()
        assert moved(run) == last_event(run), number
        assert moved(run) - FRIDAY >= timedelta(minutes=number)
    assert run.state == "SUCCEEDED"


def test_a_late_result_does_not_move_what_has_ended(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE"))
    held = f.claim()
    runs.cancel(actor=acting(cast.amara), run=run, reason="moot")
    run.refresh_from_db()
    assert run.state == "CANCELLING"
    f.settle(held)
    ended = moved(run)
    assert run.state == "CANCELLED"
    set_clock(FRIDAY + timedelta(hours=1))
    with pytest.raises(Exception, match="no longer yours"):
        f.settle(held)
    assert moved(run) == ended
    assert f.events(run)[-1] == "attempt.late_result_discarded"


def test_going_on_after_a_pause_takes_the_same_queries_however_much_is_open(cast: Cast) -> None:
    def taken(count: int) -> int:
        items = [f.form(f"form{number}") for number in range(count)]
        run = f.run(cast, f.stage("one", "DE", items=items, target="P3D"))
        f.perform()
        assert (
            run.items.filter(state="OPEN").count() + run.items.filter(state="ASSIGNED").count()
            == count
        )
        runs.pause(actor=acting(cast.priya), run=run, reason="wait")
        with CaptureQueriesContext(connection) as seen:
            runs.resume(actor=acting(cast.priya), run=run)
        return len(seen)

    taken(1)  # what is read once a process
    assert taken(1) == taken(6)
