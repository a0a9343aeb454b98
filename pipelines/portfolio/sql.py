"""The statements of the portfolio: which use cases, in which order, and what stands in each line.

A filter or an order joins only what it looks at: of ten thousand use cases that is most of the
time. Each join is a look at one index per use case.
"""

from typing import Final

# By name, with what must stand before it.
JOINS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "run": (
        (),
        """LEFT JOIN LATERAL (
           SELECT id, state, number, moved_at, version_id FROM runs_run
            WHERE use_case_id = u.id AND kind = 'main' ORDER BY number DESC LIMIT 1) r ON true""",
    ),
    "stage": (
        ("run",),
        """LEFT JOIN LATERAL (
           SELECT st.id, st.key, st.position, st.persona_id, st.owner_id, st.state,
                  coalesce(g.due_at, h.due_at, st.due_at) AS due_at,
                  coalesce(st.activated_at, h.created_at) AS since
             FROM runs_stage st
             LEFT JOIN runs_gate g ON g.stage_id = st.id AND g.state = 'OPEN'
             LEFT JOIN LATERAL (
                  SELECT due_at, created_at FROM runs_handoff
                   WHERE target_id = st.id AND st.state IN ('PENDING', 'READY')
                     AND state IN ('PREPARING', 'OFFERED', 'ESCALATED')
                   ORDER BY id DESC LIMIT 1) h ON true
            WHERE st.run_id = r.id AND st.current AND r.state IN ('RUNNING', 'PAUSED')
              AND (st.state IN ('READY', 'ACTIVE', 'IN_REVIEW', 'FAILED')
                   OR st.state = 'PENDING' AND h.created_at IS NOT NULL)
            ORDER BY st.position LIMIT 1) s ON true""",
    ),
    "reached": (
        ("stage",),
        """LEFT JOIN LATERAL (
           SELECT coalesce(min(activated_at), %(now)s) AS at FROM runs_stage
            WHERE run_id = r.id AND key = s.key) e ON true""",
    ),
    "rest": (
        ("reached",),
        """LEFT JOIN LATERAL (
           SELECT e.at + make_interval(secs => w.p50[i]) AS p50,
                  e.at + make_interval(secs => w.p85[i]) AS p85
             FROM (SELECT *, width_bucket(extract(epoch FROM %(now)s - e.at)::float8, ends) + 1 AS i
                     FROM (VALUES {rests}) AS v (key, ends, p50, p85) WHERE key = s.key) w
           ) d ON true""",
    ),
    "brief": (
        ("run",),
        """LEFT JOIN LATERAL (
           SELECT CASE jsonb_typeof(a.facts->'value_per_year')
                  WHEN 'number' THEN (a.facts->>'value_per_year')::float8 END AS value,
                  CASE jsonb_typeof(a.facts->'tier')
                  WHEN 'number' THEN (a.facts->>'tier')::float8::int END AS tier,
                  a.facts->>'currency' AS currency
             FROM runs_step st JOIN runs_attempt a ON a.id = st.result_id
            WHERE st.run_id = r.id AND st.operation = 'frame_value'
            ORDER BY a.id DESC LIMIT 1) f ON true""",
    ),
    "score": (
        (),
        """LEFT JOIN LATERAL (
           SELECT score FROM readiness_point
            WHERE use_case_id = u.id ORDER BY id DESC LIMIT 1) p ON true""",
    ),
    "model": ((), "LEFT JOIN registry_model m ON m.use_case_id = u.id"),
    "champion": (
        ("model",),
        """LEFT JOIN LATERAL (
           SELECT mv.number, dp.started_at
             FROM registry_deployment dp JOIN registry_modelversion mv ON mv.id = dp.version_id
            WHERE dp.model_id = m.id AND dp.mode = 'live' AND dp.ended_at IS NULL
            LIMIT 1) c ON true""",
    ),
    "alerts": (
        ("model",),
        """LEFT JOIN LATERAL (
           SELECT count(*) AS all, count(*) FILTER (WHERE severity = 'red') AS red
             FROM monitoring_alert
            WHERE model_id = m.id AND state = ANY(%(open_alerts)s)) al ON true""",
    ),
    "plan": (
        ("run",),
        """LEFT JOIN usecases_blueprintversion bv ON bv.id = r.version_id
           LEFT JOIN usecases_blueprint b ON b.id = coalesce(bv.blueprint_id, u.blueprint_id)""",
    ),
    "persona": (("stage",), "LEFT JOIN personas_persona pp ON pp.code = s.persona_id"),
    "owner": (("stage",), "LEFT JOIN personas_user ow ON ow.id = s.owner_id"),
}

# What can be sorted by: the expression, what it looks at, and whether most is first.
SORTS: Final[dict[str, tuple[str, tuple[str, ...], bool]]] = {
    "moved": ("coalesce(r.moved_at, u.created_at)", ("run",), True),
    "title": ("lower(u.title)", (), False),
    "value": ("f.value", ("brief",), True),
    "tier": ("f.tier", ("brief",), False),
    "stage": ("s.position", ("stage",), False),
    "holder": ("pp.lane", ("persona",), False),
    "age": ("s.since", ("stage",), False),
    "score": ("p.score", ("score",), True),
    "forecast": ("d.p50", ("rest",), False),
    "champion": ("c.started_at", ("champion",), True),
    "alerts": ("NULLIF(al.all, 0)", ("alerts",), True),
}

LINE: Final = """
SELECT u.id, r.id, s.id, s.key, s.persona_id, coalesce(NULLIF(ow.name, ''), ow.username, ''),
       s.state, s.since, s.due_at, f.value, coalesce(f.currency, ''), f.tier, p.score,
       d.p50, d.p85, coalesce(m.name, ''), c.number, c.started_at, al.all, al.red,
       coalesce(b.key, '')
"""


def joined(*wanted: str) -> str:
    """Return the joins that are wanted, each after those that it needs."""
    found: list[str] = []

    def add(name: str) -> None:
        for needed in JOINS[name][0]:
            add(needed)
        if name not in found:
            found.append(name)

    for name in wanted:
        add(name)
    return "\n".join(JOINS[name][1] for name in found)
