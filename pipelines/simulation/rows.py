"""What is open in a run, and when time decides next: one statement each."""

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from personas import statements
from pipelines.lifecycles import GATE, WORK_ITEM
from pipelines.runs.actions.timers import AWAITED


class Open(NamedTuple):
    """Something of a run that somebody is to act on; `noun` says what."""

    noun: str
    id: int
    stage: str
    round: int
    persona: str
    holder: int | None
    kind: str
    key: str


OPEN = """
SELECT 'run', r.id, '', 0, '', NULL::bigint, r.state, '' FROM runs_run r WHERE r.id = %(run)s
UNION ALL
SELECT 'stage', s.id, s.key, s.round, s.persona_id, s.owner_id, s.state, '' FROM runs_stage s
 WHERE s.run_id = %(run)s AND s.state <> 'PENDING'
UNION ALL
SELECT 'item', w.id, s.key, s.round, w.persona_id, w.holder_id, w.kind,
       CASE w.kind WHEN 'attention' THEN w.context->>'cause' ELSE w.key END
  FROM runs_workitem w JOIN runs_stage s ON s.id = w.stage_id
 WHERE w.run_id = %(run)s AND w.state = ANY(%(item)s)
UNION ALL
SELECT 'gate', g.id, s.key, s.round, s.persona_id, NULL, g.state, ''
  FROM runs_gate g JOIN runs_stage s ON s.id = g.stage_id
 WHERE g.run_id = %(run)s AND g.state = ANY(%(gate)s)
UNION ALL
SELECT 'hand_off', h.id, s.key, s.round, t.persona_id, h.offered_by_id, h.state, t.key
  FROM runs_handoff h JOIN runs_stage s ON s.id = h.source_id
  JOIN runs_stage t ON t.id = h.target_id
 WHERE h.run_id = %(run)s AND h.state IN ('OFFERED', 'ESCALATED')
UNION ALL
SELECT 'finding', f.id, s.key, s.round, f.persona_id, NULL, f.state, f.position::text
  FROM runs_finding f JOIN runs_gate g ON g.id = f.gate_id JOIN runs_stage s ON s.id = g.stage_id
 WHERE f.run_id = %(run)s AND f.state = 'OPEN'
UNION ALL
SELECT 'queued', count(*), '', 0, '', NULL, '', ''
  FROM runs_attempt a JOIN runs_run r ON r.id = a.run_id AND r.state = 'RUNNING'
 WHERE a.run_id = %(run)s AND a.state = 'QUEUED'
"""

# Of reminders only those that somebody would be told: the others are dropped with the next sweep.
TIMER = """
SELECT duty, at FROM (
SELECT 'retry' AS duty, min(s.retry_at) AS at FROM runs_step s JOIN runs_run r ON r.id = s.run_id
 WHERE s.state = 'RETRY_WAIT' AND r.state = 'RUNNING'
UNION ALL
SELECT 'gate', min(g.expires_at) FROM runs_gate g JOIN runs_run r ON r.id = g.run_id
 WHERE g.state = 'OPEN' AND r.state = 'RUNNING'
UNION ALL
SELECT 'hand_off', min(h.due_at) FROM runs_handoff h JOIN runs_run r ON r.id = h.run_id
 WHERE h.state = 'OFFERED' AND r.state = 'RUNNING'
UNION ALL
SELECT 'finding', min(f.due_at) FROM runs_finding f JOIN runs_run r ON r.id = f.run_id
 WHERE f.state = 'OPEN' AND r.state <> 'PAUSED'
UNION ALL
SELECT 'follow_up', min(w.follow_up_at) FROM runs_workitem w JOIN runs_run r ON r.id = w.run_id
 WHERE w.state = 'ON_HOLD' AND r.state = 'RUNNING'
UNION ALL
SELECT 'lost', min(a.lease_until) FROM runs_attempt a WHERE a.state = 'RUNNING'
UNION ALL
SELECT 'cancelling', min(c.cancel_asked_at) + interval '61 s' FROM runs_run c
 WHERE c.state = 'CANCELLING'
UNION ALL
SELECT 'reminder', min(m.at) FROM runs_reminder m JOIN runs_run r ON r.id = m.run_id
 WHERE r.state = 'RUNNING' AND m.told_at IS NULL AND m.dropped_at IS NULL
   AND m.at <= %(until)s AND CASE m.noun
       WHEN 'stage' THEN EXISTS (SELECT FROM runs_stage s
            WHERE s.id = m.subject_id AND s.state = ANY(%(stage)s))
       WHEN 'gate' THEN EXISTS (SELECT FROM runs_gate g
            WHERE g.id = m.subject_id AND g.state = ANY(%(gate)s))
       WHEN 'hand_off' THEN EXISTS (SELECT FROM runs_handoff h
            WHERE h.id = m.subject_id AND h.state = ANY(%(hand_off)s))
       ELSE EXISTS (SELECT FROM runs_workitem w
            WHERE w.id = m.subject_id AND w.state = ANY(%(item)s)) END
) timers WHERE at IS NOT NULL
"""

PLACE = """
SELECT s.key, st.key, st.round, a.number
  FROM runs_attempt a JOIN runs_step s ON s.id = a.step_id JOIN runs_stage st ON st.id = s.stage_id
 WHERE a.id = %s
"""


def open_in(run: int) -> list[Open]:
    """Return what is open in a run, always in the same order."""
    given = {"run": run, "item": sorted(WORK_ITEM.open), "gate": sorted(GATE.open)}
    with connection.cursor() as cursor:
        statements.run(cursor, OPEN, given)
        return sorted((Open(*row) for row in cursor.fetchall()), key=lambda row: (row.noun, row.id))


def timers(until: datetime) -> dict[str, datetime]:
    """Return when each of the sweeper's duties next finds something due, by the duty's name.

    Of reminders only what is due by `until` is looked at.
    """
    awaited = {noun: sorted(states) for noun, states in AWAITED.items()}
    with connection.cursor() as cursor:
        statements.run(cursor, TIMER, {"until": until, **awaited})
        return dict(cursor.fetchall())


def place_of(attempt: int) -> tuple[str, str, int, int]:
    """Return the step, stage, round and number of an attempt."""
    with connection.cursor() as cursor:
        statements.run(cursor, PLACE, [attempt])
        step, stage, round_, number = cursor.fetchone()
    return step, stage, round_, number
