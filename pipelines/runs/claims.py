"""The SQL of the hot path: claim, heartbeat, progress. One statement each, fenced by the token."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from personas import statements

# Claims share the run row, commands own it: a claim cannot slip past a cancel, and a busy run is
# skipped, not waited for. Lock order: run (shared), attempt, step.
# The first that both locks let through is taken, and no more is locked: who waits for a run's lock
# would wait for claims of other runs.
# The queue's rows come and go faster than statistics: where the planner believes in one row, it
# joins all with all. So each part can be done in one way only, row by row over an index: laterals
# that lock are not pulled up, a subquery as a value is not joined, and "state || ''" keeps the key
# from being looked up in the index of all that is queued.
# None of these waits for the disk: a claim or beat that a crash of the database undoes only lets
# somebody else claim, and token and owner fence off who believed to hold it.
# The clock is a subquery, read once a statement: as a plain call it is read for every row.
_CLAIM = """
WITH cand AS MATERIALIZED (
    SELECT c.* FROM unnest(%(queues)s::text[]) q(queue) CROSS JOIN LATERAL (
        SELECT a.id, a.run_id, a.priority, a.due_at FROM runs_attempt a
         WHERE a.state = 'QUEUED' AND a.queue = q.queue AND a.due_at <= (SELECT baton_now())
           AND a.operation = ANY(%(operations)s)
           AND (SELECT r.state FROM runs_run r WHERE r.id = a.run_id) = 'RUNNING' {room}
         ORDER BY a.priority DESC, a.due_at, a.id LIMIT %(window)s) c
     ORDER BY c.priority DESC, c.due_at, c.id LIMIT %(window)s),
a AS MATERIALIZED (
    SELECT mine.id FROM cand
     CROSS JOIN LATERAL (
        SELECT r.id FROM runs_run r WHERE r.id = cand.run_id AND r.state || '' = 'RUNNING'
           FOR SHARE SKIP LOCKED) held
     CROSS JOIN LATERAL (
        SELECT b.id FROM runs_attempt b
         WHERE b.id = cand.id AND held.id IS NOT NULL AND b.state || '' = 'QUEUED'
           FOR UPDATE SKIP LOCKED) mine
     LIMIT 1),
claimed AS (
    UPDATE runs_attempt SET state = 'RUNNING', owner = %(owner)s, worker = %(worker)s,
           token = token + 1, deliveries = deliveries + 1, started_at = {now},
           lease_until = {now} + make_interval(secs => %(lease)s)
     WHERE id = (SELECT a.id FROM a)
    RETURNING id, step_id, run_id, token, operation, params, inputs, seed, queue, package),
stepped AS (
    UPDATE runs_step SET state = 'RUNNING' WHERE id = (SELECT step_id FROM claimed)
    RETURNING id)
SELECT c.*, pg_notify('baton_changed', 'run:' || c.run_id || ':0'),
       set_config('synchronous_commit', 'off', true) FROM claimed c, stepped
"""
FENCE = "WHERE id = %(id)s AND token = %(token)s AND owner = %(owner)s AND state = 'RUNNING'"
HEARTBEAT = f"""
UPDATE runs_attempt SET lease_until = baton_now() + make_interval(secs => %(lease)s)
{FENCE} RETURNING cancel_requested, set_config('synchronous_commit', %(commit)s, true)
"""  # noqa: S608 - no value is formatted in
PROGRESS = f"""
UPDATE runs_attempt SET lease_until = baton_now() + make_interval(secs => %(lease)s),
       progress = %(fraction)s, progress_text = %(text)s, progress_rows = %(rows)s,
       progress_at = baton_now()
{FENCE} RETURNING cancel_requested, pg_notify('baton_changed', 'run:' || run_id || ':0'),
       set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - no value is formatted in
# What has reached a limit is no candidate. A slot is held by a RUNNING attempt and by nothing else:
# no end of an attempt can forget to free it, and nobody holds one while people think.
ROOM = """
       AND NOT EXISTS (
           SELECT FROM runs_limit l
             CROSS JOIN LATERAL (SELECT CASE l.kind
                  WHEN 'queue' THEN a.queue WHEN 'operation' THEN a.operation
                  WHEN 'run' THEN a.run_id::text WHEN 'use_case' THEN (
                       SELECT u.use_case_id::text FROM runs_run u WHERE u.id = a.run_id)
                  END AS value) mine
            WHERE l.key IN ('*', mine.value)
              AND l.at_most <= (
                  SELECT count(*) FROM runs_attempt b JOIN runs_run s ON s.id = b.run_id
                   WHERE b.state = 'RUNNING' AND mine.value = CASE l.kind
                         WHEN 'queue' THEN b.queue WHEN 'operation' THEN b.operation
                         WHEN 'run' THEN b.run_id::text WHEN 'use_case' THEN s.use_case_id::text
                         END))
"""
# Who claims under limits claims one after the other: of two that count at once, both see room. The
# start is read once the turn has come: the transaction's own time is from before it waited, and
# would tell of an attempt that ran beside the one whose end made room.
CLAIM = _CLAIM.format(room="", now="baton_now()")
CLAIM_LIMITED = _CLAIM.format(room=ROOM, now="(baton_now() + (clock_timestamp() - now()))")
LOCK_LIMITS = "SELECT id FROM runs_limit ORDER BY id FOR UPDATE"
LIMITS_SECONDS = 1.0  # a process learns of the first limit, and of the last one's end, so late
WINDOWS = (16, 256)
_WAITING = """
SELECT EXISTS (
    SELECT FROM runs_attempt a
     WHERE a.state = 'QUEUED' AND a.due_at <= (SELECT baton_now()) AND a.queue = ANY(%(queues)s)
       AND a.operation = ANY(%(operations)s)
       AND (SELECT r.state FROM runs_run r WHERE r.id = a.run_id) = 'RUNNING' {room})
"""
WAITING, WAITING_LIMITED = _WAITING.format(room=""), _WAITING.format(room=ROOM)


@dataclass(frozen=True)
class Claim:
    """An attempt this process holds, as long as nobody has taken it over."""

    id: int
    step_id: int
    run_id: int
    token: int
    operation: str
    params: dict[str, Any]
    inputs: dict[str, Any]
    seed: int
    queue: str
    owner: UUID
    package: dict[str, Any] = field(default_factory=dict)


def claim(
    *, queues: Sequence[str], operations: Sequence[str], owner: UUID, worker: str, lease: float
) -> Claim | None:
    """Take the next attempt, or None. Looks again with a wider window: busy runs hide others."""
    values = {
        "queues": list(queues),
        "operations": list(operations),
        "owner": owner,
        "worker": worker,
        "lease": lease,
    }
    if LIMITS.any():
        with transaction.atomic(), connection.cursor() as cursor:
            # Two statements: the second one's count sees what was claimed while the first waited.
            cursor.execute(LOCK_LIMITS)
            return _take(cursor, CLAIM_LIMITED, values)
    with connection.cursor() as cursor:
        return _take(cursor, CLAIM, values)


def _take(cursor: Any, sql: str, values: dict[str, Any]) -> Claim | None:
    for window in WINDOWS:
        statements.run(cursor, sql, {**values, "window": window})
        row = cursor.fetchone()
        if row is not None:
            # Django leaves jsonb of plain cursors as text.
            return Claim(
                id=row[0],
                step_id=row[1],
                run_id=row[2],
                token=row[3],
                operation=row[4],
                params=json.loads(row[5]),
                inputs=json.loads(row[6]),
                seed=row[7],
                queue=row[8],
                owner=values["owner"],
                package=json.loads(row[9]),
            )
    return None


class _Limits:
    """Whether there is any limit: asked once a second, for most places have none."""

    def __init__(self) -> None:
        self.known, self.until = False, 0.0

    def any(self) -> bool:
        """Whether claims have to count."""
        if time.monotonic() >= self.until:
            with connection.cursor() as cursor:
                cursor.execute("SELECT EXISTS (SELECT FROM runs_limit)")
                self.known = bool(cursor.fetchone()[0])
            self.until = time.monotonic() + LIMITS_SECONDS
        return self.known

    def forget(self) -> None:
        """Ask again with the next claim."""
        self.until = 0.0


LIMITS = _Limits()


def waiting(*, queues: Sequence[str], operations: Sequence[str]) -> bool:
    """Whether anything is due, be its run locked just now or not."""
    sql = WAITING_LIMITED if LIMITS.any() else WAITING
    with connection.cursor() as cursor:
        statements.run(cursor, sql, {"queues": list(queues), "operations": list(operations)})
        row = cursor.fetchone()
    return bool(row and row[0])


def heartbeat(held: Claim, *, lease: float, durable: bool = False) -> bool | None:
    """Extend the lease; returns whether to cancel, or None where the claim is lost (fenced).

    A durable one waits until it, and so the claim before it, is on the disk.
    """
    values = {**_fence(held, lease), "commit": "on" if durable else "off"}
    with connection.cursor() as cursor:
        statements.run(cursor, HEARTBEAT, values)
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def progress(
    held: Claim, *, lease: float, fraction: float | None, text: str, rows: int | None
) -> bool | None:
    """Write how far it is, and extend the lease; answers as `heartbeat`."""
    values = {**_fence(held, lease), "fraction": fraction, "text": text[:200], "rows": rows}
    with connection.cursor() as cursor:
        statements.run(cursor, PROGRESS, values)
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def _fence(held: Claim, lease: float) -> dict[str, Any]:
    return {"id": held.id, "token": held.token, "owner": held.owner, "lease": lease}
