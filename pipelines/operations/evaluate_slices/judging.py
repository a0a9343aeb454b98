"""Hold slices against all rows, all at once, by the yardstick of the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy import stats

from pipelines.operations.contract import Json
from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.learning.metrics import Floats

Z = 1.959963984540054


@dataclass(frozen=True)
class Limits:
    """Rows a slice must have, how much worse than all rows it may be, rate of false findings.

    `tolerance` is in points of ROC AUC, or a share of the mean absolute error.
    """

    rows: int = 50
    tolerance: float = 0.05
    false_discovery: float = 0.05


@dataclass(frozen=True)
class Judged:
    """A slice with its score; `gap` is what came out less the score, on average.

    `expected` is the score of rows like these that were served as well as all; `highest` the
    greatest value that the score can take.
    """

    piece: Slice
    rows: int
    positives: int | None
    gap: float | None
    value: float | None = None
    expected: float | None = None
    error: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    verdict: str = "too small"
    highest: float = 1.0

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """95 % interval of the score."""
        if self.value is None or self.error is None:
            return None, None
        half = Z * self.error
        return max(0.0, self.value - half), min(self.highest, self.value + half)

    def as_json(self) -> dict[str, Json]:
        """The row for facts and pages."""
        low, high = self.interval
        return {
            "slice": self.piece.name,
            "column": self.piece.column,
            "found": self.piece.found,
            "rows": self.rows,
            "positives": self.positives,
            "value": self.value,
            "expected": self.expected,
            "low": low,
            "high": high,
            "calibration_gap": self.gap,
            "p_adjusted": self.p_adjusted,
            "verdict": self.verdict,
        }


class Yardstick(Protocol):
    """How the rows of a slice are scored, and when they are worse than all rows."""

    @property
    def metric(self) -> str:
        """The score's name."""
        ...

    def overall(self, scores: Floats, truth: np.ndarray) -> tuple[float, float]:
        """(score, its standard error) of all rows."""
        ...

    def measure(self, piece: Slice, scores: Floats, truth: np.ndarray, limits: Limits) -> Judged:
        """The slice with score, error and p value; "too small" where it has too few rows."""
        ...

    def beyond(self, value: float, overall: float, limits: Limits) -> bool:
        """Whether a score is worse than all rows' by more than the tolerance."""
        ...

    def excused(self, row: Judged, overall: float, limits: Limits) -> bool:
        """Whether rows like these can be served no better, and are served as well as that."""
        ...

    def badness(self, value: float | None) -> float:
        """Orders slices, the worst highest."""
        ...


def judge(
    slices: Sequence[Slice],
    scores: Floats,
    truth: np.ndarray,
    limits: Limits,
    *,
    yardstick: Yardstick,
) -> list[Judged]:
    """All slices, those that are worse first.

    "worse": than all rows by more than the tolerance, and significantly worse than the rows
    outside it, after Benjamini-Hochberg over all slices that are large enough. "hard": the
    same, but rows like these admit no better score, and that one is reached.
    """
    overall = yardstick.overall(scores, truth)[0]
    measured = [yardstick.measure(piece, scores, truth, limits) for piece in slices]
    large = [row for row in measured if row.p_value is not None]
    adjusted = iter(
        stats.false_discovery_control([row.p_value for row in large], method="bh") if large else []
    )
    judged = []
    for row in measured:
        if row.p_value is not None:
            row = replace(row, p_adjusted=float(next(adjusted)))
            row = replace(row, verdict=_verdict(row, overall, limits, yardstick))
        judged.append(row)
    order = {"worse": 0, "hard": 1, "holds": 2, "too small": 3}
    return sorted(judged, key=lambda r: (order[r.verdict], -yardstick.badness(r.value)))


def _verdict(row: Judged, overall: float, limits: Limits, yardstick: Yardstick) -> str:
    if row.value is None or row.p_adjusted is None or row.p_adjusted > limits.false_discovery:
        return "holds"
    if not yardstick.beyond(row.value, overall, limits):
        return "holds"
    return "hard" if yardstick.excused(row, overall, limits) else "worse"
