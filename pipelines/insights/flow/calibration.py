"""Calibration: how often past forecasts held, told from each run's beginning. (own)"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pipelines.insights.flow.forecast import SEED, Forecast
from pipelines.insights.flow.measures import Share
from pipelines.insights.flow.records import RunRecord, StageVisit
from pipelines.insights.flow.walks import past, road, whole

MOST: Final = 24  # runs told again; each takes some milliseconds
WALKS: Final = 200


@dataclass(frozen=True, slots=True)
class PastForecast:
    """What would have been said when a run began, from what was known then, and what came."""

    run: int
    use_case: str
    label: str
    forecast: Forecast
    actual: timedelta


@dataclass(frozen=True)
class Calibration:
    """The share of runs that were done by the date said with 50, 85 and 95 % chance.

    `n` runs; `skipped`: those of which too little was known when they began.
    """

    n: int
    skipped: int
    held50: Share
    held85: Share
    held95: Share
    forecasts: tuple[PastForecast, ...]


def calibration(
    runs: Sequence[RunRecord],
    visits: Sequence[StageVisit],
    stages: Sequence[str],
    *,
    seed: int = SEED,
    most: int = MOST,
) -> Calibration:
    """Return how forecasts of the newest finished runs would have held, each made only from visits
    that had ended when it began.
    """
    ended = [run for run in runs if run.state == "SUCCEEDED" and run.finished is not None]
    newest = sorted(ended, key=lambda run: (run.started, run.id), reverse=True)[:most]
    found = []
    for run in newest:
        known = [v for v in visits if v.finished is not None and v.finished <= run.started]
        way = road(past(known), stages, run.tier, trials=WALKS, seed=seed)
        if way is None or run.finished is None:
            continue
        actual = run.finished - run.started
        found.append(PastForecast(run.id, run.use_case, run.label, whole(way), actual))
    return judged(found, skipped=len(newest) - len(found))


def judged(found: Sequence[PastForecast], *, skipped: int = 0) -> Calibration:
    """Return the shares that held."""
    n = len(found)

    def held(name: str) -> Share:
        limits = ((getattr(one.forecast, name), one.actual) for one in found)
        return Share(sum(1 for limit, actual in limits if limit and actual <= limit), n)

    return Calibration(n, skipped, held("p50"), held("p85"), held("p95"), tuple(found))
