"""Where a run's time went: computing, queued, coming back later, and waiting for people. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Tries:
    """One step's attempts as (queued, started, finished); None where that is still to come."""

    attempts: Sequence[tuple[datetime, datetime | None, datetime | None]]
    comes_back: bool = False


@dataclass(frozen=True)
class Times:
    """Parts of the elapsed time; together they are all of it.

    A moment at which something computes counts as computing, whoever else waits then.
    """

    computing: timedelta
    queued: timedelta
    later: timedelta
    people: timedelta

    @property
    def elapsed(self) -> timedelta:
        """All of it."""
        return self.computing + self.queued + self.later + self.people


def times(tries: Iterable[Tries], *, start: datetime, end: datetime) -> Times:
    """Return where the time from start to end went."""
    computing, queued, later = [], [], []
    for step in tries:
        previous: datetime | None = None
        for asked, began, done in step.attempts:
            if previous is not None and asked > previous:
                later.append((previous, asked))
            queued.append((asked, began or done or end))
            if began is not None:
                computing.append((began, done or end))
            previous = done
        if step.comes_back and previous is not None:
            later.append((previous, end))
    busy = union(clip(computing, start, end))
    waits = union([*busy, *clip(queued, start, end)])
    comes = union([*waits, *clip(later, start, end)])
    return Times(
        computing=length(busy),
        queued=length(waits) - length(busy),
        later=length(comes) - length(waits),
        people=max(end - start, timedelta(0)) - length(comes),
    )


def clip(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """Return the parts of intervals between start and end."""
    cut = [(max(one, start), min(two, end)) for one, two in intervals]
    return [(one, two) for one, two in cut if one < two]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return intervals that do not overlap and cover the same time."""
    found: list[Interval] = []
    for one, two in sorted(intervals):
        if found and one <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], two))
        else:
            found.append((one, two))
    return found


def length(intervals: Iterable[Interval]) -> timedelta:
    """Return how long they are together."""
    return sum((two - one for one, two in intervals), timedelta(0))
