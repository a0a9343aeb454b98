"""Comparing values by value: texts and counts exactly, floats within a tolerance. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.operations.contract import Json

MOST = 10  # differences that are named
Z = 1.959963984540054  # of a 95 % interval
MEASURED = ("_seconds", "_mib")  # what a machine is measured by, never twice the same
# What says in which environment it was computed: another lock file is told, and is no other result.
SURROUNDINGS = ("environment", "deviations")


@dataclass
class Difference:
    """What was found so far: how many values differ at all, and which by too much."""

    compared: int = 0
    differing: int = 0
    largest: float = 0.0
    beyond: list[str] = field(default_factory=list)
    many: int = 0
    surroundings: list[str] = field(default_factory=list)

    def say(self, path: str, text: str) -> None:
        """Note something that differs by more than is allowed."""
        self.differing += 1
        self.many += 1
        if len(self.beyond) < MOST:
            self.beyond.append(f"{path or 'all'}: {text}")

    def surround(self, other: "Difference") -> None:
        """Note differences of the environment: told, and not held against the result."""
        self.differing += other.differing
        self.surroundings += other.beyond[: MOST - len(self.surroundings)]

    def off(self, path: str, pair: tuple[float, float], *, allowed: float) -> None:
        """Note two floats that are not the same."""
        one, other = pair
        self.differing += 1
        gap = abs(one - other)
        scale = max(abs(one), abs(other))
        share = gap / scale if scale and math.isfinite(gap) else (0.0 if gap == 0 else 1.0)
        self.largest = max(self.largest, share)
        if not gap <= allowed:
            self.differing -= 1
            self.say(path, f"{one!r} became {other!r}")

    @property
    def verdict(self) -> str:
        """equal, within or different."""
        if self.many:
            return "different"
        return "within" if self.differing else "equal"


@dataclass(frozen=True)
class Tolerance:
    """How far floats may be off: a share of the greater, or of a standard error."""

    relative: float
    se_share: float

    def of(self, one: float, other: float) -> float:
        """The gap that two plain floats may have."""
        return self.relative * max(abs(one), abs(other))


def compare(kept: Json, again: Json, tolerance: Tolerance) -> Difference:
    """Compare two JSON values."""
    found = Difference()
    _walk(kept, again, "", (found, tolerance), allowed=0.0)
    return found


def surroundings(kept: Json, again: Json, path: str, tolerance: Tolerance) -> Difference:
    """Compare what is said of the environment."""
    found = Difference()
    _walk(kept, again, path, (found, tolerance), allowed=0.0)
    return found


def _walk(
    kept: Json, again: Json, path: str, with_: tuple[Difference, Tolerance], *, allowed: float
) -> None:
    found, tolerance = with_
    if isinstance(kept, Mapping) and isinstance(again, Mapping):
        _objects(kept, again, path, with_)
    elif _is_list(kept) and _is_list(again):
        _lists(kept, again, path, with_)  # type: ignore[arg-type]
    elif isinstance(kept, float) and isinstance(again, int | float) and _plain(again):
        found.compared += 1
        if kept != again:
            room = max(allowed, tolerance.of(kept, float(again)))
            found.off(path, (kept, float(again)), allowed=room)
    else:
        found.compared += 1
        if type(kept) is not type(again) or kept != again:
            found.say(path, f"{_short(kept)} became {_short(again)}")


def _plain(value: Json) -> bool:
    return not isinstance(value, bool)


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _objects(
    kept: Mapping[str, Json], again: Mapping[str, Json], path: str,
    with_: tuple[Difference, Tolerance],
) -> None:  # fmt: skip
    found, tolerance = with_
    names = {name for name in (*kept, *again) if not name.endswith(MEASURED)}
    if odd := sorted(names - (kept.keys() & again.keys())):
        found.say(path, f"only one of them has {', '.join(odd[:5])}")
    error = _standard_error(kept) * tolerance.se_share
    for name in sorted(names & kept.keys() & again.keys()):
        allowed = error if name in ("value", "low", "high") else 0.0
        if name in SURROUNDINGS:
            found.surround(surroundings(kept[name], again[name], name, tolerance))
            continue
        _walk(kept[name], again[name], f"{path}.{name}".lstrip("."), with_, allowed=allowed)


def _standard_error(found: Mapping[str, Json]) -> float:
    """The standard error that a 95 % interval speaks of; 0 where there is no interval."""
    low, high = found.get("low"), found.get("high")
    if isinstance(low, float) and isinstance(high, float) and "value" in found:
        return max(high - low, 0.0) / (2 * Z)
    return 0.0


def _lists(
    kept: Sequence[Json], again: Sequence[Json], path: str, with_: tuple[Difference, Tolerance]
) -> None:
    if len(kept) != len(again):
        with_[0].say(path, f"{len(kept)} entries became {len(again)}")
    for at, (one, other) in enumerate(zip(kept, again, strict=False)):
        _walk(one, other, f"{path}[{at}]", with_, allowed=0.0)


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
