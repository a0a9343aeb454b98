"""Invariants of attempts: one at a time, one result, fenced, never forgotten."""

from typing import Final

from pipelines.runs.invariants.contract import Invariant

ONE_OPEN: Final = Invariant(
    "I1",
    "At most one attempt of a step is QUEUED or RUNNING.",
    """
SELECT 'step', a.step_id, min(a.run_id),
       count(*) || ' attempts are open: ' || string_agg(a.id || ' ' || a.state, ', ' ORDER BY a.id)
  FROM runs_attempt a WHERE a.state IN ('QUEUED', 'RUNNING')
 GROUP BY a.step_id HAVING count(*) > 1 ORDER BY 2 LIMIT %(limit)s
""",
)

ONE_RESULT: Final = Invariant(
    "I2",
    "A step has at most one SUCCEEDED attempt, and one accepted result, which is that attempt.",
    """
SELECT * FROM (
    SELECT 'step', s.id, s.run_id, concat_ws('; ',
           CASE WHEN n.count > 1 THEN n.count || ' of its attempts SUCCEEDED' END,
           CASE WHEN s.state = 'SUCCEEDED' AND r.id IS NULL THEN 'SUCCEEDED without a result' END,
           CASE WHEN s.state <> 'SUCCEEDED' AND s.result_id IS NOT NULL
                THEN 'has a result, but is ' || s.state END,
           CASE WHEN r.step_id <> s.id OR r.state <> 'SUCCEEDED'
                THEN 'its result is attempt ' || r.id || ' of step ' || r.step_id
                     || ', which is ' || r.state END) AS wrong
      FROM {step} s
      LEFT JOIN runs_attempt r ON r.id = s.result_id
     CROSS JOIN LATERAL (SELECT count(*) FROM runs_attempt a
                          WHERE a.step_id = s.id AND a.state = 'SUCCEEDED') n) found
 WHERE wrong <> '' ORDER BY 2 LIMIT %(limit)s
""",
    ("step",),
)

# Accepted and written by one command, so the event has the very time of the attempt's end: with
# it the event is found by an index, which there is none of for the attempt's id.
FENCED: Final = Invariant(
    "I3",
    "An accepted result was accepted under the attempt's last fencing token.",
    """
SELECT 'attempt', a.id, a.run_id,
       CASE WHEN e.id IS NULL THEN 'no event says that its result was accepted'
            ELSE 'its token is ' || a.token || ', its result was accepted under token '
                 || coalesce(e.data ->> 'token', 'none') END
  FROM {attempt} a
  LEFT JOIN personas_event e ON e.at = a.finished_at AND e.type = 'attempt.complete'
        AND e.subject = 'attempt' AND e.subject_id = a.id
 WHERE a.cached_from_id IS NULL
   AND a.id = (SELECT s.result_id FROM runs_step s WHERE s.id = a.step_id)
   AND e.data ->> 'token' IS DISTINCT FROM a.token::text
 ORDER BY 2 LIMIT %(limit)s
""",
    ("attempt",),
)

NOT_SILENT: Final = Invariant(
    "I4",
    "No attempt is RUNNING whose lease ended longer ago than a lease and two sweeps.",
    """
SELECT 'attempt', a.id, a.run_id,
       coalesce('its lease ended at ' || a.lease_until, 'it runs without a lease')
  FROM runs_attempt a
 WHERE a.state = 'RUNNING' AND (a.lease_until IS NULL OR a.lease_until
       < (SELECT baton_now()) - make_interval(secs => %(lease)s + 2 * %(sweep)s))
 ORDER BY 2 LIMIT %(limit)s
""",
)

# Nobody registers workers: one is alive that holds a lease, or settled something within a minute.
# A resumed run's attempts were due all the pause long; they get their minute from the resume.
POKED: Final = Invariant(
    "I5",
    "While workers are alive, no attempt is due and QUEUED for a minute without a wake-up call.",
    """
WITH clock AS MATERIALIZED (SELECT baton_now() AS at, baton_now() - interval '60 s' AS minute),
late AS MATERIALIZED (
    SELECT a.id, a.run_id, a.poked_at, greatest(a.due_at, a.created_at) AS due
      FROM runs_attempt a JOIN runs_run r ON r.id = a.run_id AND r.state = 'RUNNING'
     WHERE a.state = 'QUEUED' AND greatest(a.due_at, a.created_at) < (SELECT minute FROM clock)
       AND (a.poked_at IS NULL
            OR a.poked_at < (SELECT minute FROM clock) - interval '60 s'))
SELECT 'attempt', l.id, l.run_id, 'due since ' || l.due || ', '
       || coalesce('last poked at ' || l.poked_at, 'never poked')
  FROM late l, clock c
 WHERE NOT EXISTS (SELECT FROM personas_stream s JOIN personas_event e ON e.stream_id = s.id
                    WHERE s.kind = 'run' AND s.key = l.run_id::text
                      AND e.type = 'run.resume' AND e.at > c.minute)
   AND (EXISTS (SELECT FROM runs_attempt h WHERE h.state = 'RUNNING' AND h.lease_until > c.at)
        OR EXISTS (SELECT FROM personas_event e
                    WHERE e.at > c.minute AND e.actor_kind = 'worker'))
 ORDER BY 2 LIMIT %(limit)s
""",
)

# Each claim and each end is a step up or down, in the order of their times; a claim under a limit
# reads the clock when its turn has come, so it starts after the end that made room for it. A
# process learns of a new limit within a second or two, hence the five. The quick form sees what
# runs and what ended lately: it may count too few, never too many.
ROOM_KEPT: Final = Invariant(
    "I22",
    "No attempt was claimed while as many ran as its queue, operation, run or use case may.",
    """
WITH seen AS (
    SELECT id, run_id, queue, operation, started_at, finished_at FROM {attempt} t
     WHERE started_at IS NOT NULL AND cached_from_id IS NULL
     UNION
    SELECT id, run_id, queue, operation, started_at, finished_at FROM runs_attempt
     WHERE state = 'RUNNING' AND started_at IS NOT NULL),
held AS (
    SELECT l.id AS limit_id, l.kind, l.at_most, l.changed_at, v.value, a.*
      FROM runs_limit l
     CROSS JOIN seen a
      JOIN runs_run r ON r.id = a.run_id
     CROSS JOIN LATERAL (SELECT CASE l.kind
           WHEN 'queue' THEN a.queue WHEN 'operation' THEN a.operation
           WHEN 'run' THEN a.run_id::text WHEN 'use_case' THEN r.use_case_id::text
           END AS value) v
     WHERE l.key IN ('*', v.value)),
change AS (
    SELECT limit_id, kind, at_most, changed_at, value, id, run_id, started_at AS at, 1 AS by
      FROM held
     UNION ALL
    SELECT limit_id, kind, at_most, changed_at, value, id, run_id, finished_at, -1
      FROM held WHERE finished_at IS NOT NULL),
running AS (
    SELECT *, sum(by) OVER (PARTITION BY limit_id, value ORDER BY at, by, id) AS now FROM change)
SELECT DISTINCT ON (id) 'attempt', id, run_id,
       'started as number ' || now || ' of ' || kind || ' ' || value || ', where ' || at_most
       || ' may run at once'
  FROM running WHERE by = 1 AND now > at_most AND at > changed_at + interval '5 s'
 ORDER BY id LIMIT %(limit)s
""",
    ("attempt",),
)

ATTEMPTS: Final = (ONE_OPEN, ONE_RESULT, FENCED, NOT_SILENT, POKED, ROOM_KEPT)
