"""Ageing: what has been open longer than most of its kind took. (own, on [F3])"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pipelines.insights.flow.records import StageVisit, Window
from pipelines.insights.flow.spread import Spread, spread

LEAST: Final = 10  # own: with fewer of its own a stage is judged by all stages together
Level = Literal["", "amber", "red"]


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit under way, its age, and the cycle times it is judged by.

    `level`: amber above the 85th percentile, red above the 95th; `pooled`: by all stages'.
    `waits_for`: a person to take it, work, or review.
    """

    visit: StageVisit
    age: timedelta
    level: Level
    expected: Spread
    pooled: bool
    waits_for: Literal["owner", "work", "review"]


@dataclass(frozen=True)
class Ageing:
    """What is open, the oldest against its expectation first; `stages` has each one's past."""

    n: int
    amber: int
    red: int
    open: tuple[OpenVisit, ...]
    stages: Mapping[str, Spread]
    pooled: Spread


def level(age: timedelta, expected: Spread) -> Level:
    """Return red above the 95th percentile, amber above the 85th, else nothing."""
    if expected.p85 is None or expected.p95 is None:
        return ""
    return "red" if age > expected.p95 else "amber" if age > expected.p85 else ""


def ageing(visits: Sequence[StageVisit], *, now: datetime, window: Window) -> Ageing:
    """Return every open visit beside the cycle times of its stage in the window."""
    past: dict[str, list[timedelta]] = {}
    for visit in visits:
        if visit.done and visit.cycle is not None and window.has(visit.finished):
            past.setdefault(visit.stage, []).append(visit.cycle)
    pooled = spread(length for found in past.values() for length in found)
    stages = {stage: spread(found) for stage, found in past.items()}
    found = [_open(v, stages.get(v.stage), pooled, now) for v in visits if v.finished is None]
    found.sort(key=lambda one: ({"red": 0, "amber": 1, "": 2}[one.level], -one.age, one.visit.id))
    return Ageing(
        n=len(found),
        amber=sum(1 for one in found if one.level == "amber"),
        red=sum(1 for one in found if one.level == "red"),
        open=tuple(found),
        stages=stages,
        pooled=pooled,
    )


def _open(visit: StageVisit, own: Spread | None, pooled: Spread, now: datetime) -> OpenVisit:
    enough = own is not None and own.n >= LEAST
    expected = own if own is not None and enough else pooled
    if expected.n < LEAST:
        expected = Spread(expected.n)  # too few to expect anything
    age = max(now - visit.started, timedelta(0))
    waits: Literal["owner", "work", "review"] = "work" if visit.taken else "owner"
    if visit.submitted is not None:
        waits = "review"
    return OpenVisit(visit, age, level(age, expected), expected, not enough, waits)
