"""The rungs of successive halving: many on few rows, then the best of them on ever more.

As scikit-learn's HalvingRandomSearchCV with min_resources="exhaust" and without aggressive
elimination: the last rung has all rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.operations.contract import Json

Settings = Mapping[str, Json]
LEAST_ROWS = 200  # per side of a fold: fewer tell candidates apart by chance (own)


@dataclass(frozen=True)
class Rung:
    """How many candidates are measured, on how many rows per side of a fold."""

    candidates: int
    rows: int


def rungs(candidates: int, *, rows: int, factor: int) -> list[Rung]:
    """All rungs, from many candidates on few rows to few on all rows."""
    wanted = 1 + _log(candidates, factor)
    possible = 1 + _log(max(1, rows // min(LEAST_ROWS, rows)), factor)
    count = min(wanted, possible)
    first = max(1, rows // factor ** (count - 1))
    return [
        Rung(math.ceil(candidates / factor**step), min(rows, first * factor**step))
        for step in range(count)
    ]


def _log(value: int, base: int) -> int:
    """The whole part of a logarithm, without rounding: 243 to base 3 is 5."""
    found = 0
    while value >= base ** (found + 1):
        found += 1
    return found


def best_of(scored: Sequence[tuple[int, float]], count: int) -> list[int]:
    """Numbers of the best; the earlier one where two are equal. Scores: higher is better."""
    ranked = sorted(scored, key=lambda pair: (-pair[1], pair[0]))
    return sorted(number for number, _ in ranked[:count])
