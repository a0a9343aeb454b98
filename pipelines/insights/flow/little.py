"""Little's law with its test of validity, and what utilisation does to time. [F4]"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.insights.flow.measures import wip
from pipelines.insights.flow.records import DAY, Window

MOST_RESIDUAL = 0.25  # own: above it the law is not shown
ALIKE = 0.25  # own: arrivals and departures, and both ends' WIP, differ by at most this share
Span = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class LittlesLaw:
    """Average WIP = average throughput x average cycle time, with how far it is off.

    `throughput` per day, `residual` = |CT - WIP/TH| / CT; the four conditions; `shown` says
    whether the law may be relied on: the residual is at most 25 %.
    """

    n: int
    wip: float
    throughput: float
    cycle: timedelta | None
    residual: float | None
    arrivals: int
    departures: int
    balanced: bool
    same_wip: bool
    ages_steady: bool
    shown: bool


def average_wip(spans: Iterable[Span], window: Window) -> float:
    """Return WIP averaged over the window's time."""
    length = window.until - window.since
    if not length:
        return 0.0
    under_way = timedelta(0)
    for start, end in spans:
        inside = min(end or window.until, window.until) - max(start, window.since)
        under_way += max(inside, timedelta(0))
    return under_way / length


def mean_age(spans: Iterable[Span], at: datetime) -> timedelta | None:
    """Return the mean age of what is under way at a moment."""
    open_ = [at - start for start, end in spans if start <= at and (end is None or at < end)]
    return sum(open_, timedelta(0)) / len(open_) if open_ else None


def littles_law(spans: Sequence[Span], window: Window) -> LittlesLaw:
    """Return the law and whether its assumptions hold: arrivals about equal departures, WIP is
    similar at both ends, average age does not trend. [F4]
    """
    ended = [(start, end) for start, end in spans if end is not None and window.has(end)]
    arrivals = sum(1 for start, _ in spans if window.has(start))
    cycles = [end - start for start, end in ended]
    cycle = sum(cycles, timedelta(0)) / len(cycles) if cycles else None
    rate = len(ended) / window.days if window.days else 0.0
    average = average_wip(spans, window)
    residual = None
    if cycle and rate:
        residual = abs(cycle / DAY - average / rate) / (cycle / DAY)
    ages = (mean_age(spans, window.since), mean_age(spans, window.until))
    return LittlesLaw(
        n=len(ended),
        wip=average,
        throughput=rate,
        cycle=cycle,
        residual=residual,
        arrivals=arrivals,
        departures=len(ended),
        balanced=alike(arrivals, len(ended)),
        same_wip=alike(wip(spans, window.since), wip(spans, window.until)),
        ages_steady=alike(*(age / DAY if age is not None else 0.0 for age in ages)),
        shown=residual is not None and residual <= MOST_RESIDUAL,
    )


def alike(one: float, two: float) -> bool:
    """Whether two figures differ by at most a quarter of the greater one. (own)"""
    return abs(one - two) <= ALIKE * max(one, two)


def time_in_system(utilisation: float) -> float:
    """Return time in system in units of service time, of one server (M/M/1): 1 / (1 - rho).

    Twice at 0.5, 5 times at 0.8, 10 at 0.9, 20 at 0.95. Raises ValueError outside [0, 1).
    """
    if not 0 <= utilisation < 1:
        raise ValueError(f"utilisation must be at least 0 and below 1, got {utilisation}")
    return 1 / (1 - utilisation)
