"""Which workers are alive, and what they offer: one row per start of a worker, renewed by it.

Nothing is claimed or lost by these rows (an attempt's lease is on the attempt); they only say why
something waits. A worker counts as alive until it leaves, or is silent for as long as its lease.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection

KEPT_SECONDS: Final = 86_400  # rows of workers that are gone

_BEAT: Final = """
INSERT INTO runs_workerpresence
       (incarnation, name, queues, operations, lanes, packages, enforces, began_at, seen_at,
        alive_until)
VALUES (%(incarnation)s, %(name)s, %(queues)s, %(operations)s, %(lanes)s, %(packages)s::jsonb,
        %(enforces)s::jsonb, baton_now(), baton_now(),
        baton_now() + make_interval(secs => %(lease)s))
    ON CONFLICT (incarnation) DO UPDATE
   SET seen_at = excluded.seen_at, alive_until = excluded.alive_until
"""
_GONE: Final = """
DELETE FROM runs_workerpresence WHERE seen_at < baton_now() - make_interval(secs => %(kept)s)
"""
_LEAVE: Final = "UPDATE runs_workerpresence SET left_at = baton_now() WHERE incarnation = %s"
# Code of before an operation came in queues it under `cpu`; who knows it puts it right.
_CORRECT: Final = """
UPDATE runs_attempt SET queue = %(queue)s
 WHERE id IN (SELECT id FROM runs_attempt
               WHERE state = 'QUEUED' AND queue <> %(queue)s AND operation = ANY(%(operations)s)
               ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED)
"""
_ALIVE: Final = """
SELECT queues, operations FROM runs_workerpresence
 WHERE left_at IS NULL AND alive_until > (SELECT baton_now())
"""


@dataclass(frozen=True)
class Offers:
    """What the living workers offer: (queues, operations they know) of each."""

    workers: tuple[tuple[frozenset[str], frozenset[str]], ...]

    @property
    def queues(self) -> frozenset[str]:
        """Every queue that somebody serves."""
        return frozenset().union(*(queues for queues, _ in self.workers))

    def lacks(self, queue: str, operation: str = "") -> str:
        """Return why nobody alive takes such an attempt ("no worker offers gpu"); else ""."""
        serving = [known for queues, known in self.workers if queue in queues]
        if not serving:
            return f"no worker offers {queue}"
        if operation and not any(operation in known for known in serving):
            return f"no worker that offers {queue} knows {operation}"
        return ""


def beat(
    *,
    incarnation: UUID,
    name: str,
    queues: Sequence[str],
    operations: Sequence[str],
    lanes: int,
    packages: Sequence[Mapping[str, Any]] = (),
    enforces: Mapping[str, str] | None = None,
) -> None:
    """Say that the worker is alive. Raises DatabaseError."""
    row: dict[str, Any] = {
        "incarnation": incarnation,
        "name": name[:80],
        "queues": list(queues),
        "operations": list(operations),
        "lanes": lanes,
        "packages": json.dumps(list(packages)),
        "enforces": json.dumps(dict(enforces or {})),
        "lease": settings.LEASE_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, row)
        cursor.execute(_GONE, {"kept": KEPT_SECONDS})


def leave(incarnation: UUID) -> None:
    """Say that the worker takes nothing any more. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, [incarnation])


def correct(queue: str, operations: Iterable[str]) -> int:
    """Move queued attempts of these operations to their queue; says how many.

    Raises DatabaseError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CORRECT, {"queue": queue, "operations": list(operations)})
        return int(cursor.rowcount)


def alive() -> Offers:
    """Return what living workers offer; one query. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(_ALIVE)
        found = cursor.fetchall()
    return Offers(tuple((frozenset(queues), frozenset(known)) for queues, known in found))
