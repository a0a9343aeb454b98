"""Invariants of gates: closed once, on one digest, by who may, and nothing goes on without them."""

from typing import Final

from pipelines.runs.invariants.contract import Invariant

# Before and after are places in the ledger: a time is that of the command's begin, and who waited
# for the run's lock began earlier than who held it.
CLOSED_ONCE: Final = Invariant(
    "I6",
    "A closed gate has exactly one closing event; its decisions precede it and carry its digest.",
    """
SELECT * FROM (
    SELECT 'gate', g.id, g.run_id, concat_ws('; ',
           CASE WHEN (g.state = 'OPEN') <> (c.count = 0) OR c.count > 1
                THEN 'is ' || g.state || ', and ' || c.count || ' events close it' END,
           CASE WHEN d.strange > 0 THEN d.strange || ' decisions carry another digest' END,
           CASE WHEN d.late > 0 THEN d.late || ' decisions came after it was closed' END) AS wrong
      FROM {gate} g
      LEFT JOIN personas_stream s ON s.kind = 'run' AND s.key = g.run_id::text
     CROSS JOIN LATERAL (
           SELECT count(*), max(e.seq) AS seq FROM personas_event e
            WHERE e.stream_id = s.id AND e.subject = 'gate' AND e.subject_id = g.id
              AND e.before = 'OPEN' AND e.after NOT IN ('', 'OPEN')) c
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE d.subject_digest <> g.subject_digest) AS strange,
                  count(*) FILTER (WHERE b.seq > c.seq) AS late
             FROM runs_decision d
             LEFT JOIN personas_event b ON b.stream_id = s.id AND b.subject = 'decision'
                   AND b.subject_id = d.id AND b.before = '' AND b.after <> ''
            WHERE d.gate_id = g.id) d) found
 WHERE wrong <> '' ORDER BY 2 LIMIT %(limit)s
""",
    ("gate",),
)

# By Hall's theorem distinct people fill all places exactly if, for every set of personas, as many
# people wear one of them as these personas have places. With seven personas that is 127 sets.
# Where a person may count for several rules, each persona is judged by itself.
POLICY_MET: Final = Invariant(
    "I7",
    "An APPROVED gate satisfies its policy, from its decisions, checks and waivers alone.",
    """
SELECT * FROM (
    SELECT 'gate', g.id, g.run_id, concat_ws('; ',
           CASE WHEN places.missing THEN 'its approvals do not fill ' || (g.policy ->> 'rules') END,
           CASE WHEN n.against > 0 THEN n.against || ' decisions in force are against it' END,
           CASE WHEN n.red IS NOT NULL THEN 'not green and not waived: ' || n.red END) AS wrong
      FROM (SELECT * FROM {gate} c WHERE c.state = 'APPROVED' AND NOT c.overridden) g
     CROSS JOIN LATERAL (
           SELECT coalesce((g.policy ->> 'allow_shared')::boolean, false) AS allowed) shared
     CROSS JOIN LATERAL (
           SELECT (SELECT count(*) FROM runs_decision d WHERE d.gate_id = g.id
                      AND d.state = 'IN_FORCE' AND d.verdict IN ('reject', 'request_changes')
                  ) AS against,
                  (SELECT string_agg(c.name, ', ') FROM runs_check c
                    WHERE c.gate_id = g.id AND c.blocking AND c.verdict <> 'pass'
                      AND (c.waived_by_id IS NULL OR c.waived_until <= g.closed_at)) AS red) n
     CROSS JOIN LATERAL (
           WITH rule AS (
               SELECT row_number() OVER (ORDER BY r ->> 'persona')::int - 1 AS bit,
                      r ->> 'persona' AS persona,
                      CASE WHEN shared.allowed THEN max(q.least) ELSE sum(q.least) END AS least,
                      (array_agg(r -> 'base'))[1] AS base
                 FROM jsonb_array_elements(g.policy -> 'rules') r
                CROSS JOIN LATERAL (SELECT greatest((r ->> 'min')::int,
                      ceil((r ->> 'percent')::numeric * jsonb_array_length(r -> 'base') / 100)::int
                      ) AS least) q
                GROUP BY r ->> 'persona'),
           vote AS (
               SELECT d.user_id, d.on_behalf_of_id, d.personas FROM runs_decision d
                WHERE d.gate_id = g.id AND d.state = 'IN_FORCE'
                  AND d.verdict IN ('approve', 'approve_with_conditions'))
           SELECT EXISTS (
               SELECT FROM generate_series(1, (1 << (SELECT count(*)::int FROM rule)) - 1) m
                WHERE (NOT shared.allowed OR m & (m - 1) = 0)
                  AND (SELECT sum(least) FROM rule WHERE (m >> bit) & 1 = 1)
                      > (SELECT count(DISTINCT v.user_id) FROM vote v JOIN rule r
                            ON (m >> r.bit) & 1 = 1 AND v.personas ? r.persona
                           AND (coalesce(jsonb_array_length(r.base), 0) = 0
                                OR r.base @> to_jsonb(v.user_id)
                                OR r.base @> to_jsonb(v.on_behalf_of_id)))) AS missing
           ) places) found
 WHERE wrong <> '' ORDER BY 2 LIMIT %(limit)s
""",
    ("gate",),
)

# The gate keeps whom it excludes; here it is also derived anew from who worked in the round. Who
# decides for somebody is judged as both of them, as is who works for somebody.
FOUR_EYES: Final = Invariant(
    "I8",
    "No decision that counts is by, or for, a service account or anyone the gate excludes.",
    """
SELECT 'decision', id, run_id, string_agg(wrong, '; ' ORDER BY wrong) FROM (
    SELECT d.id, g.run_id, concat_ws('; ',
           CASE WHEN u.is_service THEN u.username || ' is a service account' END,
           CASE WHEN u.id = ANY(g.author_ids || s.author_ids)
                  OR (u.id = s.owner_id AND s.owned_at <= g.opened_at)
                  OR EXISTS (SELECT FROM runs_workitem i
                              WHERE i.stage_id = s.id AND i.hand_off_id IS NULL
                                AND u.id IN (i.completed_by_id, i.completed_for_id))
                  OR EXISTS (SELECT FROM runs_step t WHERE t.stage_id = s.id
                                AND t.hand_off_id IS NULL AND t.edited_by_id = u.id)
                THEN u.username || ' made part of what gate ' || g.id || ' reviews' END,
           CASE WHEN g.policy -> 'exclude' ? 'run_initiator' AND r.created_by_id = u.id
                THEN u.username || ' started the run' END,
           CASE WHEN g.policy -> 'exclude' ? 'earlier_deciders' AND EXISTS (
                     SELECT FROM runs_decision o
                       JOIN runs_gate og ON og.id = o.gate_id AND og.run_id = g.run_id
                       JOIN runs_stage os ON os.id = og.stage_id AND os.key <> s.key
                      WHERE u.id IN (o.user_id, o.on_behalf_of_id)
                        AND o.state = 'IN_FORCE' AND o.at < d.at)
                THEN u.username || ' decided in an earlier gate' END) AS wrong
      FROM {decision} d
      JOIN runs_gate g ON g.id = d.gate_id
      JOIN runs_stage s ON s.id = g.stage_id
      JOIN runs_run r ON r.id = g.run_id
      JOIN personas_user u ON u.id IN (d.user_id, d.on_behalf_of_id)
     WHERE d.state = 'IN_FORCE' AND d.verdict <> 'abstain') found
 WHERE wrong <> '' GROUP BY id, run_id ORDER BY id LIMIT %(limit)s
""",
    ("decision",),
)

# A stage that is DONE on an EXPIRED gate is I11's matter, so that each break has one name.
NOTHING_BEYOND: Final = Invariant(
    "I9",
    "No stage beyond an unapproved gate is ACTIVE, in review or DONE in its current round.",
    """
WITH plan AS MATERIALIZED (
    SELECT v.id AS version_id, s ->> 'key' AS key, need
      FROM usecases_blueprintversion v
     CROSS JOIN jsonb_array_elements(v.body -> 'stages') s
     CROSS JOIN jsonb_array_elements_text(s -> 'needs') need)
SELECT DISTINCT ON (t.id) 'stage', t.id, t.run_id, t.key || ' is ' || t.state || ', but '
       || p.need || ' is ' || coalesce(n.state, 'not there') || coalesce(' with a gate '
       || g.state, '')
  FROM {run} r
  JOIN runs_stage t ON t.run_id = r.id AND t.current AND t.state IN ('ACTIVE', 'IN_REVIEW', 'DONE')
  JOIN plan p ON p.version_id = r.version_id AND p.key = t.key
  LEFT JOIN runs_stage n ON n.run_id = r.id AND n.key = p.need AND n.current
  LEFT JOIN LATERAL (SELECT g.state FROM runs_gate g
                      WHERE g.stage_id = n.id AND g.state <> 'SUPERSEDED'
                      ORDER BY g.id DESC LIMIT 1) g ON true
 WHERE n.id IS NULL OR n.state NOT IN ('DONE', 'SKIPPED')
    OR (n.state = 'DONE' AND g.state NOT IN ('APPROVED', 'EXPIRED'))
 ORDER BY t.id LIMIT %(limit)s
""",
    ("run",),
)

STILL: Final = Invariant(
    "I10",
    "No gate is OPEN while an attempt that makes its subject is QUEUED or RUNNING.",
    """
SELECT DISTINCT ON (g.id) 'gate', g.id, g.run_id,
       'attempt ' || a.id || ' of step ' || s.key || ' is ' || a.state
  FROM runs_attempt a
  JOIN runs_step s ON s.id = a.step_id AND s.hand_off_id IS NULL
  JOIN runs_gate g ON g.stage_id = s.stage_id AND g.state = 'OPEN'
 WHERE a.state IN ('QUEUED', 'RUNNING') ORDER BY g.id, a.id LIMIT %(limit)s
""",
)

SILENCE: Final = Invariant(
    "I11",
    "No stage is DONE on a gate that EXPIRED, unless a person decided later.",
    """
SELECT 'gate', g.id, g.run_id,
       'it EXPIRED at ' || g.closed_at || ', nobody decided later, and stage ' || s.id || ' is DONE'
  FROM {gate} g JOIN runs_stage s ON s.id = g.stage_id AND s.state = 'DONE'
 WHERE g.state = 'EXPIRED' AND NOT EXISTS (
       SELECT FROM runs_gate n
        WHERE n.stage_id = g.stage_id AND n.id > g.id AND n.state = 'APPROVED'
          AND (n.overridden OR jsonb_array_length(n.policy -> 'rules') = 0
               OR EXISTS (SELECT FROM runs_decision d WHERE d.gate_id = n.id
                             AND d.carried_from_id IS NULL AND d.at >= g.closed_at)
               OR EXISTS (SELECT FROM runs_check c WHERE c.gate_id = n.id
                             AND c.waived_by_id IS NOT NULL)))
 ORDER BY 2 LIMIT %(limit)s
""",
    ("gate",),
)

GATES: Final = (
    CLOSED_ONCE,
    POLICY_MET,
    FOUR_EYES,
    NOTHING_BEYOND,
    STILL,
    SILENCE,
)
