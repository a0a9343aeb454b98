"""The SQL of the hot path: claim, heartbeat, progress. One statement each, fenced by the token."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from personas import statements

# Claims share the run row, commands own it: a claim cannot slip past a cancel, and a busy run is
# skipped, not waited for. Lock order: run (shared), attempt, step.
# None of these waits for the disk: a claim or beat that a crash of the database undoes only lets
# somebody else claim, and token and owner fence off who believed to hold it.
# The clock is a subquery, read once a statement: as a plain call it is read for every row.
CLAIM = """
WITH cand AS (
    SELECT a.id, a.run_id FROM runs_attempt a JOIN runs_run r ON r.id = a.run_id
     WHERE a.state = 'QUEUED' AND a.due_at <= (SELECT baton_now()) AND a.queue = ANY(%s)
       AND a.operation = ANY(%s) AND r.state = 'RUNNING'
     ORDER BY a.priority DESC, a.due_at, a.id LIMIT %s),
r AS MATERIALIZED (
    SELECT id FROM runs_run WHERE id IN (SELECT run_id FROM cand) AND state = 'RUNNING'
     ORDER BY id FOR SHARE SKIP LOCKED),
a AS MATERIALIZED (
    SELECT id FROM runs_attempt WHERE id IN (SELECT cand.id FROM cand JOIN r ON r.id = cand.run_id)
       AND state = 'QUEUED'
     ORDER BY priority DESC, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE runs_attempt SET state = 'RUNNING', owner = %s, worker = %s,
           token = token + 1, deliveries = deliveries + 1, started_at = baton_now(),
           lease_until = baton_now() + make_interval(secs => %s)
      FROM a WHERE runs_attempt.id = a.id AND runs_attempt.state = 'QUEUED'
    RETURNING runs_attempt.id, step_id, run_id, token, operation, params, inputs, seed, queue),
stepped AS (
    UPDATE runs_step SET state = 'RUNNING' FROM claimed WHERE runs_step.id = claimed.step_id
    RETURNING runs_step.id)
SELECT c.*, pg_notify('baton_changed', 'run:' || c.run_id || ':0'),
       set_config('synchronous_commit', 'off', true) FROM claimed c, stepped
"""
CLAIM_VALUES = ("queues", "operations", "window", "owner", "worker", "lease")
FENCE = "WHERE id = %(id)s AND token = %(token)s AND owner = %(owner)s AND state = 'RUNNING'"
HEARTBEAT = f"""
UPDATE runs_attempt SET lease_until = baton_now() + make_interval(secs => %(lease)s)
{FENCE} RETURNING cancel_requested, set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - no value is formatted in
PROGRESS = f"""
UPDATE runs_attempt SET lease_until = baton_now() + make_interval(secs => %(lease)s),
       progress = %(fraction)s, progress_text = %(text)s, progress_rows = %(rows)s,
       progress_at = baton_now()
{FENCE} RETURNING cancel_requested, pg_notify('baton_changed', 'run:' || run_id || ':0'),
       set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - no value is formatted in
WINDOWS = (16, 256)
WAITING = """
SELECT EXISTS (
    SELECT FROM runs_attempt a JOIN runs_run r ON r.id = a.run_id
     WHERE a.state = 'QUEUED' AND a.due_at <= (SELECT baton_now()) AND a.queue = ANY(%s)
       AND a.operation = ANY(%s) AND r.state = 'RUNNING')
"""


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


def claim(
    *, queues: Sequence[str], operations: Sequence[str], owner: UUID, worker: str, lease: float
) -> Claim | None:
    """Take the next attempt, or None. Looks again with a wider window: busy runs hide others."""
    values: dict[str, object] = {
        "queues": list(queues),
        "operations": list(operations),
        "owner": owner,
        "worker": worker,
        "lease": lease,
    }
    with connection.cursor() as cursor:
        for window in WINDOWS:
            given = {**values, "window": window}
            statements.run(cursor, CLAIM, [given[name] for name in CLAIM_VALUES])
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
                    owner=owner,
                )
    return None


def waiting(*, queues: Sequence[str], operations: Sequence[str]) -> bool:
    """Whether anything is due, be its run locked just now or not."""
    with connection.cursor() as cursor:
        statements.run(cursor, WAITING, [list(queues), list(operations)])
        row = cursor.fetchone()
    return bool(row and row[0])


def heartbeat(held: Claim, *, lease: float) -> bool | None:
    """Extend the lease; returns whether to cancel, or None where the claim is lost (fenced)."""
    with connection.cursor() as cursor:
        cursor.execute(HEARTBEAT, _fence(held, lease))
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def progress(
    held: Claim, *, lease: float, fraction: float | None, text: str, rows: int | None
) -> bool | None:
    """Write how far it is, and extend the lease; answers as `heartbeat`."""
    values = {**_fence(held, lease), "fraction": fraction, "text": text[:200], "rows": rows}
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, values)
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def _fence(held: Claim, lease: float) -> dict[str, Any]:
    return {"id": held.id, "token": held.token, "owner": held.owner, "lease": lease}
