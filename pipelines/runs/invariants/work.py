"""Invariants of runs, stages and work items: somebody is accountable, all moves, loops end."""

from typing import Final

from pipelines.runs.invariants.contract import Invariant

SOMEBODY: Final = Invariant(
    "I12",
    "Every open work item has a holder, or personas whose people may take it.",
    """
SELECT 'work_item', i.id, i.run_id, i.key || ' is ' || i.state || ' for nobody'
  FROM runs_workitem i
 WHERE i.holder_id IS NULL AND i.state IN ('OPEN', 'ASSIGNED', 'IN_PROGRESS', 'ON_HOLD')
   AND cardinality(i.candidates) = 0
 ORDER BY 2 LIMIT %(limit)s
""",
)

ACCOUNTABLE: Final = Invariant(
    "I13",
    "Every open stage has exactly one accountable owner or persona: one current, open round.",
    """
SELECT * FROM (
    SELECT 'stage', s.id, s.run_id, concat_ws('; ',
           CASE WHEN s.owner_id IS NULL AND s.persona_id IS NULL
                THEN s.key || ' is ' || s.state || ' for nobody' END,
           CASE WHEN NOT s.current
                THEN s.key || ' is ' || s.state || ' in round ' || s.round
                     || ', which counts no more' END,
           CASE WHEN s.current AND o.count > 0
                THEN s.key || ' is open in ' || o.count + 1 || ' current rounds' END) AS wrong
      FROM {stage} s
     CROSS JOIN LATERAL (
           SELECT count(*) FROM runs_stage o
            WHERE o.run_id = s.run_id AND o.key = s.key AND o.id <> s.id AND o.current
              AND o.state IN ('PENDING', 'READY', 'ACTIVE', 'IN_REVIEW', 'FAILED')) o
     WHERE s.state IN ('PENDING', 'READY', 'ACTIVE', 'IN_REVIEW', 'FAILED')) found
 WHERE wrong <> '' ORDER BY 2 LIMIT %(limit)s
""",
    ("stage",),
)

# The time is the last event's: `moved_at` also moves when the sweeper asks the plan in vain.
MOVING: Final = Invariant(
    "I17",
    "No run is RUNNING for a minute with nothing open that a worker or a person could act on.",
    """
SELECT 'run', r.id, r.id, 'nothing is open, and nothing has happened since ' || e.at
  FROM runs_run r
  JOIN personas_stream s ON s.kind = 'run' AND s.key = r.id::text
  JOIN personas_event e ON e.stream_id = s.id AND e.seq = s.seq
 WHERE r.state = 'RUNNING' AND e.at < (SELECT baton_now()) - interval '60 s'
   AND NOT EXISTS (SELECT FROM runs_attempt a
                    WHERE a.run_id = r.id AND a.state IN ('QUEUED', 'RUNNING'))
   AND NOT EXISTS (SELECT FROM runs_step t WHERE t.run_id = r.id AND t.state = 'RETRY_WAIT')
   AND NOT EXISTS (SELECT FROM runs_workitem i WHERE i.run_id = r.id
                      AND i.state IN ('OPEN', 'ASSIGNED', 'IN_PROGRESS', 'ON_HOLD'))
   AND NOT EXISTS (SELECT FROM runs_gate g WHERE g.run_id = r.id AND g.state = 'OPEN')
   AND NOT EXISTS (SELECT FROM runs_handoff h WHERE h.run_id = r.id
                      AND h.state IN ('PREPARING', 'OFFERED', 'ESCALATED'))
 ORDER BY 2 LIMIT %(limit)s
""",
)

PINNED: Final = Invariant(
    "I18",
    "A run's blueprint version has the digest that its last version_pinned event names.",
    """
SELECT 'run', r.id, r.id, 'pinned ' || coalesce(left(p.digest, 12), 'nothing')
       || ', but version ' || v.id || ' is ' || left(v.digest, 12)
  FROM {run} r
  JOIN usecases_blueprintversion v ON v.id = r.version_id
  LEFT JOIN personas_stream s ON s.kind = 'run' AND s.key = r.id::text
  LEFT JOIN LATERAL (SELECT e.data ->> 'digest' AS digest FROM personas_event e
                      WHERE e.stream_id = s.id AND e.type = 'run.version_pinned'
                      ORDER BY e.seq DESC LIMIT 1) p ON true
 WHERE p.digest IS DISTINCT FROM v.digest ORDER BY 2 LIMIT %(limit)s
""",
    ("run",),
)

# Reruns are counted apart: the code that names them is the engine's own.
BOUNDED: Final = Invariant(
    "I23",
    "No stage was sent back more often than its blueprint allows.",
    """
WITH plan AS MATERIALIZED (
    SELECT v.id AS version_id, s ->> 'key' AS key, (s ->> 'max_rounds')::int AS most
      FROM usecases_blueprintversion v CROSS JOIN jsonb_array_elements(v.body -> 'stages') s)
SELECT 'stage', max(s.id), r.id, s.key || ' was sent back ' || count(*) || ' times, at most '
       || p.most - 1 || ' are allowed'
  FROM {run} r
  JOIN runs_stage s ON s.run_id = r.id AND s.return_reason <> '' AND s.return_code <> 'rerun'
  JOIN plan p ON p.version_id = r.version_id AND p.key = s.key
 GROUP BY r.id, s.key, p.most HAVING count(*) > p.most - 1 ORDER BY 2 LIMIT %(limit)s
""",
    ("run",),
)

WORK: Final = (SOMEBODY, ACCOUNTABLE, MOVING, PINNED, BOUNDED)
