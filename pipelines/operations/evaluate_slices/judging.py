"""Score slices by ROC AUC with DeLong intervals, and judge them all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pipelines.operations.contract import Json
from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.learning.metrics import Floats, Labels

MINIMUM_PER_CLASS = 5  # fewer positives or negatives give no usable interval (own)


@dataclass(frozen=True)
class Limits:
    """Rows a slice must have, how far below all rows it may lie, rate of false findings."""

    rows: int = 50
    tolerance: float = 0.05
    false_discovery: float = 0.05


@dataclass(frozen=True)
class Judged:
    """A slice with its score; `gap` is observed share minus mean score, in points of 1."""

    piece: Slice
    rows: int
    positives: int
    gap: float | None
    auc: float | None = None
    expected: float | None = None
    error: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    verdict: str = "too small"

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """95 % interval of the score."""
        if self.auc is None or self.error is None:
            return None, None
        half = 1.959963984540054 * self.error
        return max(0.0, self.auc - half), min(1.0, self.auc + half)

    def as_json(self) -> dict[str, Json]:
        """The row for facts and pages."""
        low, high = self.interval
        return {
            "slice": self.piece.name,
            "column": self.piece.column,
            "found": self.piece.found,
            "rows": self.rows,
            "positives": self.positives,
            "value": self.auc,
            "expected": self.expected,
            "low": low,
            "high": high,
            "calibration_gap": self.gap,
            "p_adjusted": self.p_adjusted,
            "verdict": self.verdict,
        }


def auc_of(scores: Floats, labels: Labels) -> tuple[float, float]:
    """(ROC AUC, its standard error) after DeLong, by ranks: one sort."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    m, n = positive.size, negative.size
    everything = stats.rankdata(np.concatenate([positive, negative]))
    v10 = (everything[:m] - stats.rankdata(positive)) / n
    v01 = 1 - (everything[m:] - stats.rankdata(negative)) / m
    variance = (v10.var(ddof=1) / m if m > 1 else 0.0) + (v01.var(ddof=1) / n if n > 1 else 0.0)
    return float(v10.mean()), math.sqrt(float(variance))


def judge(slices: Sequence[Slice], scores: Floats, labels: Labels, limits: Limits) -> list[Judged]:
    """All slices, those that are worse first.

    "worse": below all rows by more than the tolerance, and significantly below the rows
    outside it, after Benjamini-Hochberg over all slices that are large enough. "hard": the
    same, but its own scores promise no more (rows there are alike), and the promise is kept.
    """
    overall = auc_of(scores, labels)[0]
    measured = [_measure(piece, scores, labels, limits) for piece in slices]
    large = [row for row in measured if row.p_value is not None]
    adjusted = iter(
        stats.false_discovery_control([row.p_value for row in large], method="bh") if large else []
    )
    judged = []
    for row in measured:
        if row.p_value is not None and row.auc is not None:
            p_adjusted = float(next(adjusted))
            verdict = _verdict(row, p_adjusted, overall, limits)
            row = replace(row, p_adjusted=p_adjusted, verdict=verdict)
        judged.append(row)
    order = {"worse": 0, "hard": 1, "holds": 2, "too small": 3}
    return sorted(judged, key=lambda r: (order[r.verdict], r.auc if r.auc is not None else 2.0))


def _verdict(row: Judged, p_adjusted: float, overall: float, limits: Limits) -> str:
    floor = overall - limits.tolerance
    if row.auc is None or row.auc >= floor or p_adjusted > limits.false_discovery:
        return "holds"
    high = row.interval[1]
    promised = row.expected is not None and high is not None
    kept = promised and row.expected < floor and high >= row.expected  # type: ignore[operator]
    return "hard" if kept else "worse"


def expected_auc(scores: Floats) -> float | None:
    """The ROC AUC that rows with these scores would have if the scores were true."""
    order = np.argsort(scores, kind="stable")
    p = scores[order]
    starts = np.append(0, np.flatnonzero(np.diff(p)) + 1)
    positive, negative = np.add.reduceat(p, starts), np.add.reduceat(1 - p, starts)
    total = float(positive.sum() * negative.sum() - np.sum(p * (1 - p)))
    if total <= 0:
        return None
    below = np.cumsum(negative) - negative
    # a row is never compared with itself, so its own pair leaves the ties
    own = np.add.reduceat(p * (1 - p), starts)
    wins = float(np.sum(positive * below + (positive * negative - own) / 2))
    return wins / total


def _measure(piece: Slice, scores: Floats, labels: Labels, limits: Limits) -> Judged:
    inside = labels[piece.rows]
    rows, positives = int(inside.size), int(inside.sum())
    gap = float(inside.mean() - scores[piece.rows].mean()) if rows else None
    small = Judged(piece, rows, positives, gap)
    outside = labels[~piece.rows]
    usable = min(positives, rows - positives) >= MINIMUM_PER_CLASS
    if rows < limits.rows or not usable:
        return small
    auc, error = auc_of(scores[piece.rows], inside)
    if min(int(outside.sum()), int(outside.size - outside.sum())) < MINIMUM_PER_CLASS:
        return replace(small, auc=auc, error=error, verdict="holds")
    expected = expected_auc(scores[piece.rows])
    other, other_error = auc_of(scores[~piece.rows], outside)
    spread = math.hypot(error, other_error)
    p_value = float(stats.norm.cdf((auc - other) / spread)) if spread else 1.0
    return replace(small, auc=auc, expected=expected, error=error, p_value=p_value)
