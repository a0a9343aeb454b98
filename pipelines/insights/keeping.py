"""What is large is read once a minute, not with each look: figures of weeks change slowly.

Small histories are read anew each time. What is kept is named by the scope it was read for, so
who may no longer see a use case asks under another name.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

Found = TypeVar("Found")
KEEP: Final = 60.0  # seconds
PLACES: Final = 16  # things kept by a process; each has some megabytes


class Kept(Generic[Found]):
    """The large things that a process read lately."""

    def __init__(
        self, large: Callable[[Found], bool], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.large = large
        self.clock = clock
        self.found: OrderedDict[Hashable, tuple[float, Found]] = OrderedDict()

    def get(self, name: Hashable, read: Callable[[], Found]) -> Found:
        """Return what was read for this name in the last minute, or read it."""
        at, found = self.found.get(name, (0.0, None))
        if found is not None and self.clock() < at + KEEP:
            return found
        made = read()
        if self.large(made):
            self.found[name] = (self.clock(), made)
            self.found.move_to_end(name)
            while len(self.found) > PLACES:
                self.found.popitem(last=False)
        return made
