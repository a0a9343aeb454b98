"""What an invariant is: a statement about the tables, and the SQL that returns what breaks it.

Each statement answers (what, id, run, wrong): the kind and id of the offending row, its run (or
null), and what is wrong with it, at most `limit` rows. In the full form it looks at every row; in
the quick form a place like `{gate}` stands for the rows that the ledger says have moved since
`since`, and for those that were broken when last looked at (`known`, "kind:id").
"""

from dataclasses import dataclass
from typing import Final

# The ledger is asked which rows moved: its index by time exists, and every move writes an event.
# OFFSET 0 has them found first: the planner would rather read a whole table they are joined with.
_MOVED: Final = """(SELECT t.* FROM {table} t WHERE t.id IN (
    SELECT e.subject_id FROM personas_event e
     WHERE e.at >= %(since)s AND e.subject = '{kind}'
     UNION SELECT split_part(k, ':', 2)::bigint FROM unnest(%(known)s::text[]) k
            WHERE split_part(k, ':', 1) = '{kind}') OFFSET 0)"""
_MOVED_RUNS: Final = """(SELECT t.* FROM runs_run t WHERE t.id IN (
    SELECT CASE WHEN s.kind = 'run' THEN s.key::bigint END
      FROM personas_event e JOIN personas_stream s ON s.id = e.stream_id
     WHERE e.at >= %(since)s AND e.subject IN ('run', 'stage', 'gate')
     UNION SELECT unnest(%(runs)s::bigint[])) OFFSET 0)"""
_LATE_EVENTS: Final = """(SELECT e.* FROM personas_event e WHERE e.at >= %(since)s
    UNION ALL SELECT e.* FROM personas_event e WHERE e.at < %(since)s AND e.id IN (
        SELECT split_part(k, ':', 2)::bigint FROM unnest(%(known)s::text[]) k
         WHERE split_part(k, ':', 1) = 'event'))"""
# For folding: what happened lately, and the whole history of runs that were broken.
_HISTORY: Final = """(SELECT e.* FROM personas_event e WHERE e.at >= %(since)s
    UNION ALL SELECT e.* FROM personas_stream s JOIN personas_event e ON e.stream_id = s.id
     WHERE s.kind = 'run' AND s.key = ANY(%(runs)s::text[]) AND e.at < %(since)s)"""
_STREAMS: Final = """(SELECT s.* FROM personas_stream s WHERE s.id IN (
    SELECT e.stream_id FROM personas_event e WHERE e.at >= %(since)s
     UNION SELECT split_part(k, ':', 2)::bigint FROM unnest(%(known)s::text[]) k
            WHERE split_part(k, ':', 1) = 'stream'))"""
# No index by time here; ids grow with it.
_RECEIPTS: Final = """(SELECT r.* FROM personas_receipt r
     WHERE r.id > (SELECT max(id) FROM personas_receipt) - 5000
    UNION SELECT r.* FROM personas_receipt r WHERE r.id IN (
        SELECT split_part(k, ':', 2)::bigint FROM unnest(%(known)s::text[]) k
         WHERE split_part(k, ':', 1) = 'receipt'))"""

TABLES: Final = {
    "stage": "runs_stage",
    "step": "runs_step",
    "attempt": "runs_attempt",
    "work_item": "runs_workitem",
    "gate": "runs_gate",
    "decision": "runs_decision",
    "hand_off": "runs_handoff",
    "finding": "runs_finding",
}
_QUICK: Final = {
    **{kind: _MOVED.format(table=table, kind=kind) for kind, table in TABLES.items()},
    "run": _MOVED_RUNS,
    "event": _LATE_EVENTS,
    "history": _HISTORY,
    "stream": _STREAMS,
    "receipt": _RECEIPTS,
    "join": "LEFT",
}
_FULL: Final = {
    **TABLES,
    "run": "runs_run",
    "event": "personas_event",
    "history": "personas_event",
    "stream": "personas_stream",
    "receipt": "personas_receipt",
    "join": "FULL",
}


@dataclass(frozen=True)
class Invariant:
    """One invariant. `places` names what of its SQL stands for all rows or for moved ones."""

    code: str
    sentence: str
    sql: str
    places: tuple[str, ...] = ()

    def statement(self, *, full: bool) -> str:
        """Return the SQL of one form."""
        words = _FULL if full else _QUICK
        sql = self.sql
        for place in self.places:
            sql = sql.replace(f"{{{place}}}", words[place])
        return sql


@dataclass(frozen=True)
class Offender:
    """A row that breaks an invariant."""

    what: str
    id: int
    run: int | None
    wrong: str

    def __str__(self) -> str:
        of_run = f" of run {self.run}" if self.run is not None and self.what != "run" else ""
        return f"{self.what} {self.id}{of_run}: {self.wrong}"

    @property
    def name(self) -> str:
        """Return what a later look finds the row by."""
        return f"{self.what}:{self.id}"


@dataclass(frozen=True)
class Result:
    """What one invariant's statement answered; with a `problem` it did not answer at all."""

    code: str
    sentence: str
    offenders: tuple[Offender, ...] = ()
    problem: str = ""
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether it was looked at and nothing breaks it."""
        return not self.offenders and not self.problem
