"""The statements that read flow. Each has a bound on its rows; {where} narrows it to a scope.

What ended lately and what is open are the two ends of one index (`stage_ended`, `handoff_ended`,
`gate_ended`, `run_ended`). Rows are picked first and looked at afterwards: a look costs more.
"""

from typing import Final

# The joins that every statement's filters may name: r run, u use case, b blueprint.
RUN: Final = """
  JOIN runs_run r ON r.id = {row}.run_id
  JOIN usecases_usecase u ON u.id = r.use_case_id
  JOIN usecases_blueprintversion v ON v.id = r.version_id
  JOIN usecases_blueprint b ON b.id = v.blueprint_id
"""

VISITS: Final = f"""
SELECT s.id, s.run_id, s.use_case, s.plan, s.key, s.position, s.round, s.persona_id, s.state,
       s.activated_at, h.offered, h.answered, s.owned_at, s.submitted_at, s.finished_at, g.offered,
       CASE WHEN n.return_code <> '' THEN n.activated_at END, coalesce(n.return_code, ''),
       coalesce(back.key, '')
  FROM (SELECT s.id, s.run_id, u.key AS use_case, b.key AS plan, s.key, s.position, s.round,
               s.persona_id, s.state, s.activated_at, s.owned_at, s.submitted_at, s.finished_at
          FROM runs_stage s {RUN.format(row="s")}
         WHERE s.activated_at IS NOT NULL {{where}}
         ORDER BY s.finished_at DESC LIMIT %(most)s) s
  LEFT JOIN LATERAL (
       SELECT max(offered_at) AS offered, max(answered_at) AS answered FROM runs_handoff
        WHERE target_id = s.id AND state IN ('ACCEPTED', 'AUTO_ACCEPTED')) h ON true
  LEFT JOIN LATERAL (
       SELECT min(offered_at) AS offered FROM runs_handoff WHERE source_id = s.id) g ON true
  LEFT JOIN runs_stage n ON n.run_id = s.run_id AND n.key = s.key AND n.round = s.round + 1
  LEFT JOIN runs_stage back ON s.state = 'SENT_BACK' AND back.run_id = s.run_id
   AND back.activated_at = s.finished_at AND back.return_code <> ''
"""  # noqa: S608 - text of this module alone

HAND_OFFS: Final = f"""
SELECT h.id, h.run_id, u.key, s.key, t.key, s.persona_id, t.persona_id, h.state, h.offered_at,
       h.answered_at, h.return_code
  FROM runs_handoff h {RUN.format(row="h")}
  JOIN runs_stage s ON s.id = h.source_id
  JOIN runs_stage t ON t.id = h.target_id
 WHERE h.offered_at IS NOT NULL {{where}}
 ORDER BY h.answered_at DESC LIMIT %(most)s
"""  # noqa: S608 - text of this module alone

# Of an open gate nothing is told of its decisions: they may be sealed.
GATES: Final = f"""
SELECT g.id, g.run_id, g.use_case, g.key, g.position, g.persona_id, g.state, g.opened_at,
       g.closed_at, coalesce(d.code, ''), coalesce(d.people, 0), g.overridden
  FROM (SELECT g.id, g.run_id, u.key AS use_case, s.key, s.position, s.persona_id, g.state,
               g.opened_at, g.closed_at, g.overridden
          FROM runs_gate g {RUN.format(row="g")} JOIN runs_stage s ON s.id = g.stage_id
         WHERE true {{where}} ORDER BY g.closed_at DESC LIMIT %(most)s) g
  LEFT JOIN LATERAL (
       SELECT count(DISTINCT user_id) AS people,
              max(reason_code) FILTER (WHERE verdict IN ('request_changes', 'reject')) AS code
         FROM runs_decision WHERE gate_id = g.id AND state = 'IN_FORCE') d
    ON g.closed_at IS NOT NULL
"""  # noqa: S608 - text of this module alone

RETURNS: Final = f"""
SELECT s.id, s.run_id, u.key, s.activated_at,
       CASE WHEN s.return_code = 'rerun' THEN 'rerun'
            WHEN h.state = 'RETURNED' THEN 'hand_off' WHEN h.state = 'WITHDRAWN' THEN 'withdrawal'
            WHEN src.submitted_at IS NOT NULL THEN 'gate' ELSE 'stage' END,
       coalesce(src.key, h.source, s.key), s.key, coalesce(src.persona_id, h.persona, s.persona_id),
       s.persona_id, s.return_code, s.return_reason,
       least(s.submitted_at, s.finished_at) - s.activated_at
  FROM runs_stage s {RUN.format(row="s")}
  LEFT JOIN runs_stage src ON src.run_id = s.run_id AND src.state = 'SENT_BACK'
   AND src.finished_at = s.activated_at
  LEFT JOIN LATERAL (
       SELECT o.state, t.key AS source,
              CASE o.state WHEN 'RETURNED' THEN t.persona_id ELSE f.persona_id END AS persona
         FROM runs_handoff o JOIN runs_stage f ON f.id = o.source_id
         JOIN runs_stage t ON t.id = o.target_id
        WHERE o.run_id = s.run_id AND o.answered_at = s.activated_at AND f.key = s.key
          AND o.state IN ('RETURNED', 'WITHDRAWN') AND o.return_reason <> '' LIMIT 1) h ON true
 WHERE s.return_code <> '' AND s.activated_at > %(since)s {{where}}
 ORDER BY s.activated_at DESC LIMIT %(most)s
"""  # noqa: S608 - text of this module alone

RUNS: Final = """
SELECT r.id, r.use_case_id, r.use_case, r.title, r.number, r.plan, r.state, r.started_at,
       r.finished_at,
       (SELECT c.finished_at FROM runs_stage c
         WHERE c.run_id = r.id AND c.state IN ('DONE', 'SUPERSEDED') AND c.finished_at IS NOT NULL
         ORDER BY c.position, c.round LIMIT 1),
       (SELECT min(l.finished_at) FROM runs_stage l
         WHERE l.run_id = r.id AND l.key = 'serve' AND l.state = 'DONE')
  FROM (SELECT r.id, r.use_case_id, u.key AS use_case, u.title, r.number, b.key AS plan, r.state,
               r.started_at, r.finished_at
          FROM runs_run r
          JOIN usecases_usecase u ON u.id = r.use_case_id
          JOIN usecases_blueprintversion v ON v.id = r.version_id
          JOIN usecases_blueprint b ON b.id = v.blueprint_id
         WHERE r.kind = 'main' AND r.started_at IS NOT NULL {where}
         ORDER BY r.finished_at DESC LIMIT %(most)s) r
"""

# Tier and value of the brief, as the first stage computed them.
FRAMES: Final = """
SELECT st.run_id, a.facts->'tier', a.facts->'value_per_year', a.facts->>'currency'
  FROM runs_step st JOIN runs_attempt a ON a.id = st.result_id
 WHERE st.operation = 'frame_value' AND st.run_id = ANY(%(runs)s)
 ORDER BY st.run_id, a.id
"""

# How long a step of the stage's own ran or somebody held one of its items: times that overlap
# count once. Neither what a hand-off's contract computes nor what the engine asks for.
ACTIVE: Final = """
SELECT stage_id, sum(upper(part) - lower(part)) FROM (
  SELECT stage_id, unnest(range_agg(tstzrange(begun, done))) AS part FROM (
    SELECT w.stage_id, w.claimed_at AS begun, w.closed_at AS done FROM runs_workitem w
     WHERE w.stage_id = ANY(%(stages)s) AND w.hand_off_id IS NULL AND w.state = 'COMPLETED'
       AND w.claimed_at < w.closed_at
    UNION ALL
    SELECT st.stage_id, a.started_at, a.finished_at FROM runs_step st
      JOIN runs_attempt a ON a.step_id = st.id
     WHERE st.stage_id = ANY(%(stages)s) AND st.hand_off_id IS NULL
       AND a.started_at < a.finished_at) spans
  GROUP BY stage_id) parts
GROUP BY stage_id
"""

CUMULATIVE: Final = """
WITH picked AS (
  SELECT r.id, r.state, r.finished_at FROM runs_run r
    JOIN usecases_usecase u ON u.id = r.use_case_id
    JOIN usecases_blueprintversion v ON v.id = r.version_id
    JOIN usecases_blueprint b ON b.id = v.blueprint_id
   WHERE r.kind = 'main' AND r.started_at IS NOT NULL
     AND r.state IN ('RUNNING', 'PAUSED', 'SUCCEEDED') AND b.key = %(plan)s
     AND (r.finished_at > %(since)s OR r.finished_at IS NULL) {where}
   ORDER BY r.finished_at DESC NULLS FIRST LIMIT %(most)s),
entered AS (
  SELECT s.run_id, s.key, s.position, s.persona_id, min(s.activated_at) AS at
    FROM runs_stage s JOIN picked p ON p.id = s.run_id GROUP BY 1, 2, 3, 4),
passed AS (
  SELECT key, position, persona_id,
         min(at) OVER (PARTITION BY run_id ORDER BY position DESC) AS at FROM entered),
days AS (
  SELECT key, position, persona_id, at FROM passed WHERE at IS NOT NULL
  UNION ALL
  SELECT '', 32000, '', finished_at FROM picked WHERE state = 'SUCCEEDED')
SELECT key, position, min(persona_id),
       CASE WHEN at <= %(since)s THEN 0
            ELSE ceil(extract(epoch FROM at - %(since)s) / 86400)::int END, count(*)
  FROM days GROUP BY 1, 2, 4
"""

PLAN: Final = """
SELECT s->>'key', coalesce(s->>'title', ''), coalesce(s->>'persona', ''),
       jsonb_path_query_array(s, '$.gate.checks[*].name'),
       jsonb_path_query_array(s, '$.hand_off.contract[*].name')
  FROM usecases_blueprintversion v JOIN usecases_blueprint b ON b.id = v.blueprint_id,
       jsonb_array_elements(v.body->'stages') WITH ORDINALITY AS stages(s, n)
 WHERE b.key = %(plan)s AND v.number = (
       SELECT max(w.number) FROM usecases_blueprintversion w WHERE w.blueprint_id = b.id)
 ORDER BY n
"""

PERSONAS: Final = "SELECT code, title FROM personas_persona ORDER BY lane, code"

# Of each use case the newest run under way, and the first stage that is not done.
PLACES: Final = """
SELECT DISTINCT ON (r.use_case_id) r.use_case_id, u.key, r.id, s.key, s.activated_at, p.stages,
       coalesce(p.done, r.started_at), baton_now()
  FROM runs_run r JOIN usecases_usecase u ON u.id = r.use_case_id
  JOIN runs_stage s ON s.run_id = r.id AND s.current
   AND s.state NOT IN ('DONE', 'SKIPPED', 'CANCELLED', 'SENT_BACK', 'SUPERSEDED')
  JOIN LATERAL (
       SELECT array_agg(o.key ORDER BY o.position) FILTER (WHERE o.state <> 'SKIPPED') AS stages,
              max(o.finished_at) FILTER (WHERE o.state = 'DONE') AS done
         FROM runs_stage o WHERE o.run_id = r.id AND o.current) p ON true
 WHERE r.use_case_id = ANY(%(use_cases)s) AND r.kind = 'main' AND r.state IN ('RUNNING', 'PAUSED')
 ORDER BY r.use_case_id, r.number DESC, s.position
"""

DEPLOYMENTS: Final = """
SELECT d.id, m.name, mv.number, mv.registered_at, r.started_at, d.started_at, d.ended_at,
       d.ended_reason LIKE 'rolled back%%',
       EXISTS (SELECT 1 FROM monitoring_alert al WHERE al.opened_run_id = mv.run_id)
  FROM registry_deployment d JOIN registry_model m ON m.id = d.model_id
  JOIN registry_modelversion mv ON mv.id = d.version_id
  LEFT JOIN runs_run r ON r.id = mv.run_id
  JOIN usecases_usecase u ON u.id = m.use_case_id
 WHERE d.mode = 'live' AND (d.started_at > %(since)s OR d.ended_at > %(since)s
       OR d.ended_at IS NULL) {where}
 ORDER BY d.started_at DESC LIMIT %(most)s
"""

# The onset is not known; it lies after the last watch run that raised nothing of the model, or
# after the version began to answer.
ALERTS: Final = """
SELECT al.id, m.name, al.severity, al.raised_at,
       greatest((SELECT max(d.started_at) FROM registry_deployment d
                  WHERE d.model_id = m.id AND d.mode = 'live' AND d.started_at <= al.raised_at),
                (SELECT max(w.finished_at) FROM runs_run w
                  WHERE w.use_case_id = m.use_case_id AND w.kind = 'watch'
                    AND w.state = 'SUCCEEDED' AND w.finished_at < al.raised_at
                    AND w.id <> al.raised_by_id
                    AND NOT EXISTS (SELECT 1 FROM monitoring_alert o WHERE o.raised_by_id = w.id)))
  FROM monitoring_alert al JOIN registry_model m ON m.id = al.model_id
  JOIN usecases_usecase u ON u.id = m.use_case_id
 WHERE al.raised_at > %(since)s {where}
 ORDER BY al.raised_at DESC LIMIT %(most)s
"""

# From the answer to the label, of the newest labels of each model.
LABELS: Final = """
SELECT m.name, array_agg(extract(epoch FROM l.received_at - p.at)::float8)
  FROM registry_model m JOIN usecases_usecase u ON u.id = m.use_case_id
  JOIN LATERAL (
       SELECT key, received_at FROM serving_label
        WHERE model_id = m.id AND received_at > %(since)s
        ORDER BY id DESC LIMIT %(labels)s) l ON true
  JOIN LATERAL (
       SELECT coalesce(event_time, at) AS at FROM serving_prediction
        WHERE model_id = m.id AND key = l.key ORDER BY id LIMIT 1) p ON true
 WHERE true {where}
 GROUP BY m.name LIMIT %(most)s
"""

# By which column the statements' rows end: each is asked for what is open and for what ended.
ENDS: Final = {
    VISITS: "s.finished_at",
    HAND_OFFS: "h.answered_at",
    GATES: "g.closed_at",
    RUNS: "r.finished_at",
}
ENDED: Final = " AND {column} > %(since)s"
OPEN: Final = " AND {column} IS NULL"
