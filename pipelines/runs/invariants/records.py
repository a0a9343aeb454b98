"""Invariants of what is written down: the ledger, receipts, artefacts, the outbox, end states."""

from typing import Final

from pipelines.runs.invariants.contract import TABLES, Invariant

# A claim is no event: its row is its record. So QUEUED and RUNNING are one state to the ledger.
_UNCLAIMED: Final = (
    "CASE WHEN {kind} IN ('attempt', 'step') AND {state} = 'RUNNING' THEN 'QUEUED' ELSE {state} END"
)
_BEFORE: Final = _UNCLAIMED.format(kind="t.subject", state="t.before")
_EARLIER: Final = _UNCLAIMED.format(kind="t.subject", state="t.earlier")
_PRESENT: Final = _UNCLAIMED.format(kind="what", state="present")
_TOLD: Final = _UNCLAIMED.format(kind="what", state="told")
_RUN_OF: Final = {
    "run": "t.id",
    "decision": "(SELECT g.run_id FROM runs_gate g WHERE g.id = t.gate_id)",
}
_KINDS: Final = {"run": "runs_run", **TABLES}


def _rows_and_events() -> str:
    """Put each row's state beside what its last event says; the full form sees rows without any."""
    parts = [
        f"SELECT '{kind}' AS what, coalesce(t.id, l.subject_id) AS id,"  # noqa: S608
        f" {_RUN_OF.get(kind, 't.run_id')} AS run, t.state AS present, l.after AS told,"
        f" l.stream_id, l.seq"
        f" FROM (SELECT * FROM told WHERE final AND subject = '{kind}') l"
        f" {{join}} JOIN {table} t ON t.id = l.subject_id"
        for kind, table in _KINDS.items()
    ]
    return " UNION ALL ".join(parts)


# Three ways in which the ledger may contradict: itself (chain), its heads, and the rows (fold).
# Events get their time when their command begins, their number when it locks the run. So at the
# edge of the quick form's window an event may be missing: what looks wrong is looked up once more.
LEDGER: Final = Invariant(
    "I14",
    "Events are numbered without gaps, each chained to the one before; folded, they give the state"
    " of every row.",
    f"""
WITH told AS (
    SELECT e.id, e.stream_id, e.seq, e.type, e.subject, e.subject_id, e.before, e.after,
           lag(e.after) OVER one AS earlier, lag(e.seq) OVER one AS earlier_seq,
           lead(e.id) OVER one IS NULL AS final
      FROM {{history}} e
     WHERE e.after <> '' AND e.subject IN ({", ".join(f"'{kind}'" for kind in _KINDS)})
    WINDOW one AS (PARTITION BY e.subject, e.subject_id ORDER BY e.stream_id, e.seq)),
seen AS ({_rows_and_events()})
(SELECT DISTINCT 'event', e.id, CASE WHEN s.kind = 'run' THEN s.key::bigint END,
       s.kind || ':' || s.key || '#' || e.seq || CASE
       WHEN e.seq > 1 AND p.id IS NULL THEN ' follows a gap'
       ELSE ' is not chained to the event before' END
  FROM {{event}} e JOIN personas_stream s ON s.id = e.stream_id
  LEFT JOIN personas_event p ON p.stream_id = e.stream_id AND p.seq = e.seq - 1
 WHERE coalesce(p.digest, CASE WHEN e.seq > 1 THEN 'missing' ELSE '' END) <> e.previous
 LIMIT %(limit)s)
UNION ALL
(SELECT 'stream', s.id, CASE WHEN s.kind = 'run' THEN s.key::bigint END,
       s.kind || ':' || s.key || ' says it ends at ' || s.seq || ', which is not its last event'
  FROM {{stream}} s
  LEFT JOIN personas_event e ON e.stream_id = s.id AND e.seq = s.seq
 WHERE coalesce(e.digest, '') <> s.head
    OR EXISTS (SELECT FROM personas_event m WHERE m.stream_id = s.id AND m.seq > s.seq)
 LIMIT %(limit)s)
UNION ALL
(SELECT t.subject, t.subject_id,
       (SELECT s.key::bigint FROM personas_stream s WHERE s.id = t.stream_id AND s.kind = 'run'),
       'its event ' || t.id || ' (' || t.type || ') leads from '
       || t.before || ', but the one before led to ' || t.earlier
  FROM told t
 WHERE t.before <> '' AND {_BEFORE} <> {_EARLIER}
   AND NOT EXISTS (SELECT FROM personas_event x
                    WHERE x.stream_id = t.stream_id AND x.seq > t.earlier_seq AND x.seq < t.seq
                      AND x.subject = t.subject AND x.subject_id = t.subject_id AND x.after <> '')
 LIMIT %(limit)s)
UNION ALL
(SELECT what, id, run, 'is ' || coalesce(present, 'gone') || ', its events say '
       || coalesce(told, 'nothing')
  FROM seen
 WHERE {_PRESENT} IS DISTINCT FROM {_TOLD}
   AND NOT EXISTS (SELECT FROM personas_event x
                    WHERE x.stream_id = seen.stream_id AND x.seq > seen.seq
                      AND x.subject = seen.what AND x.subject_id = seen.id AND x.after <> '')
 LIMIT %(limit)s)
LIMIT %(limit)s
""",  # noqa: S608 - no value is formatted in
    ("history", "event", "stream", "join"),
)

SIGNED: Final = Invariant(
    "I15",
    "Every change of state in a run has an actor and the command it belongs to.",
    """
SELECT 'event', e.id, s.key::bigint, e.type || ' is by ' || concat_ws(' ', e.actor_kind,
       coalesce(nullif(e.actor_name, ''), 'nobody')) || ' under command ' || e.command
  FROM {event} e JOIN personas_stream s ON s.id = e.stream_id AND s.kind = 'run'
 WHERE (e.before <> '' OR e.after <> '')
   AND (e.actor_kind NOT IN ('person', 'service', 'worker', 'timer') OR e.actor_name = ''
        OR (e.actor_kind = 'person' AND e.actor_id IS NULL)
        OR e.command = '00000000-0000-0000-0000-000000000000')
 ORDER BY 2 LIMIT %(limit)s
""",
    ("event",),
)

ONE_ANSWER: Final = Invariant(
    "I16",
    "A person's Idempotency-Key has one receipt, and the receipt its answer.",
    """
SELECT 'receipt', r.id, NULL, r.name || ' with key ' || r.key || CASE
       WHEN r.response IS NULL THEN ' was committed without an answer'
       ELSE ' has another receipt' END
  FROM {receipt} r
 WHERE r.response IS NULL OR EXISTS (
       SELECT FROM personas_receipt o
        WHERE o.actor_id = r.actor_id AND o.key = r.key AND o.id < r.id)
 ORDER BY 2 LIMIT %(limit)s
""",
    ("receipt",),
)

KEPT: Final = Invariant(
    "I19",
    "Every artefact that an accepted result names is registered (and, in the full form, hashes to"
    " its name).",
    """
SELECT 'attempt', a.id, a.run_id,
       'its output ' || o.key || ' is ' || coalesce(o.value ->> 'digest', 'without a digest')
       || ', which is no artefact'
  FROM {attempt} a
 CROSS JOIN LATERAL jsonb_each(a.outputs) o
 WHERE a.id = (SELECT s.result_id FROM runs_step s WHERE s.id = a.step_id)
   AND NOT EXISTS (SELECT FROM artefacts_artefact f WHERE f.digest = o.value ->> 'digest')
 ORDER BY 2 LIMIT %(limit)s
""",
    ("attempt",),
)

DELIVERED: Final = Invariant(
    "I20",
    "Every outbox row is sent within a minute of its time, or dead-lettered.",
    """
SELECT 'outbox', o.id, NULL, o.topic || ' is due since ' || o.due_at || ' after ' || o.tries
       || ' tries'
  FROM personas_outbox o
 WHERE o.sent_at IS NULL AND o.dead_at IS NULL
   AND o.due_at < (SELECT baton_now()) - interval '60 s'
 ORDER BY 2 LIMIT %(limit)s
""",
)

_FINAL_STAYS: Final = ("run", "stage", "attempt", "work_item", "gate", "hand_off", "finding")
TRIGGERS: Final = (
    *((_KINDS[kind], "final_stays") for kind in _FINAL_STAYS),
    ("runs_finding", "keep"),
    ("runs_finding", "immutable_condition"),
    ("runs_override", "keep"),
    ("runs_override", "immutable_override"),
    ("runs_decision", "keep"),
    ("runs_decision", "immutable_verdict"),
    ("personas_event", "append_only"),
    ("personas_checkpoint", "append_only"),
    ("usecases_blueprintversion", "keep"),
    ("usecases_blueprintversion", "immutable_body"),
    ("artefacts_artefact", "immutable"),
)
_WANTED: Final = ", ".join(f"('{table}', '{name}')" for table, name in TRIGGERS)

ENDED: Final = Invariant(
    "I21",
    "Rows in an end state, events, seals, published versions and artefacts never change: the"
    " triggers that refuse it are in force.",
    f"""
SELECT 'trigger', to_regclass(w.relation)::oid::bigint, NULL,
       w.name || ' of ' || w.relation || CASE
       WHEN t.tgenabled = 'D' THEN ' is switched off' ELSE ' is missing' END
  FROM (VALUES {_WANTED}) w(relation, name)
  LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(w.relation)
        AND t.tgname LIKE 'pgtrigger\\_' || replace(w.name, '_', '\\_') || '\\_%%'
 WHERE t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A') ORDER BY 2, 4 LIMIT %(limit)s
""",  # noqa: S608 - no value is formatted in
)

# Wall-clock time, not Baton's: a simulation's clock says nothing of how long a row is locked.
SHORT: Final = Invariant(
    "I24",
    "No transaction of the application is older than 30 seconds (but a full verification's).",
    """
SELECT 'backend', a.pid, NULL, 'a transaction of ' || coalesce(nullif(a.application_name, ''),
       'an unnamed client') || ' is open since ' || a.xact_start || ' (' || a.state || ')'
  FROM pg_stat_activity a
 WHERE a.usename = %(role)s AND a.datname = current_database() AND a.pid <> pg_backend_pid()
   AND a.application_name <> 'baton verify'
   AND a.xact_start < clock_timestamp() - make_interval(secs => %(longest)s)
 ORDER BY 2 LIMIT %(limit)s
""",
)

RECORDS: Final = (LEDGER, SIGNED, ONE_ANSWER, KEPT, DELIVERED, ENDED, SHORT)
