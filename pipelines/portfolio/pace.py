"""How long stages took, and how long runs went on from them: what ages and dates are judged by.

Both are counts of the past, of all use cases: lengths name nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection

LEAST: Final = 10  # own: fewer finished rounds of a stage say nothing
LEAST_LEFT: Final = 5  # own: fewer runs that went on longer than this one has
MOST_ROUNDS, MOST_RUNS = 2_000, 200  # newest; a bound on what is read

STAYS: Final = """
SELECT key, count(*) AS n,
       percentile_cont(ARRAY[0.5, 0.85, 0.95]) WITHIN GROUP (ORDER BY seconds) AS at
  FROM (SELECT s.key, extract(epoch FROM s.finished_at - s.activated_at)::float8 AS seconds
          FROM runs_stage s JOIN runs_run r ON r.id = s.run_id
         WHERE s.state = 'DONE' AND s.activated_at IS NOT NULL AND s.finished_at IS NOT NULL
           AND r.kind = %(kind)s
         ORDER BY s.finished_at DESC LIMIT %(most)s) past
 GROUP BY key
"""
RESTS: Final = """
SELECT s.key, array_agg(extract(epoch FROM r.finished_at - s.began)::float8)
  FROM (SELECT id, finished_at FROM runs_run
         WHERE kind = 'main' AND started_at IS NOT NULL AND state = 'SUCCEEDED'
           AND finished_at IS NOT NULL
         ORDER BY finished_at DESC LIMIT %(most)s) r
  JOIN LATERAL (SELECT key, min(activated_at) AS began FROM runs_stage
                 WHERE run_id = r.id AND activated_at IS NOT NULL GROUP BY key) s ON true
 GROUP BY s.key
"""


@dataclass(frozen=True)
class Stay:
    """How long the finished rounds of a stage took; of fewer than `LEAST` nothing is said."""

    n: int
    p50: timedelta | None = None
    p85: timedelta | None = None
    p95: timedelta | None = None

    def level(self, age: timedelta) -> str:
        """Return "red" above the 95th percentile, "amber" above the 85th, else ""."""
        if self.p85 is None or self.p95 is None:
            return ""
        return "red" if age > self.p95 else "amber" if age > self.p85 else ""


def stay_of(n: int, found: Sequence[float]) -> Stay:
    """Return what a row of `STAYS` says. Pure."""
    if n < LEAST:
        return Stay(n)
    p50, p85, p95 = (timedelta(seconds=each) for each in found)
    return Stay(n, p50, p85, p95)


@dataclass(frozen=True)
class Rest:
    """How long runs went on after they had reached a stage, for a run that has been so long in it.

    `ends`: the lengths, sorted; `p50[i]` and `p85[i]` are of those that outlasted `ends[i - 1]`;
    None where fewer than `LEAST_LEFT` did.
    """

    ends: tuple[float, ...]
    p50: tuple[float | None, ...]
    p85: tuple[float | None, ...]


def rest_of(lengths: Sequence[float]) -> Rest:
    """Return the table of what is left, by what has passed. Pure."""
    ends = sorted(lengths)
    left = [ends[index:] for index in range(len(ends) + 1)]
    return Rest(
        tuple(ends),
        tuple(quantile(part, 0.5) if len(part) >= LEAST_LEFT else None for part in left),
        tuple(quantile(part, 0.85) if len(part) >= LEAST_LEFT else None for part in left),
    )


def quantile(values: Sequence[float], q: float) -> float:
    """Return the q-quantile of sorted values, between neighbours by straight line (type 7)."""
    height = (len(values) - 1) * q
    low = int(height)
    if low + 1 >= len(values):
        return values[-1]
    return values[low] + (height - low) * (values[low + 1] - values[low])


def rests() -> Mapping[str, Rest]:
    """Return what was left of runs that ended well, by the stage they had reached; one query."""
    with connection.cursor() as cursor:
        cursor.execute(RESTS, {"most": MOST_RUNS})
        return {key: rest_of(found) for key, found in cursor.fetchall()}
