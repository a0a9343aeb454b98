"""Cumulative flow: how many runs had entered each stage by each day. [F5]"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StageEntries:
    """How many runs entered a stage, or one behind it, on each day (0: before the first)."""

    stage: str
    position: int
    persona: str
    by_day: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Band:
    """One stage's band: A(t), what had entered it by each day's end; WIP is A less the next's."""

    stage: str
    position: int
    persona: str
    entered: tuple[int, ...]
    wip: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CumulativeFlow:
    """The bands of one blueprint, first stage first; `left`: what had succeeded by each day.

    `n`: runs looked at; a run that was cancelled, failed or rejected counts nowhere.
    """

    blueprint: str
    n: int
    days: tuple[datetime, ...]
    bands: tuple[Band, ...]
    left: tuple[int, ...]


def running_total(by_day: Mapping[int, int], days: int) -> tuple[int, ...]:
    """Return the total by the end of each day."""
    total, found = by_day.get(0, 0), []
    for day in range(1, days + 1):
        total += by_day.get(day, 0)
        found.append(total)
    return tuple(found)


def cumulative_flow(
    blueprint: str,
    days: Sequence[datetime],
    entries: Sequence[StageEntries],
    ended: Mapping[int, int],
) -> CumulativeFlow:
    """Return A_s(t) and WIP_s = A_s - A_(s+1). [F5]

    A widening band is a bottleneck; the horizontal gap is about the cycle time.
    """
    ordered = sorted(entries, key=lambda one: one.position)
    totals = [running_total(one.by_day, len(days)) for one in ordered]
    left = running_total(ended, len(days))
    after = [*totals, left][1:]  # of no stage there is nothing after
    bands = tuple(
        Band(
            one.stage,
            one.position,
            one.persona,
            total,
            tuple(a - b for a, b in zip(total, following, strict=True)),
        )
        for one, total, following in zip(ordered, totals, after, strict=True)
    )
    n = totals[0][-1] if totals and days else 0
    return CumulativeFlow(blueprint, n, tuple(days), bands, left)
