"""Facts that remember who read them, so that every value names the step it came from. Pure.

The functions that find facts (`saying`, `stated`, `number`) read plain mappings. Given these, the
places they read between two values are known, whatever path they took, and nobody has to write
down beside each figure where it comes from, and err.
"""

from collections.abc import Iterator, Mapping
from typing import Any


class Trace:
    """The places that were read since the last look."""

    def __init__(self) -> None:
        self.places: dict[str, None] = {}

    def note(self, place: str) -> None:
        """Remember that something of a place was read."""
        self.places[place] = None

    def take(self) -> tuple[str, ...]:
        """Return the places that were read since the last look, and forget them."""
        found, self.places = tuple(self.places), {}
        return found


class Noted(dict[str, Any]):
    """The facts of one place; reading a key that is there is noted, asking for one is not."""

    def __init__(self, found: Mapping[str, Any], *, place: str, trace: Trace) -> None:
        super().__init__(found)
        self.place = place
        self.trace = trace

    def __getitem__(self, key: str) -> Any:
        return self._read(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, noted; the default where there is none."""
        return self._read(super().__getitem__(key)) if key in self else default

    def items(self) -> Any:
        """Every pair, noted."""
        return [(key, self._read(value)) for key, value in super().items()]

    def values(self) -> Any:
        """Every value, noted."""
        return [self._read(value) for value in super().values()]

    def _read(self, value: Any) -> Any:
        self.trace.note(self.place)
        return self._noted(value)

    def _noted(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return Noted(value, place=self.place, trace=self.trace)
        if isinstance(value, list):
            return [self._noted(one) for one in value]
        return value


class Traced(Mapping[str, Mapping[str, Any]]):
    """The facts of a run, by place, with the trace of what was read of them."""

    def __init__(self, facts: Mapping[str, Mapping[str, Any]]) -> None:
        self.trace = Trace()
        self.facts = {
            place: Noted(found, place=place, trace=self.trace) for place, found in facts.items()
        }

    def __getitem__(self, place: str) -> Mapping[str, Any]:
        return self.facts[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)
