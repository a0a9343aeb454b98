"""The persona map as a drawing: two axes, ranges as boxes, people as points, hand-offs as arrows.

Pure geometry: what the numbers are is told by pipelines.runs.queries.people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import hypot, sqrt
from typing import Final

from pipelines.runs.queries.people import Passing, PersonaMap

SIDE: Final = 600.0  # px that 100 points take
LEFT, TOP, RIGHT, BOTTOM = 56.0, 24.0, 24.0, 48.0
MARK: Final = 15.0  # px, a persona's mark
BEND: Final = 0.18  # of an arrow's length: so that there and back lie apart
THIN, THICK = 1.5, 9.0  # px
MANY: Final = 25  # hand-offs: a few are drawn thin, even where there are no more
THINNEST_RANGE: Final = 4.0  # px: a range of one point is still to be seen
# Upper limits of the colours of a wait (own): hours, working day, days, a week, longer.
WAITS: Final = (
    timedelta(hours=4),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
)
MARKS_APART: Final = 2 * MARK + 2  # px
TICKS: Final = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Tick:
    """A line of the grid."""

    value: int
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """A persona's ranges, and the mark at its point (moved where marks would lie on each other)."""

    code: str
    title: str
    x: float
    y: float
    width: float
    height: float
    mark_x: float
    mark_y: float
    people: int


@dataclass(frozen=True)
class Dot:
    """A person's own point."""

    name: str
    persona: str
    x: float
    y: float
    mine: bool
    ml: int
    deployment: int


@dataclass(frozen=True)
class Arrow:
    """Hand-offs from one persona to another: width by volume, colour (0 to 4) by median wait."""

    passing: Passing
    path: str
    head: str
    width: float
    tone: int


@dataclass(frozen=True)
class Picture:
    """All of it, in px."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    ticks: tuple[Tick, ...]
    boxes: tuple[Box, ...]
    dots: tuple[Dot, ...]
    arrows: tuple[Arrow, ...]


def across(ml: float) -> float:
    """Return where points of ML expertise lie."""
    return round(LEFT + ml / 100 * SIDE, 1)


def up(deployment: float) -> float:
    """Return where points of deployment expertise lie: experts at the top."""
    return round(TOP + (100 - deployment) / 100 * SIDE, 1)


def picture(view: PersonaMap) -> Picture:
    """Draw the map."""
    boxes = _boxes(view)
    places = {box.code: (box.mark_x, box.mark_y) for box in boxes}
    known = [p for p in view.passings if p.giver in places and p.receiver in places]
    most = max((MANY, *(passing.count for passing in known)))
    return Picture(
        width=LEFT + SIDE + RIGHT,
        height=TOP + SIDE + BOTTOM,
        left=LEFT,
        right=LEFT + SIDE,
        top=TOP,
        bottom=TOP + SIDE,
        ticks=tuple(Tick(value, across(value), up(value)) for value in TICKS),
        boxes=boxes,
        dots=tuple(
            Dot(
                str(point.person),
                point.persona,
                across(point.ml),
                up(point.deployment),
                point.mine,
                point.ml,
                point.deployment,
            )
            for point in view.points
        ),
        # The widest first, so that the narrow ones lie upon them.
        arrows=tuple(
            _arrow(passing, places, most)
            for passing in sorted(known, key=lambda passing: -passing.count)
        ),
    )


def tone(wait: timedelta) -> int:
    """Return the colour of a wait: 0 (short) to 4 (long)."""
    return sum(wait > limit for limit in WAITS)


def _boxes(view: PersonaMap) -> tuple[Box, ...]:
    taken: list[tuple[float, float]] = []
    boxes = []
    for persona in view.personas:
        x, y = _apart(across(persona.ml_point), up(persona.deployment_point), taken)
        taken.append((x, y))
        left, top = across(persona.ml_low), up(persona.deployment_high)
        boxes.append(
            Box(
                code=persona.code,
                title=persona.title,
                x=left,
                y=min(top, TOP + SIDE - THINNEST_RANGE),
                width=max(across(persona.ml_high) - left, THINNEST_RANGE),
                height=max(up(persona.deployment_low) - top, THINNEST_RANGE),
                mark_x=x,
                mark_y=y,
                people=view.people.get(persona.code, 0),
            )
        )
    return tuple(boxes)


def _apart(x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a place to the right of the marks that it would lie on, or to the left at the edge."""
    step = MARKS_APART if x <= LEFT + SIDE / 2 else -MARKS_APART
    while any(hypot(x - other_x, y - other_y) < 2 * MARK for other_x, other_y in taken):
        x = round(x + step, 1)
    return x, y


def _arrow(passing: Passing, places: dict[str, tuple[float, float]], most: int) -> Arrow:
    """Draw an arc from mark to mark, its head before the receiver's; a loop within one persona."""
    width = round(THIN + (THICK - THIN) * sqrt(passing.count / most), 1)
    (x1, y1), (x2, y2) = places[passing.giver], places[passing.receiver]
    length = hypot(x2 - x1, y2 - y1)
    if length < 1:
        path = f"M{x1 - MARK:.1f} {y1:.1f}c-34 -10 -34 -44 20 -{MARK + 14:.0f}"
        head = _head(x1 + 2, y1 - MARK, 0.5, 1.0, width)
        return Arrow(passing, path, head, width, tone(passing.wait))
    along, over = (x2 - x1) / length, (y2 - y1) / length
    bend = BEND * length
    middle_x, middle_y = (x1 + x2) / 2 - over * bend, (y1 + y2) / 2 + along * bend
    # Where the arc arrives it points from its middle to the mark.
    to_x, to_y = x2 - middle_x, y2 - middle_y
    reach = hypot(to_x, to_y)
    to_x, to_y = to_x / reach, to_y / reach
    tip_x, tip_y = x2 - to_x * (MARK + 2), y2 - to_y * (MARK + 2)
    size = _size(width)
    path = (
        f"M{x1:.1f} {y1:.1f}Q{middle_x:.1f} {middle_y:.1f} "
        f"{tip_x - to_x * size:.1f} {tip_y - to_y * size:.1f}"
    )
    return Arrow(passing, path, _head(tip_x, tip_y, to_x, to_y, width), width, tone(passing.wait))


def _size(width: float) -> float:
    return 6 + width


def _head(x: float, y: float, to_x: float, to_y: float, width: float) -> str:
    """Return the triangle whose tip is at x, y and points along (to_x, to_y)."""
    size, half = _size(width), 3 + width * 0.6
    back_x, back_y = x - to_x * size, y - to_y * size
    return (
        f"M{x:.1f} {y:.1f}L{back_x - to_y * half:.1f} {back_y + to_x * half:.1f} "
        f"{back_x + to_y * half:.1f} {back_y - to_x * half:.1f}z"
    )
