"""Intervals around numbers: one margin for all rows, or one for each value of a column.

The column is the horizon of a forecast: errors grow with it, so one margin for all is too wide at
the first step and too narrow at the last. Each margin is set by the earlier rows of its step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning import conformal
from pipelines.operations.learning.conformal import Coverage, Margin
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Blocks

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Margins:
    """What is added to each prediction (NaN where nothing is promised), and its check.

    `steps` has the margin of each value of the column; empty for one margin for all rows.
    """

    low: Floats
    high: Floats
    expected: Floats  # share of rows inside the row's margin
    alpha: float
    steps: Mapping[float, tuple[Margin, Coverage]]
    one: tuple[Margin, Coverage] | None

    @property
    def promised(self) -> Mask:
        """Rows that have an interval."""
        found: Mask = np.isfinite(self.low)
        return found

    def expected_of(self, rows: Mask) -> float:
        """Share of these rows inside, where they are as those that set their margins."""
        return float(self.expected[rows].mean())


def one_margin(errors: Floats, calibrates: Mask, blocks: Blocks, alpha: float) -> Margins:
    """The same margin for every row; none where too few rows set it."""
    found = _set(errors, calibrates, blocks, alpha)
    low, high = (found[0].low, found[0].high) if found else (np.nan, np.nan)
    size = errors.size
    expected = np.full(size, found[0].expected if found else np.nan)
    return Margins(np.full(size, low), np.full(size, high), expected, alpha, {}, found)


def margin_by(
    steps: Floats, errors: Floats, calibrates: Mask, *, blocks: Blocks, alpha: float
) -> Margins:
    """A margin for each step; rows of a step with too few to set one have none."""
    low, high = np.full(errors.size, np.nan), np.full(errors.size, np.nan)
    expected, found = np.full(errors.size, np.nan), {}
    for step in np.unique(steps[np.isfinite(steps)]):
        mine = steps == step
        made = _set(errors[mine], calibrates[mine], blocks[mine], alpha)
        if made is not None:
            low[mine], high[mine] = made[0].low, made[0].high
            expected[mine] = made[0].expected
            found[float(step)] = made
    return Margins(low, high, expected, alpha, found, None)


def _set(
    errors: Floats, calibrates: Mask, blocks: Blocks, alpha: float
) -> tuple[Margin, Coverage] | None:
    margin, checks = conformal.margin(errors[calibrates], alpha), ~calibrates
    if margin is None or not checks.any():
        return None
    before = (errors[calibrates], blocks[calibrates])
    return margin, conformal.coverage(errors[checks], margin, blocks[checks], before=before)


def margins_json(
    made: Margins, errors: Floats, calibrates: Mask, *, blocks: Blocks, by: str
) -> Json:
    """For facts: the margin with its check; of several also each, and all rows together."""
    if made.one is not None:
        return conformal.as_json(*made.one)
    counted = ~calibrates & made.promised
    if not made.steps or not counted.any():
        return None
    inside = ((errors >= made.low) & (errors <= made.high)).astype(np.float64)
    strict = (errors > made.low) & (errors < made.high)
    sets = calibrates & made.promised
    sides = [(inside[counted], blocks[counted]), (inside[sets], blocks[sets])]
    rows = int(sets.sum())
    share, expected = float(strict[counted].mean()), made.expected_of(counted)
    found = conformal.counted(sides, share, 1 - made.alpha, rows, expected=expected)
    widths = (made.high - made.low)[counted]
    whole: dict[str, Json] = {
        "level": 1 - made.alpha,
        "low": None,
        "high": None,
        "width": finite(float(widths.mean()), 6),
        "calibration_rows": rows,
        "checked_rows": found.rows,
        "effective_rows": finite(found.effective_rows, 1),
        "coverage": found.share,
        "strictly_inside": found.strict,
        "expected": finite(found.expected, 6),
        "tolerance": finite(found.tolerance, 6),
        "holds": found.holds,
        "by": by,
    }
    steps: list[Json] = [
        {"step": step, **part}
        for step, pair in made.steps.items()
        if isinstance(part := conformal.as_json(*pair), dict)
    ]
    return {**whole, "steps": steps}
