"""Slices of a regression: mean absolute error, against that of all other rows."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.evaluate_slices.judging import Judged, Limits
from pipelines.operations.learning.metrics import Floats


@dataclass(frozen=True)
class BySize:
    """A slice is worse where predictions are further off."""

    metric: str = "mae"

    def overall(self, scores: Floats, truth: np.ndarray) -> tuple[float, float]:
        """Mean absolute error of all rows."""
        return _mean(np.abs(scores - truth))

    def measure(self, piece: Slice, scores: Floats, truth: np.ndarray, limits: Limits) -> Judged:
        """Mean absolute error; the p value is of Welch's test that it exceeds the other rows'.

        `expected`: the spread of the outcomes around the slice's own median, times the share of
        such spread that the model leaves over all rows.
        """
        inside, outside = truth[piece.rows], truth[~piece.rows]
        gap = float((inside - scores[piece.rows]).mean()) if inside.size else None
        small = Judged(piece, int(inside.size), None, gap, highest=math.inf)
        if inside.size < max(limits.rows, 2):
            return small
        errors = np.abs(scores - truth)
        value, error = _mean(errors[piece.rows])
        if outside.size < 2:
            return replace(small, value=value, error=error, verdict="holds")
        left = errors.mean() / _spread(truth) if _spread(truth) else 1.0
        p_value = 1.0
        if np.ptp(errors) > 0:  # the deviation of equal errors is not always 0
            p_value = _exceeds(errors / errors.max(), piece.rows)
        expected = float(left * _spread(inside))
        return replace(small, value=value, expected=expected, error=error, p_value=p_value)

    def beyond(self, value: float, overall: float, limits: Limits) -> bool:
        """Above all rows by more than the tolerance as a share."""
        return value > overall * (1 + limits.tolerance)

    def excused(self, row: Judged, overall: float, limits: Limits) -> bool:
        """Outcomes spread more there, and the model takes as much of the spread as elsewhere."""
        low = row.interval[0]
        if row.expected is None or low is None:
            return False
        return self.beyond(row.expected, overall, limits) and low <= row.expected

    def badness(self, value: float | None) -> float:
        """The higher, the worse."""
        return -1.0 if value is None else value


def _exceeds(errors: Floats, inside: np.ndarray) -> float:
    """Welch's p value of larger errors inside; the errors are at most 1, so no square is too large.

    Errors that are the same on a side have no spread, and scipy warns that it divides by nearly
    nothing: where the sides differ then, they do so surely.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        tested = stats.ttest_ind(
            errors[inside], errors[~inside], equal_var=False, alternative="greater"
        )
    return float(tested.pvalue) if np.isfinite(tested.pvalue) else 1.0


def _mean(errors: Floats) -> tuple[float, float]:
    if errors.size < 2:
        return float(errors.mean()), math.nan
    return float(errors.mean()), float(errors.std(ddof=1)) / math.sqrt(errors.size)


def _spread(truth: Floats) -> float:
    """Mean absolute deviation around the median: the error of the best constant answer."""
    return float(np.abs(truth - np.median(truth)).mean())
