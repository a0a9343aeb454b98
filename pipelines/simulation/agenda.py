"""What is to happen when: a heap, in the order of time and, at one time, of booking. Pure."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

Act = Callable[[datetime], None]


@dataclass(order=True)
class Entry:
    """One thing to do, and when."""

    at: datetime
    place: int
    act: Act = field(compare=False)
    machine: bool = field(compare=False, default=False)


class Agenda:
    """The future, as far as it is drawn."""

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._places = itertools.count()

    def add(self, at: datetime, act: Act, *, machine: bool = False) -> None:
        """Book an act; `machine` says that it goes on after the people have gone home."""
        heapq.heappush(self._heap, Entry(at, next(self._places), act, machine))

    def next(self) -> Entry | None:
        """Return what comes first, and leave it there."""
        return self._heap[0] if self._heap else None

    def pop(self) -> Entry:
        """Take what comes first. Raises IndexError where nothing does."""
        return heapq.heappop(self._heap)

    def only_machines(self) -> None:
        """Forget what people would have done."""
        self._heap = [entry for entry in self._heap if entry.machine]
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return len(self._heap)
