"""Slices of a classification of several classes: share of rows told right, the likeliest class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.evaluate_slices.judging import Judged, Limits
from pipelines.operations.learning.class_scores import likeliest
from pipelines.operations.learning.metrics import Floats


@dataclass(frozen=True)
class ByAnswers:
    """A slice is worse where fewer rows are told right.

    The accuracy, not the log loss, since its tolerance can be said in points: an area per class
    would need rows of every class in every slice.
    """

    metric: str = "accuracy"

    def overall(self, scores: Floats, truth: np.ndarray) -> tuple[float, float]:
        """Share of all rows told right."""
        return _share(likeliest(scores) == truth)

    def measure(self, piece: Slice, scores: Floats, truth: np.ndarray, limits: Limits) -> Judged:
        """Share told right; the p value is of Fisher's exact test that it is below the others'.

        `expected` is what the slice's own probabilities promise: the mean of the greatest.
        """
        right = likeliest(scores) == truth
        inside, outside = right[piece.rows], right[~piece.rows]
        top = scores[piece.rows].max(axis=1)
        gap = float(inside.mean() - top.mean()) if inside.size else None
        small = Judged(piece, int(inside.size), None, gap)
        if inside.size < max(limits.rows, 2):
            return small
        value, error = _share(inside)
        if outside.size < 2:
            return replace(small, value=value, error=error, verdict="holds")
        table = [
            [int(inside.sum()), int((~inside).sum())],
            [int(outside.sum()), int((~outside).sum())],
        ]
        p_value = float(stats.fisher_exact(table, alternative="less").pvalue)
        expected = float(top.mean())
        return replace(small, value=value, expected=expected, error=error, p_value=p_value)

    def beyond(self, value: float, overall: float, limits: Limits) -> bool:
        """Below all rows by more than the tolerance in points."""
        return value < overall - limits.tolerance

    def excused(self, row: Judged, overall: float, limits: Limits) -> bool:
        """Its own probabilities promise no more, and the promise is kept."""
        high = row.interval[1]
        if row.expected is None or high is None:
            return False
        return self.beyond(row.expected, overall, limits) and high >= row.expected

    def badness(self, value: float | None) -> float:
        """The lower, the worse."""
        return -2.0 if value is None else -value


def _share(right: np.ndarray) -> tuple[float, float]:
    share = float(right.mean())
    return share, math.sqrt(share * (1 - share) / right.size)
