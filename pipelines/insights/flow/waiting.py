"""The cost of waiting, in the analyst's money: value per day of the brief x days waited. (own)"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipelines.insights.flow.records import DAY, RunRecord, StageVisit, Window

Kind = Literal["hand_off", "owner", "review"]


@dataclass(frozen=True, slots=True)
class Wait:
    """A part of a visit in which nobody was at work: for the hand-off's answer, for somebody to
    take the stage, or for the gate.
    """

    stage: str
    kind: Kind
    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it was."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class CostOfWaiting:
    """What a run's waiting in the window cost. `n`: waits; `cost` is None without a value.

    `worst`: where it waited longest. Where nothing is known of the brief's value only the days
    are told.
    """

    run: int
    use_case: str
    title: str
    label: str
    n: int
    waited: timedelta
    value_per_day: float | None
    currency: str
    cost: float | None
    worst: str
    worst_kind: str
    open: bool


@dataclass(frozen=True)
class WaitingCosts:
    """All runs that waited, the dearest first; `total` by currency, of those with a value."""

    n: int
    valued: int
    waited: timedelta
    total: tuple[tuple[str, float], ...]
    runs: tuple[CostOfWaiting, ...]


def waits(visit: StageVisit, window: Window) -> list[Wait]:
    """Return the waits of a visit, cut to the window."""
    now = window.until
    spans: list[tuple[Kind, datetime | None, datetime | None]] = [
        ("hand_off", visit.offered, visit.accepted or visit.started),
        ("owner", visit.started, min(visit.taken or visit.submitted or now, now)),
        ("review", visit.submitted, visit.finished or now),
    ]
    found = []
    for kind, begin, end in spans:
        if begin is None or end is None:
            continue
        ended = min(end, visit.finished or now, now)
        since = max(begin, window.since)
        if ended > since:
            found.append(Wait(visit.stage, kind, since, ended))
    return found


def cost_of_waiting(
    runs: Iterable[RunRecord], visits: Sequence[StageVisit], window: Window
) -> WaitingCosts:
    """Return what waiting cost, run by run: value per day x days in which it waited."""
    by_run: dict[int, list[Wait]] = {}
    for visit in visits:
        by_run.setdefault(visit.run, []).extend(waits(visit, window))
    found = [_cost(run, by_run[run.id]) for run in runs if by_run.get(run.id)]
    found.sort(key=lambda one: (one.cost is None, -(one.cost or 0.0), -one.waited, one.run))
    total: dict[str, float] = {}
    for one in found:
        if one.cost is not None:
            total[one.currency] = total.get(one.currency, 0.0) + one.cost
    return WaitingCosts(
        n=len(found),
        valued=sum(1 for one in found if one.cost is not None),
        waited=sum((one.waited for one in found), timedelta(0)),
        total=tuple(sorted(total.items())),
        runs=tuple(found),
    )


def covered(found: Iterable[Wait]) -> timedelta:
    """Return how long at least one of the waits lasted: two at once count once."""
    total, reached = timedelta(0), None
    for one in sorted(found, key=lambda wait: wait.since):
        begin = one.since if reached is None else max(one.since, reached)
        if one.until > begin:
            total += one.until - begin
        reached = one.until if reached is None else max(reached, one.until)
    return total


def _cost(run: RunRecord, found: Sequence[Wait]) -> CostOfWaiting:
    waited = covered(found)
    worst = max(found, key=lambda one: one.length)
    cost = run.value_per_day * (waited / DAY) if run.value_per_day is not None else None
    return CostOfWaiting(
        run=run.id,
        use_case=run.use_case,
        title=run.title,
        label=run.label,
        n=len(found),
        waited=waited,
        value_per_day=run.value_per_day,
        currency=run.currency,
        cost=cost,
        worst=worst.stage,
        worst_kind=worst.kind,
        open=run.finished is None,
    )
