"""WIP, throughput, cycle and lead time, %C/A, first-pass yield, flow efficiency, SLE.

Sources: [F1] dora.dev, value stream; [F3] Kanban Pocket Guide; [F5] theburndown.com. What is
"own" there is our convention.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.insights.flow.records import DAY, HandOffRecord, RunRecord, StageVisit, Window
from pipelines.insights.flow.spread import Spread, spread

SLE_SHARE = 0.85  # conv [F3]: the usual percentile of an expectation


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was finished on each day of the window, days without any included."""

    n: int
    per_day: float
    days: tuple[datetime, ...]  # where each day begins
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n`; the share is None of none."""

    count: int
    n: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1."""
        return self.count / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Flow efficiency: active time over all of it, of `n` visits that were looked up."""

    n: int
    active: timedelta
    elapsed: timedelta

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None where no time passed."""
        return min(self.active / self.elapsed, 1.0) if self.elapsed else None


@dataclass(frozen=True, slots=True)
class Expectation:
    """A service level expectation: `share` of what is begun is done `within`, judged by `n`."""

    n: int
    share: float
    within: timedelta | None


def wip(spans: Iterable[tuple[datetime, datetime | None]], at: datetime) -> int:
    """Return how many are started and not finished: start <= at < finish. [F3]"""
    return sum(1 for start, end in spans if start <= at and (end is None or at < end))


def spans(visits: Iterable[StageVisit]) -> list[tuple[datetime, datetime | None]]:
    """Return when each visit was under way."""
    return [(visit.started, visit.finished) for visit in visits]


def throughput(finished: Iterable[datetime | None], window: Window) -> Throughput:
    """Return the finished items by day, zeros included. [F3]

    Days are counted back from the window's end, 24 hours each; a last part of a day is left out
    of `counts`, but counts in `n` and `per_day`.
    """
    inside = [moment for moment in finished if moment is not None and window.has(moment)]
    days = int(window.days)
    counts = [0] * days
    for moment in inside:
        back = int((window.until - moment) / DAY)
        if back < days:
            counts[days - 1 - back] += 1
    begins = tuple(window.until - (days - n) * DAY for n in range(days))
    per_day = len(inside) / window.days if window.days else 0.0
    return Throughput(len(inside), per_day, begins, tuple(counts))


def cycle_times(visits: Iterable[StageVisit], window: Window) -> Spread:
    """Return finished - started of what was done in the window. [F3]"""
    return spread(visit.cycle for visit in visits if visit.done and window.has(visit.finished))


def ages(visits: Iterable[StageVisit], now: datetime) -> Spread:
    """Return now - started of what is open: the leading indicator of cycle time. [F3]"""
    return spread(now - visit.started for visit in visits if visit.finished is None)


def stage_lead_time(visit: StageVisit) -> timedelta | None:
    """Return accept from upstream to hand to downstream; begin and end where there is none. [F1]"""
    end = visit.handed or visit.finished
    return max(end - (visit.accepted or visit.started), timedelta(0)) if end else None


def stage_lead_times(visits: Iterable[StageVisit], window: Window) -> Spread:
    """Return the lead times of what was done in the window."""
    done = (visit for visit in visits if visit.done and window.has(visit.finished))
    return spread(stage_lead_time(visit) for visit in done)


def use_case_lead_times(runs: Iterable[RunRecord], window: Window) -> Spread:
    """Return first stage committed to live, of what went live in the window. (own, on [F1])"""
    return spread(
        run.live - run.committed
        for run in runs
        if run.live is not None and run.committed is not None and window.has(run.live)
    )


def touch_times(visits: Iterable[StageVisit], window: Window) -> Spread:
    """Return how long steps ran or somebody held a work item, of what was done. (own, on [F1])

    An upper bound of process time: who holds an item may be at something else.
    """
    return spread(visit.active for visit in visits if visit.done and window.has(visit.finished))


def complete_and_accurate(hand_offs: Iterable[HandOffRecord]) -> Share:
    """Return %C/A: the share of received work usable without rework, 1 - returns / receipts. [F1]

    Receipts are hand-offs that a person answered.
    """
    answered = [one for one in hand_offs if one.accepted or one.returned]
    return Share(sum(1 for one in answered if one.accepted), len(answered))


def rolled(shares: Iterable[float]) -> float:
    """Return the product of %C/A along the way: 0.8 at 7 hand-offs is 21 %, 0.9 is 48 %. (VSM)"""
    return math.prod(shares)


def rolled_complete_and_accurate(hand_offs: Sequence[HandOffRecord]) -> float | None:
    """Return rolled %C/A over each kind of hand-off (stage to stage) that was ever answered."""
    kinds: dict[tuple[str, str], list[HandOffRecord]] = {}
    for one in hand_offs:
        kinds.setdefault((one.source, one.target), []).append(one)
    shares = [complete_and_accurate(found).value for found in kinds.values()]
    known = [share for share in shares if share is not None]
    return rolled(known) if known else None


def first_pass_yield(visits: Iterable[StageVisit], window: Window) -> Share:
    """Return the share of first rounds, done in the window, that nobody sent back. (own)"""
    first = [v for v in visits if v.round == 1 and v.done and window.has(v.finished)]
    return Share(sum(1 for visit in first if not visit.came_back), len(first))


def flow_efficiency(visits: Iterable[StageVisit], window: Window) -> Efficiency:
    """Return active time over active and waiting, from the offer to the end of each visit. [F5]

    1 to 5 % is said to be typical and 15 to 25 % good; the evidence for that is weak.
    """
    active = elapsed = timedelta(0)
    n = 0
    for visit in visits:
        if not visit.done or visit.active is None or not window.has(visit.finished):
            continue
        begin = min(visit.offered or visit.started, visit.started)
        n += 1
        active += visit.active
        elapsed += (visit.finished or visit.started) - begin
    return Efficiency(n, active, elapsed)


def expectation(cycles: Spread) -> Expectation:
    """Return the SLE: 85 % within the 85th percentile of past cycle times. [F3]"""
    return Expectation(cycles.n, SLE_SHARE, cycles.p85)
