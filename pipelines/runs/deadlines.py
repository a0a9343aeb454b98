"""Deadlines in the business calendars of those who are to act, and the reminders before them.

Only what people are asked for is counted so; leases, retries and all figures of flow stay in
calendar time. No deadline ever approves anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import F, QuerySet

from personas import statements
from personas.calendars import Calendar
from personas.commands import Command
from personas.queries import calendars_of
from pipelines.lifecycles import FINDING, GATE, HAND_OFF, STAGE, STEP, WORK_ITEM
from pipelines.runs.models import Finding, Gate, HandOff, Reminder, Run, Stage, Step, WorkItem

THRESHOLDS: Final = (50, 80, 100)  # per cent of the working time (own convention)
HELP_DAYS: Final = 2  # working days an answer to a request for help may take, where none is named
NOUNS: Final = {Stage: "stage", Gate: "gate", HandOff: "hand_off", WorkItem: "item"}

REMIND: Final = """
INSERT INTO runs_reminder (run_id, noun, subject_id, personas, percent, at)
SELECT %s::bigint, %s, %s::bigint, %s::text[], mark.percent, mark.at
  FROM unnest(%s::int[], %s::timestamptz[]) mark(percent, at) ON CONFLICT DO NOTHING"""

Subject = Stage | Gate | HandOff | WorkItem


@dataclass(frozen=True)
class Deadline:
    """When something is due, and when which share (%) of its working time is over."""

    due: datetime
    marks: tuple[tuple[int, datetime], ...]
    personas: tuple[str, ...]


def _calendars(command: Command, personas: Iterable[str]) -> list[Calendar]:
    """Return calendars by persona; each is read at most once in a command."""
    known = command.notes.setdefault("calendars", {})
    if not isinstance(known, dict):
        raise TypeError("the command's note of calendars is not a mapping")
    missing = [code for code in personas if code not in known]
    if missing:
        known.update(calendars_of(missing))
    return [known[code] for code in personas]


def _latest(
    command: Command, personas: Sequence[str], count: Callable[[Calendar], datetime]
) -> datetime:
    """Return the latest of what the calendars say: nobody's working time is cut short."""
    return max(count(calendar) for calendar in _calendars(command, personas))


def deadline(
    command: Command,
    personas: Iterable[str],
    length: timedelta | None,
    *,
    start: datetime | None = None,
) -> Deadline | None:
    """Return the deadline of a length that begins at `start` (now); None without a length."""
    codes = tuple(dict.fromkeys(personas))
    if length is None or not codes:
        return None
    begin = start or command.now

    def mark(percent: int) -> datetime:
        return _latest(
            command, codes, lambda one: one.add(begin, one.working(length) * percent / 100)
        )

    marks = tuple((percent, mark(percent)) for percent in THRESHOLDS)
    return Deadline(marks[-1][1], marks, codes)


def after(command: Command, personas: Iterable[str], length: timedelta | None) -> datetime | None:
    """Return when a length from now on is over; None without one."""
    found = deadline(command, personas, length)
    return found.due if found else None


def deciders(gate: Gate) -> list[str]:
    """Return the personas whose time a gate's deadlines are counted in."""
    return [rule["persona"] for rule in gate.policy["rules"]] or [gate.stage.persona_id]


def remind(row: Subject, found: Deadline | None) -> None:
    """Arrange the reminders of a deadline; one statement. A second time changes nothing."""
    if found is None:
        return
    percents, times = zip(*found.marks, strict=True)
    with connection.cursor() as cursor:
        statements.run(
            cursor,
            REMIND,
            [
                row.run_id,
                NOUNS[type(row)],
                row.pk,
                list(found.personas),
                list(percents),
                list(times),
            ],
        )


# --- A pause --------------------------------------------------------------------------------------


def resume(command: Command, run: Run, *, since: datetime) -> None:
    """Let every open deadline go on after a pause with the working time it had left then.

    What was over before stays over for as long. Dates that a person chose (a follow-up, the end of
    a waiver) stay; the patience of waiting steps moves by the length of the pause.
    """

    def moved(personas: Sequence[str], at: datetime | None) -> datetime | None:
        if at is None:
            return None
        if at <= since:
            return at + (command.now - since)
        return _latest(command, personas, lambda one: one.add(command.now, one.between(since, at)))

    for rows, names in _open_rows(run):
        found = list(rows)
        for row in found:
            for name in names:
                setattr(row, name, moved(_personas(row), getattr(row, name)))
        rows.model._default_manager.bulk_update(found, names)
    open_reminders = Reminder.objects.filter(run=run, told_at=None, dropped_at=None)
    for reminder in open_reminders:
        reminder.at = moved(reminder.personas, reminder.at) or reminder.at
    Reminder.objects.bulk_update(open_reminders, ["at"])
    Step.objects.filter(run=run, state__in=STEP.open, waiting_since__isnull=False).update(
        waiting_since=F("waiting_since") + (command.now - since)
    )


def _open_rows(run: Run) -> list[tuple[QuerySet[Any], tuple[str, ...]]]:
    """Return the run's open rows of each kind, and the names of their clocks."""
    due = ("due_at",)
    gates = (*due, "expires_at", "blind_until", "tally_at")
    return [
        (Stage.objects.filter(run=run, state__in=STAGE.open), due),
        (Gate.objects.filter(run=run, state__in=GATE.open).select_related("stage"), gates),
        (HandOff.objects.filter(run=run, state__in=HAND_OFF.open).select_related("target"), due),
        (WorkItem.objects.filter(run=run, state__in=WORK_ITEM.open), due),
        (Finding.objects.filter(run=run, state__in=FINDING.open), due),
    ]


def _personas(row: Subject | Finding) -> list[str]:
    if isinstance(row, Gate):
        return deciders(row)
    return [row.target.persona_id if isinstance(row, HandOff) else row.persona_id]
