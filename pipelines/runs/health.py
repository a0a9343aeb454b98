"""How far the engine is behind, in one query: for /readyz, /metrics and the console."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

_FIGURES = """
SELECT count(*) FILTER (WHERE state = 'QUEUED' AND due_at <= now.at),
       count(*) FILTER (WHERE state = 'RUNNING'),
       coalesce(extract(epoch FROM max(now.at - due_at)
                FILTER (WHERE state = 'QUEUED' AND due_at <= now.at AND poked_at IS NULL)), 0),
       (SELECT count(*) FROM personas_outbox
         WHERE sent_at IS NULL AND dead_at IS NULL AND due_at <= now.at),
       (SELECT coalesce(extract(epoch FROM max(now.at - due_at)), 0) FROM personas_outbox
         WHERE sent_at IS NULL AND dead_at IS NULL AND due_at <= now.at),
       (SELECT count(*) FROM personas_outbox WHERE dead_at IS NOT NULL)
  FROM (SELECT baton_now() AS at) AS now
  LEFT JOIN runs_attempt ON state IN ('QUEUED', 'RUNNING')
 GROUP BY now.at
"""

LONG_SECONDS: Final = 30.0  # as long as PostgreSQL lets one of Baton's own transactions idle
# Wall-clock time, as I24: a simulation's clock says nothing of other people's sessions.
_LONG: Final = """
SELECT pid, coalesce(usename, ''), application_name, coalesce(state, ''),
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND application_name <> 'baton verify' AND backend_type = 'client backend'
   AND xact_start < clock_timestamp() - make_interval(secs => %s)
 ORDER BY seconds DESC LIMIT 20
"""


@dataclass(frozen=True)
class EngineFigures:
    """Counts, and ages in seconds of the oldest thing that waits for the engine."""

    attempts_queued: int
    attempts_running: int
    oldest_unpoked_seconds: float
    outbox_open: int
    outbox_oldest_seconds: float
    outbox_dead: int = 0

    @property
    def lag_seconds(self) -> float:
        """How long the engine has left something due undone; a stopped engine lets it grow."""
        return max(self.oldest_unpoked_seconds, self.outbox_oldest_seconds)


def figures() -> EngineFigures:
    """Read the engine's figures now."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES)
        queued, running, unpoked, outbox, oldest, dead = cursor.fetchone()
    return EngineFigures(
        attempts_queued=queued,
        attempts_running=running,
        oldest_unpoked_seconds=float(unpoked),
        outbox_open=outbox,
        outbox_oldest_seconds=float(oldest),
        outbox_dead=dead,
    )


@dataclass(frozen=True)
class LongTransaction:
    """A transaction that somebody keeps open: it holds back vacuum, and queues grow slow."""

    pid: int
    role: str
    program: str
    state: str
    seconds: float


def long_transactions(over: float = LONG_SECONDS) -> list[LongTransaction]:
    """Return the transactions of this database older than so many seconds, the oldest first.

    Those of other roles are seen with the right pg_read_all_stats. A verification may be long.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LONG, [over])
        return [LongTransaction(*row) for row in cursor.fetchall()]
