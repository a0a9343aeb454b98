"""Monte Carlo per use case: walk the remaining stages with past durations, waits and returns. (own)

Stages are walked in the blueprint's order: where two run side by side the forecast is late.
"""

import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pipelines.insights.flow.forecast import SEED, Forecast
from pipelines.insights.flow.records import StageVisit
from pipelines.insights.flow.spread import percentile

LEAST: Final = 10  # own: with fewer samples of a stage those of all are drawn from
WALKS: Final = 1000
DRAWS: Final = 500  # of one use case, out of the walks
LONGEST: Final = 200  # visits of one walk; more is a loop that history happened to close


@dataclass(frozen=True, slots=True)
class PastVisit:
    """What one visit teaches: seconds of work and of review, where it led, and the wait until then.

    `back`: how many stages it went back (0: its own next round), None: on to the next. `by_gate`:
    whether a gate sent it back.
    """

    stage: str
    tier: int | None
    work: float
    review: float
    wait: float
    back: int | None = None
    by_gate: bool = False

    @property
    def length(self) -> float:
        """Work and review, seconds."""
        return self.work + self.review


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A change to try: two stages whose approvals are given at the same time, one more reviewer of
    a stage's gate (of `reviewers` now), a stage whose gate is dropped. Empty: as it is.
    """

    parallel: tuple[str, str] | tuple[()] = ()
    reviewer: str = ""
    reviewers: int = 1
    drop: str = ""


@dataclass(frozen=True)
class Past:
    """What is drawn from: by stage and tier, by stage, and all together."""

    n: int
    days: int
    by_tier: Mapping[tuple[str, int | None], Sequence[PastVisit]]
    by_stage: Mapping[str, Sequence[PastVisit]]
    pooled: Sequence[PastVisit]
    reviews: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def of(self, stage: str, tier: int | None) -> Sequence[PastVisit]:
        """Return the samples of a stage: its tier's, else all of the stage, else all there are."""
        for found in (self.by_tier.get((stage, tier), ()), self.by_stage.get(stage, ())):
            if len(found) >= LEAST:
                return found
        return self.pooled


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is: at a stage of the blueprint (by index), begun `age` seconds ago.

    Not `begun`: it waits since then to enter that stage.
    """

    index: int
    age: float
    begun: bool = True


@dataclass(frozen=True)
class Road:
    """Drawn walks along the stages: seconds to the end from each stage's first entry.

    `stages` in order, with the samples each was drawn from; `returns`: per walk, on average.
    """

    stages: tuple[str, ...]
    past: Past
    samples: tuple[Sequence[PastVisit], ...]
    rest: tuple[tuple[float, ...], ...]
    returns: float


def past(visits: Iterable[StageVisit]) -> Past:
    """Return the samples that visits give. Those that did not come to their end give none."""
    found: list[PastVisit] = []
    begins, ends = [], []
    for run in _by_run(visits).values():
        found += _samples(run)
        begins.append(min(visit.started for visit in run))
        ends.append(max(visit.finished or visit.started for visit in run))
    by_tier: dict[tuple[str, int | None], list[PastVisit]] = {}
    by_stage: dict[str, list[PastVisit]] = {}
    for one in found:
        by_tier.setdefault((one.stage, one.tier), []).append(one)
        by_stage.setdefault(one.stage, []).append(one)
    reviews = {
        stage: sorted(o.review for o in seen if o.review > 0) for stage, seen in by_stage.items()
    }
    days = (max(ends) - min(begins)).days if begins else 0
    return Past(len(found), days, by_tier, by_stage, found, reviews)


def road(
    known: Past,
    stages: Sequence[str],
    tier: int | None,
    *,
    change: WhatIf | None = None,
    trials: int = WALKS,
    seed: int = SEED,
) -> Road | None:
    """Return `trials` walks from the first stage to the end; None with fewer than 10 samples.

    What is left after a walk's first entry of a stage does not depend on what was before, so each
    walk gives a sample for every stage.
    """
    if known.n < LEAST or not stages:
        return None
    samples = tuple(known.of(stage, tier) for stage in stages)
    rng = random.Random(f"{seed}:{tier}:{','.join(stages)}")  # noqa: S311 - no secret
    rest: list[list[float]] = [[] for _ in stages]
    returns = 0
    walker = _Walker(known, stages, samples, change or WhatIf(), rng)
    for _ in range(trials):
        entered, end, back = walker.walk()
        returns += back
        for index, at in entered.items():
            rest[index].append(end - at)
    sorted_rest = tuple(tuple(sorted(found)) for found in rest)
    return Road(tuple(stages), known, samples, sorted_rest, returns / trials if trials else 0.0)


def remaining(way: Road, place: Place, *, draws: int = DRAWS, seed: int = SEED) -> Forecast:
    """Return how long a run at this place will still take.

    Drawn are visits of its stage that lasted longer than it has; has none, the stage begins anew
    (own: pessimistic). What follows is drawn from the walks.
    """
    rng = random.Random(f"{seed}:{place.index}:{place.age:.0f}:{place.begun}")  # noqa: S311 - no secret
    seen = way.samples[place.index]
    own = sum(1 for one in seen if one.stage == way.stages[place.index])
    lengths = [
        (one.length if place.begun else one.wait, one)
        for one in seen
        if place.begun or one.back is None
    ]
    longer = [pair for pair in lengths if pair[0] > place.age]
    drawn = longer or lengths or [(0.0, seen[0])]
    found = []
    for _ in range(draws):
        length, one = drawn[int(rng.random() * len(drawn))]
        left = max(length - place.age, 0.0) if longer else length
        found.append(left + _after(way, place, one, rng))
    return _forecast(found, n=own or len(seen), days=way.past.days)


def whole(way: Road) -> Forecast:
    """Return how long all of it takes, from the first stage to the end."""
    return _forecast(way.rest[0], n=way.past.n, days=way.past.days)


def _forecast(found: Sequence[float], *, n: int, days: int) -> Forecast:
    ordered = sorted(found)
    p50, p85, p95 = (timedelta(seconds=percentile(ordered, q)) for q in (0.5, 0.85, 0.95))
    return Forecast(n, days, len(ordered), False, p50, p85, p95)


def _after(way: Road, place: Place, one: PastVisit, rng: random.Random) -> float:
    """Return what follows the stage: the wait and the rest from the next, or a return."""
    index, wait = place.index, 0.0
    if place.begun:
        index, wait = index + 1 if one.back is None else max(index - one.back, 0), one.wait
    rest = way.rest[index] if index < len(way.rest) else (0.0,)
    return wait + rest[int(rng.random() * len(rest))]


@dataclass
class _Walker:
    """Walks once along the stages at a time."""

    past: Past
    stages: Sequence[str]
    samples: Sequence[Sequence[PastVisit]]
    change: WhatIf
    rng: random.Random

    def walk(self) -> tuple[dict[int, float], float, int]:
        """Return when each stage was first entered, when the end was reached, and the returns."""
        at, index, returns = 0.0, 0, 0
        entered: dict[int, float] = {}
        reviewed: dict[str, float] = {}
        for _ in range(LONGEST):
            entered.setdefault(index, at)
            seen = self.samples[index]
            one = seen[int(self.rng.random() * len(seen))]
            stage = self.stages[index]
            at += one.work + self._review(stage, one, reviewed)
            goes_back = one.back is not None and not (one.by_gate and stage == self.change.drop)
            at += one.wait
            returns += goes_back
            index = max(index - (one.back or 0), 0) if goes_back else index + 1
            if index == len(self.stages):
                break
        for missed in range(len(self.stages)):
            entered.setdefault(missed, at)  # only of a walk that was broken off
        return entered, at, returns

    def _review(self, stage: str, one: PastVisit, reviewed: dict[str, float]) -> float:
        """Return how long the review takes under the change.

        One more of k reviewers, each as quick: what lasts longer than t does so with S(t) now and
        with S(t)^((k+1)/k) then, for the first of them decides. In parallel: the longer of two.
        """
        change, length = self.change, one.review
        if stage == change.drop:
            return 0.0
        known = self.past.reviews.get(stage, ())
        if stage == change.reviewer and length and known:
            k = max(change.reviewers, 1)
            q = 1 - (1 - self.rng.random()) ** (k / (k + 1))
            length = percentile(known, q)
        reviewed[stage] = length
        if change.parallel and stage == change.parallel[1]:
            length = max(length - reviewed.get(change.parallel[0], 0.0), 0.0)
        return length


def _by_run(visits: Iterable[StageVisit]) -> dict[int, list[StageVisit]]:
    found: dict[int, list[StageVisit]] = {}
    for visit in visits:
        found.setdefault(visit.run, []).append(visit)
    return found


def _samples(run: Sequence[StageVisit]) -> list[PastVisit]:
    """Return what the visits of one run teach."""
    sent = {visit.finished for visit in run if visit.sent_to}
    where = {visit.stage: visit.position for visit in run}
    order = sorted(set(where.values()))
    starts = sorted((visit.started, visit.position) for visit in run)
    found = []
    for visit in run:
        if not visit.done or visit.finished is None:
            continue
        back: int | None = None
        wait = 0.0
        if visit.sent_to:
            target = where.get(visit.sent_to, visit.position)
            back = max(bisect_right(order, visit.position) - bisect_right(order, target), 0)
        elif visit.returned is not None and visit.returned not in sent:
            back, wait = 0, (visit.returned - visit.finished).total_seconds()
        elif visit.state == "SUPERSEDED" and visit.handed is None and visit.returned is None:
            continue  # taken away by somebody else's return: it did not come to its own end
        else:
            following = [at for at, pos in starts if pos > visit.position and at >= visit.finished]
            wait = (following[0] - visit.finished).total_seconds() if following else 0.0
        review = visit.review.total_seconds()
        work = (visit.finished - visit.started).total_seconds() - review
        by_gate = bool(visit.sent_to)
        made = (visit.stage, visit.tier, max(work, 0.0), review, max(wait, 0.0), back, by_gate)
        found.append(PastVisit(*made))
    return found
