"""The Test Score over time as geometry: steps between changes, in pixels. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MOST: Final = 7.0
WIDE: Final = (640.0, 120.0)
SMALL: Final = (96.0, 22.0)
MARGIN: Final = 4.0


@dataclass(frozen=True)
class Mark:
    """One change: where it is, and what is read out for it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Steps:
    """A line that stays until the next change; `text` says it in words."""

    width: float
    height: float
    line: str
    marks: tuple[Mark, ...]
    text: str


def steps(
    values: Sequence[tuple[datetime, float]], now: datetime, *, title: str, wide: bool = False
) -> Steps | None:
    """Return the line of a value from 0 to 7 over time, up to now; None where there is none."""
    if not values:
        return None
    width, height = WIDE if wide else SMALL
    begin, end = values[0][0], max(now, values[-1][0])
    span = (end - begin).total_seconds() or 1.0

    def across(at: datetime) -> float:
        return round(MARGIN + (at - begin).total_seconds() / span * (width - 2 * MARGIN), 1)

    def up(value: float) -> float:
        return round(height - MARGIN - min(value, MOST) / MOST * (height - 2 * MARGIN), 1)

    places: list[str] = []
    before: float | None = None
    for at, value in values:
        if before is not None:
            places.append(f"{across(at)},{before}")
        before = up(value)
        places.append(f"{across(at)},{before}")
    places.append(f"{across(end)},{before}")
    first, last = values[0][1], values[-1][1]
    return Steps(
        width,
        height,
        " ".join(places),
        tuple(
            Mark(across(at), up(value), f"{value:g} from {at:%d %b %H:%M}") for at, value in values
        ),
        f"{title}: {first:g} at first, {last:g} now, {len(values) - 1} changes.",
    )
