"""Monte Carlo on daily throughput: when will so many be done, how many until then. [F6]"""

import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from pipelines.insights.flow.records import DAY
from pipelines.insights.flow.spread import percentile

TRIALS = 10_000  # [F6]
SHORT = 30  # days (own): a shorter history is widened
FARTHEST = 3650  # days: what is not done in ten years has no date worth telling
SEED = 2013


@dataclass(frozen=True, slots=True)
class Forecast:
    """From now on, how long it will take: with 50, 85 and 95 % chance at most that.

    `n`: how many items (of "when") or past samples (of a use case) it rests on; `history`: days
    of history; `widened`: fewer than 30, so that the history itself was drawn, too; the lengths
    are None where there is too little to say anything.
    """

    n: int
    history: int
    trials: int
    widened: bool
    p50: timedelta | None = None
    p85: timedelta | None = None
    p95: timedelta | None = None

    def dates(self, since: datetime) -> tuple[datetime | None, datetime | None, datetime | None]:
        """Return the three dates, counted from a moment."""
        p50, p85, p95 = (
            since + one if one is not None else None for one in (self.p50, self.p85, self.p95)
        )
        return p50, p85, p95


@dataclass(frozen=True, slots=True)
class HowMany:
    """What will be done in `days`: at least that many with 50, 85 and 95 % chance."""

    days: int
    history: int
    trials: int
    widened: bool
    p50: int | None = None
    p15: int | None = None
    p5: int | None = None


def when(
    counts: Sequence[int], remaining: int, *, trials: int = TRIALS, seed: int = SEED
) -> Forecast:
    """Return when `remaining` items will be done, from past daily throughput (zeros included).

    Draws past days with replacement until nothing remains, `trials` times; the 50th, 85th and
    95th percentile of the days that took. [F6] Of a stationary Poisson process an 85 % date held
    in 85 % of runs with 60 days of history, but only in 78 % with 15 (measured); so below 30 days
    each trial first draws a history of its own out of the history (own), which adds how little
    the history says about its own mean.
    """
    widened = len(counts) < SHORT
    if remaining <= 0:
        zero = timedelta(0)
        return Forecast(0, len(counts), trials, widened, zero, zero, zero)
    if not any(counts):
        return Forecast(remaining, len(counts), trials, widened)
    rng = random.Random(seed)  # noqa: S311 - no secret
    took = sorted(
        float(_days_until(_history(counts, widened, rng), remaining, rng)) for _ in range(trials)
    )
    p50, p85, p95 = (_days(percentile(took, q)) for q in (0.5, 0.85, 0.95))
    return Forecast(remaining, len(counts), trials, widened, p50, p85, p95)


def how_many(
    counts: Sequence[int], days: int, *, trials: int = TRIALS, seed: int = SEED
) -> HowMany:
    """Return how many will be done in `days`: the sum of so many draws, p50, p15 and p5. [F6]"""
    widened = len(counts) < SHORT
    if not counts or days < 1:
        return HowMany(days, len(counts), trials, widened)
    rng = random.Random(seed)  # noqa: S311 - no secret
    sums = sorted(
        float(sum(rng.choices(_history(counts, widened, rng), k=days))) for _ in range(trials)
    )
    p50, p15, p5 = (int(percentile(sums, q)) for q in (0.5, 0.15, 0.05))
    return HowMany(days, len(counts), trials, widened, p50, p15, p5)


def _history(counts: Sequence[int], widened: bool, rng: random.Random) -> Sequence[int]:
    return rng.choices(counts, k=len(counts)) if widened else counts


def _days(count: float) -> timedelta | None:
    return count * DAY if count < FARTHEST else None


def _days_until(counts: Sequence[int], remaining: int, rng: random.Random) -> int:
    """Return on which drawn day nothing remains; FARTHEST where it never comes."""
    mean = sum(counts) / len(counts)
    if not mean:
        return FARTHEST
    days, done = 0, 0
    chunk = int(remaining / mean * 1.5) + 8
    while days < FARTHEST:
        drawn = list(accumulate(rng.choices(counts, k=chunk), initial=done))
        if drawn[-1] >= remaining:
            return days + bisect_left(drawn, remaining)
        days, done = days + chunk, drawn[-1]
    return FARTHEST
