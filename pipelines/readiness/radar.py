"""The 26 worries as a drawing: a spoke each, the farther out the worse. Pure; places in pixels.

Shape says the level as well as place and colour do, so it is read without colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.checks.worries.catalogue import GROUPS
from pipelines.checks.worries.looking import (
    BLOCKER,
    CLEAR,
    NOT_HERE,
    NOTE,
    TOO_FEW,
    UNSEEN,
    WARN,
)
from pipelines.readiness.worries import WorryResult

SIZE: Final = 400.0
MIDDLE: Final = SIZE / 2
RINGS: Final = {CLEAR: 50.0, NOTE: 80.0, WARN: 110.0, BLOCKER: 140.0}
INNER: Final = 24.0  # what is not known, or does not apply
OUTER: Final = 148.0
NAMES: Final = 163.0  # where a spoke is named
ARC: Final = 184.0  # along which a column of worries is named
GAP: Final = 0.5  # of a spoke's width between two columns
SLUGS: Final = {
    BLOCKER: "blocker", WARN: "warn", NOTE: "note", CLEAR: "clear", UNSEEN: "unseen",
    TOO_FEW: "few", NOT_HERE: "none",
}  # fmt: skip


@dataclass(frozen=True)
class Spoke:
    """One worry: its line from the middle, its mark, and where its name stands."""

    result: WorryResult
    x: float
    y: float
    end_x: float
    end_y: float
    name_x: float
    name_y: float
    slug: str
    mark: str

    @property
    def text(self) -> str:
        """Read out, and shown where one points."""
        worry = self.result.worry
        return f"{worry.id} {worry.title}: {self.result.level}. {self.result.text}"


@dataclass(frozen=True)
class Sector:
    """One of the six columns: its share of the circle, and the arc its name runs along."""

    key: str
    title: str
    wedge: str
    arc: str
    even: bool


@dataclass(frozen=True)
class Radar:
    """The whole drawing; `area` is the shape through all marks."""

    size: float
    spokes: tuple[Spoke, ...]
    sectors: tuple[Sector, ...]
    rings: tuple[tuple[str, float], ...]
    area: str


def draw(results: Sequence[WorryResult]) -> Radar:
    """Return the drawing of some worries, in the order of their columns."""
    groups = [group for group in GROUPS if any(r.worry.group == group for r in results)]
    step = 2 * math.pi / (len(results) + GAP * len(groups))
    spokes, sectors, angle = [], [], -math.pi / 2 + step * GAP / 2
    for number, group in enumerate(groups):
        own = [result for result in results if result.worry.group == group]
        first, width = angle, step * len(own)
        spokes += [_spoke(one, first + step * (n + 0.5)) for n, one in enumerate(own)]
        sectors.append(_sector(number, group, first, first + width))
        angle += width + step * GAP
    area = " ".join(f"{spoke.x:.1f},{spoke.y:.1f}" for spoke in spokes)
    rings = tuple((level, radius) for level, radius in RINGS.items())
    return Radar(SIZE, tuple(spokes), tuple(sectors), rings, area)


def _at(angle: float, radius: float) -> tuple[float, float]:
    return MIDDLE + radius * math.cos(angle), MIDDLE + radius * math.sin(angle)


def _spoke(result: WorryResult, angle: float) -> Spoke:
    x, y = _at(angle, RINGS.get(result.level, INNER))
    end_x, end_y = _at(angle, OUTER)
    name_x, name_y = _at(angle, NAMES)
    return Spoke(
        result,
        x=round(x, 1),
        y=round(y, 1),
        end_x=round(end_x, 1),
        end_y=round(end_y, 1),
        name_x=round(name_x, 1),
        name_y=round(name_y + 3.5, 1),
        slug=SLUGS[result.level],
        mark=mark(result.level, x, y),
    )


def mark(level: str, x: float = 8.0, y: float = 8.0) -> str:
    """The outline of a level's mark: disc, square, triangle, octagon, ring, two rings, dash."""
    if level in (NOTE, BLOCKER, WARN):
        corners, size, turn = {
            NOTE: (4, 6.0, 0.25),
            WARN: (3, 7.5, -0.5),
            BLOCKER: (8, 8.0, 0.125),
        }[level]
        points = [
            (
                x + size * math.cos(2 * math.pi * place / corners + turn * math.pi),
                y + size * math.sin(2 * math.pi * place / corners + turn * math.pi),
            )
            for place in range(corners)
        ]
        return "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in points) + " Z"
    if level == NOT_HERE:
        return f"M{x - 4:.1f} {y:.1f} h8"
    outer = _disc(x, y, 4.5)
    return f"{outer} {_disc(x, y, 1.5)}" if level == TOO_FEW else outer


def _disc(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f} a{r} {r} 0 1 0 {2 * r} 0 a{r} {r} 0 1 0 {-2 * r} 0 Z"


def _sector(number: int, title: str, first: float, last: float) -> Sector:
    large = int(last - first > math.pi)
    (a, b), (c, d) = _at(first, OUTER), _at(last, OUTER)
    wedge = (
        f"M{MIDDLE:.1f} {MIDDLE:.1f} L{a:.1f} {b:.1f} "
        f"A{OUTER} {OUTER} 0 {large} 1 {c:.1f} {d:.1f} Z"
    )
    return Sector(f"column-{number}", title, wedge, _arc(first, last), number % 2 == 0)


def _arc(first: float, last: float) -> str:
    """Wide enough for any name around the sector's middle; the lower ones run the other way."""
    middle = (first + last) / 2
    below = math.sin(middle) > 0.25
    reach = math.pi / 3
    radius = ARC + (9 if below else 0)
    ends = (middle + reach, middle - reach) if below else (middle - reach, middle + reach)
    (a, b), (c, d) = _at(ends[0], radius), _at(ends[1], radius)
    return f"M{a:.1f} {b:.1f} A{radius} {radius} 0 0 {int(not below)} {c:.1f} {d:.1f}"
