"""The sweeper: what time decides. Runs in every engine process; every duty may run twice."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)
from django.db.models import Exists, OuterRef, Q

from personas import ledger
from personas.commands import Answer, Command, execute
from personas.errors import DomainError
from personas.ledger import Actor
from personas.models import BatonNow
from pipelines.lifecycles import RUN, WORK_ITEM, AttemptState, RunState, WorkItemState
from pipelines.runs.actions import attempts, blind, findings, gates, handoffs, steps, timers
from pipelines.runs.actions.locks import run_of
from pipelines.runs.actions.runs import CANCEL_GRACE, settle_cancelled
from pipelines.runs.advance import advance
from pipelines.runs.models import Attempt, Finding, Gate, HandOff, Reminder, Run, Step, WorkItem
from pipelines.runs.moves import move

logger = logging.getLogger(__name__)

BATCH = 200
SEAL_SECONDS = 60.0
STUCK_SECONDS = 60
STUCK_EVERY = 15.0
# An attempt is poked when it is queued; here again 10 s later, then every 60 s.
REPOKE = """
WITH clock AS (SELECT baton_now() AS at)
UPDATE runs_attempt SET poked_at = (SELECT at FROM clock)
 WHERE id IN (
    SELECT a.id FROM runs_attempt a JOIN runs_run r ON r.id = a.run_id AND r.state = 'RUNNING'
     WHERE a.state = 'QUEUED' AND greatest(a.due_at, a.created_at)
           < (SELECT at FROM clock) - make_interval(secs => %(first)s)
       AND (a.poked_at IS NULL
            OR a.poked_at < (SELECT at FROM clock) - make_interval(secs => %(again)s))
     ORDER BY a.priority DESC, a.due_at LIMIT 200 FOR UPDATE OF a SKIP LOCKED)
RETURNING queue, id
"""

# Due reminders of what ended or moved on, in one statement: most stages are done in time.
MOOT = """
WITH clock AS (SELECT baton_now() AS at)
UPDATE runs_reminder SET dropped_at = (SELECT at FROM clock)
 WHERE id IN (
    SELECT m.id FROM runs_reminder m JOIN runs_run r ON r.id = m.run_id
     WHERE m.told_at IS NULL AND m.dropped_at IS NULL AND m.at <= (SELECT at FROM clock)
       AND (r.state = ANY(%(ended)s) OR NOT CASE m.noun
            WHEN 'stage' THEN EXISTS (SELECT FROM runs_stage s
                 WHERE s.id = m.subject_id AND s.state = ANY(%(stage)s))
            WHEN 'gate' THEN EXISTS (SELECT FROM runs_gate g
                 WHERE g.id = m.subject_id AND g.state = ANY(%(gate)s))
            WHEN 'hand_off' THEN EXISTS (SELECT FROM runs_handoff h
                 WHERE h.id = m.subject_id AND h.state = ANY(%(hand_off)s))
            ELSE EXISTS (SELECT FROM runs_workitem w
                 WHERE w.id = m.subject_id AND w.state = ANY(%(item)s)) END)
     ORDER BY m.at LIMIT 1000 FOR UPDATE OF m SKIP LOCKED)
"""

# Found by what happened to the person, which is rare: deactivated, or a seat for it that ended.
LEFT = """
SELECT w.id FROM runs_workitem w
  JOIN runs_run r ON r.id = w.run_id AND r.state = ANY(%(going)s)
  JOIN personas_user u ON u.id = w.holder_id
 WHERE w.state = ANY(%(open)s) AND (NOT u.is_active
       OR EXISTS (SELECT FROM usecases_seat s
           WHERE s.user_id = u.id AND s.use_case_id = r.use_case_id
             AND s.until IS NOT NULL AND s.persona_id = ANY(w.candidates))
      AND NOT EXISTS (SELECT FROM usecases_seat s
           WHERE s.user_id = u.id AND s.use_case_id = r.use_case_id
             AND s.until IS NULL AND s.persona_id = ANY(w.candidates)))
 ORDER BY w.id LIMIT %(most)s
"""

LEFT_STAGES = """
SELECT s.id FROM runs_stage s
  JOIN runs_run r ON r.id = s.run_id AND r.state = ANY(%(going)s)
  JOIN personas_user u ON u.id = s.owner_id
 WHERE s.state = 'ACTIVE' AND s.current AND (NOT u.is_active
       OR EXISTS (SELECT FROM usecases_seat e
           WHERE e.user_id = u.id AND e.use_case_id = r.use_case_id
             AND e.until IS NOT NULL AND e.persona_id = s.persona_id)
      AND NOT EXISTS (SELECT FROM usecases_seat e
           WHERE e.user_id = u.id AND e.use_case_id = r.use_case_id
             AND e.until IS NULL AND e.persona_id = s.persona_id))
 ORDER BY s.id LIMIT %(most)s
"""

# Of a gate that asks for a share of certain people, somebody among them was deactivated or has no
# seat any more; no more once its stage's owner was asked.
LEFT_GATES = """
SELECT g.id FROM runs_gate g
  JOIN runs_run r ON r.id = g.run_id AND r.state = 'RUNNING'
 WHERE g.state = 'OPEN' AND EXISTS (
       SELECT FROM jsonb_array_elements(g.policy -> 'rules') q
        CROSS JOIN LATERAL jsonb_array_elements(q -> 'base') b (pk)
         JOIN personas_user u ON u.id = b.pk::int
        WHERE NOT u.is_active OR NOT EXISTS (
              SELECT FROM usecases_seat s
               WHERE s.user_id = u.id AND s.use_case_id = r.use_case_id
                 AND s.until IS NULL AND s.persona_id = q ->> 'persona'))
   AND NOT EXISTS (SELECT FROM runs_workitem w
                    WHERE w.stage_id = g.stage_id AND w.key = 'too_few_' || g.id)
 ORDER BY g.id LIMIT %(most)s
"""


class Sweeper:
    """One process's sweeps; no replica leads, as each duty judges again under the row's lock."""

    def __init__(self, *, poke: Callable[[str, int], bool], stopping: threading.Event) -> None:
        self.poke = poke
        self.stopping = stopping
        self.last_seal = 0.0
        self.last_stuck = 0.0

    def run(self) -> None:
        """Sweep until stopped; one row's error never ends the loop."""
        while not self.stopping.wait(settings.SWEEP_SECONDS):
            try:
                self.sweep()
            # A server that dies in mid-answer is no OperationalError to psycopg2.
            except (DatabaseError, InterfaceError) as error:
                logger.warning("sweeper: database away: %s", error)
                close_old_connections()

    def sweep(self) -> None:
        """Do every duty once."""
        for name in DUTIES:
            self.do(name)
        now = time.monotonic()
        if now - self.last_stuck > STUCK_EVERY:
            self.last_stuck = now
            self.look_for_stuck()
        if now - self.last_seal > SEAL_SECONDS:
            self.last_seal = now
            ledger.seal()

    def do(self, name: str) -> None:
        """Do one of the duties, by its name in DUTIES, for all that is due. Raises KeyError."""
        find, act = DUTIES[name]
        self._each(find(self), act)

    def look_for_stuck(self) -> None:
        """Look after runs in which nothing moves, and what belongs to people who left."""
        self._each(self._stuck_runs(), lambda pk: unstick(run_id=pk))
        self._each(self._left_stages(), lambda pk: timers.release_stage(stage_id=pk))
        self._each(self._left_items(), lambda pk: timers.release(item_id=pk))
        self._each(self._ids(LEFT_GATES), lambda pk: gates.look_who_is_left(gate_id=pk))

    def _each(self, ids: Iterable[int], duty: Callable[[int], object]) -> None:
        for pk in ids:
            try:
                duty(pk)
            except DomainError as error:
                # Busy: the next sweep comes soon. Anything else is news, and no reason to stop.
                logger.info("sweeper: %s", error.message)
            except (OperationalError, InterfaceError):
                raise
            # A row whose command has a defect must not keep the others from their time.
            except Exception:
                logger.exception("sweeper: a duty failed on row %s", pk)

    def _lost_attempts(self) -> list[int]:
        rows = Attempt.objects.filter(state=AttemptState.RUNNING, lease_until__lt=BatonNow())
        return list(rows.values_list("id", flat=True)[:BATCH])

    def _waiting_steps(self) -> list[int]:
        rows = Step.objects.filter(
            state="RETRY_WAIT", retry_at__lte=BatonNow(), run__state=RunState.RUNNING
        )
        return list(rows.order_by("retry_at").values_list("id", flat=True)[:BATCH])

    def _due_gates(self) -> list[int]:
        rows = Gate.objects.filter(
            state="OPEN", expires_at__lte=BatonNow(), run__state=RunState.RUNNING
        )
        return list(rows.values_list("id", flat=True)[:BATCH])

    def _due_blind_gates(self) -> list[int]:
        """Blind gates to reveal, and revealed ones whose time to think again is over."""
        now = BatonNow()
        rows = Gate.objects.filter(
            Q(revealed_at=None, blind_until__lte=now) | Q(tally_at__lte=now),
            state="OPEN",
            blind_until__isnull=False,
            run__state=RunState.RUNNING,
        )
        return list(rows.values_list("id", flat=True)[:BATCH])

    def _due_findings(self) -> list[int]:
        """Overdue findings: of ended runs, too, but of no paused one, whose deadlines stop."""
        rows = Finding.objects.filter(state="OPEN", due_at__lte=BatonNow())
        rows = rows.exclude(run__state=RunState.PAUSED)
        return list(rows.order_by("due_at").values_list("id", flat=True)[:BATCH])

    def _due_hand_offs(self) -> list[int]:
        rows = HandOff.objects.filter(
            state="OFFERED", due_at__lte=BatonNow(), run__state=RunState.RUNNING
        )
        return list(rows.values_list("id", flat=True)[:BATCH])

    def _due_reminders(self) -> list[int]:
        drop_moot_reminders()
        rows = Reminder.objects.filter(
            told_at=None, dropped_at=None, at__lte=BatonNow(), run__state=RunState.RUNNING
        )
        return list(rows.order_by("at", "percent").values_list("id", flat=True)[:BATCH])

    def _due_follow_ups(self) -> list[int]:
        rows = WorkItem.objects.filter(
            state=WorkItemState.ON_HOLD,
            follow_up_at__lte=BatonNow(),
            run__state=RunState.RUNNING,
        )
        return list(rows.values_list("id", flat=True)[:BATCH])

    def _left_items(self) -> list[int]:
        """Open items of people who were deactivated, or whose seat for them ended."""
        return self._ids(LEFT, open=sorted(WORK_ITEM.open))

    def _left_stages(self) -> list[int]:
        """Active stages of people who were deactivated, or whose seat for them ended."""
        return self._ids(LEFT_STAGES)

    def _ids(self, sql: str, **given: list[str]) -> list[int]:
        going = [RunState.RUNNING, RunState.PAUSED]
        with connection.cursor() as cursor:
            cursor.execute(sql, {"going": going, "most": BATCH, **given})
            return [pk for (pk,) in cursor.fetchall()]

    def _cancelling_runs(self) -> list[int]:
        return list(
            Run.objects.filter(state=RunState.CANCELLING).values_list("id", flat=True)[:BATCH]
        )

    def _stuck_runs(self) -> list[int]:
        """Runs that moved nothing for a minute and have nothing open that could move them."""
        open_attempt = Attempt.objects.filter(
            run=OuterRef("pk"), state__in=(AttemptState.QUEUED, AttemptState.RUNNING)
        )
        rows = Run.objects.filter(
            ~Exists(open_attempt),
            state=RunState.RUNNING,
            moved_at__lt=BatonNow() - timedelta(seconds=STUCK_SECONDS),
        )
        return list(rows.order_by("moved_at").values_list("id", flat=True)[:20])

    def _repoked(self) -> list[int]:
        self.repoke()
        return []

    def repoke(self) -> int:
        """Poke again what was queued and not claimed; returns how many."""
        with connection.cursor() as cursor:
            cursor.execute(REPOKE, {"first": 10, "again": 60})
            due = cursor.fetchall()
        for queue, pk in due:
            if not self.poke(queue, pk):
                Attempt.objects.filter(pk=pk, state="QUEUED").update(poked_at=None)
        return len(due)


def _lose(pk: int) -> Answer:
    error = {"code": "worker_lost", "message": "The worker fell silent."}
    return attempts.lose(attempt_id=pk, error=error)


Find = Callable[[Sweeper], Iterable[int]]
Duty = tuple[Find, Callable[[int], object]]
# In this order: by name, what finds rows that are due, and what is done about each.
DUTIES: Final[Mapping[str, Duty]] = {
    "lost": (Sweeper._lost_attempts, _lose),
    "retry": (Sweeper._waiting_steps, lambda pk: steps.wake(step_id=pk)),
    "gate": (Sweeper._due_gates, lambda pk: gates.expire(gate_id=pk)),
    "blind": (Sweeper._due_blind_gates, lambda pk: blind.look_again(gate_id=pk)),
    "finding": (Sweeper._due_findings, lambda pk: findings.lapse(finding_id=pk)),
    "hand_off": (Sweeper._due_hand_offs, lambda pk: handoffs.escalate(hand_off_id=pk)),
    "reminder": (Sweeper._due_reminders, lambda pk: timers.tell(reminder_id=pk)),
    "follow_up": (Sweeper._due_follow_ups, lambda pk: timers.follow_up(item_id=pk)),
    "cancelling": (Sweeper._cancelling_runs, lambda pk: settle(run_id=pk)),
    "repoke": (Sweeper._repoked, lambda _pk: None),
}


def drop_moot_reminders() -> int:
    """Drop due reminders of what nobody waits for any more; returns how many."""
    awaited = {noun: sorted(states) for noun, states in timers.AWAITED.items()}
    with connection.cursor() as cursor:
        cursor.execute(MOOT, {"ended": sorted(RUN.terminal), **awaited})
        return int(cursor.rowcount)


def settle(*, run_id: int) -> Answer:
    """Finish a cancel; children that outlived the grace time are fenced off."""

    def body(command: Command, run: Run) -> dict[str, object]:
        asked = run.cancel_asked_at or run.moved_at
        if command.now - asked > timedelta(seconds=CANCEL_GRACE):
            for attempt in Attempt.objects.filter(run=run, state=AttemptState.RUNNING):
                move(
                    command,
                    attempt,
                    "cancel",
                    run=run,
                    token=attempt.token + 1,
                    lease_until=None,
                    finished_at=command.now,
                    data={"reason": "the grace time is over"},
                )
        settle_cancelled(command, run)
        return {"run": run.pk, "state": run.state}

    return execute(
        actor=Actor("timer", "sweeper"), name="settle", lock=lambda: run_of(run_id), body=body
    )


def unstick(*, run_id: int) -> Answer:
    """Ask the plan again for a run in which nothing moves; it mostly waits for people."""

    def body(command: Command, run: Run) -> dict[str, object]:
        if run.state == RunState.RUNNING:
            advance(command, run)
            Run.objects.filter(pk=run.pk).update(moved_at=command.now)
        return {"run": run.pk, "events": len(command.recorder.drafts)}

    answer = execute(
        actor=Actor("timer", "sweeper"), name="unstick", lock=lambda: run_of(run_id), body=body
    )
    if answer.data["events"]:
        logger.error("run %s was stuck and moved again: %s", run_id, answer.data)
    return answer
