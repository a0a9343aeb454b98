"""Slices of a classification: ROC AUC with DeLong intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.evaluate_slices.judging import Judged, Limits
from pipelines.operations.learning.metrics import Floats, Labels

MINIMUM_PER_CLASS = 5  # fewer positives or negatives give no usable interval (own)


@dataclass(frozen=True)
class ByArea:
    """A slice is worse where its scores rank less well."""

    metric: str = "roc_auc"

    def overall(self, scores: Floats, truth: np.ndarray) -> tuple[float, float]:
        """ROC AUC of all rows."""
        return auc_of(scores, truth)

    def measure(self, piece: Slice, scores: Floats, truth: np.ndarray, limits: Limits) -> Judged:
        """ROC AUC of the slice; the p value is of its being below that of all other rows."""
        inside = truth[piece.rows]
        rows, positives = int(inside.size), int(inside.sum())
        gap = float(inside.mean() - scores[piece.rows].mean()) if rows else None
        small = Judged(piece, rows, positives, gap)
        outside = truth[~piece.rows]
        usable = min(positives, rows - positives) >= MINIMUM_PER_CLASS
        if rows < limits.rows or not usable:
            return small
        auc, error = auc_of(scores[piece.rows], inside)
        if min(int(outside.sum()), int(outside.size - outside.sum())) < MINIMUM_PER_CLASS:
            return replace(small, value=auc, error=error, verdict="holds")
        expected = expected_auc(scores[piece.rows])
        other, other_error = auc_of(scores[~piece.rows], outside)
        spread = math.hypot(error, other_error)
        p_value = float(stats.norm.cdf((auc - other) / spread)) if spread else 1.0
        return replace(small, value=auc, expected=expected, error=error, p_value=p_value)

    def beyond(self, value: float, overall: float, limits: Limits) -> bool:
        """Below all rows by more than the tolerance in points."""
        return value < overall - limits.tolerance

    def excused(self, row: Judged, overall: float, limits: Limits) -> bool:
        """Its own scores promise no more (rows there are alike), and the promise is kept."""
        high = row.interval[1]
        if row.expected is None or high is None:
            return False
        return self.beyond(row.expected, overall, limits) and high >= row.expected

    def badness(self, value: float | None) -> float:
        """The lower, the worse."""
        return -2.0 if value is None else -value


def auc_of(scores: Floats, labels: Labels) -> tuple[float, float]:
    """(ROC AUC, its standard error) after DeLong, by ranks: one sort."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    m, n = positive.size, negative.size
    everything = stats.rankdata(np.concatenate([positive, negative]))
    v10 = (everything[:m] - stats.rankdata(positive)) / n
    v01 = 1 - (everything[m:] - stats.rankdata(negative)) / m
    variance = (v10.var(ddof=1) / m if m > 1 else 0.0) + (v01.var(ddof=1) / n if n > 1 else 0.0)
    return float(v10.mean()), math.sqrt(float(variance))


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
