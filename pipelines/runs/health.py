"""How far the engine is behind, in one query: for /readyz, /metrics and the console."""

from dataclasses import dataclass

from django.db import connection

_FIGURES = """
SELECT count(*) FILTER (WHERE state = 'QUEUED' AND due_at <= now.at),
       count(*) FILTER (WHERE state = 'RUNNING'),
       coalesce(extract(epoch FROM max(now.at - due_at)
                FILTER (WHERE state = 'QUEUED' AND due_at <= now.at AND poked_at IS NULL)), 0),
       (SELECT count(*) FROM personas_outbox
         WHERE sent_at IS NULL AND dead_at IS NULL AND due_at <= now.at),
       (SELECT coalesce(extract(epoch FROM max(now.at - due_at)), 0) FROM personas_outbox
         WHERE sent_at IS NULL AND dead_at IS NULL AND due_at <= now.at)
  FROM (SELECT baton_now() AS at) AS now
  LEFT JOIN runs_attempt ON state IN ('QUEUED', 'RUNNING')
 GROUP BY now.at
"""


@dataclass(frozen=True)
class EngineFigures:
    """Counts, and ages in seconds of the oldest thing that waits for the engine."""

    attempts_queued: int
    attempts_running: int
    oldest_unpoked_seconds: float
    outbox_open: int
    outbox_oldest_seconds: float

    @property
    def lag_seconds(self) -> float:
        """How long the engine has left something due undone; a stopped engine lets it grow."""
        return max(self.oldest_unpoked_seconds, self.outbox_oldest_seconds)


def figures() -> EngineFigures:
    """Read the engine's figures now."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES)
        queued, running, unpoked, outbox, oldest = cursor.fetchone()
    return EngineFigures(
        attempts_queued=queued,
        attempts_running=running,
        oldest_unpoked_seconds=float(unpoked),
        outbox_open=outbox,
        outbox_oldest_seconds=float(oldest),
    )
