"""Fences that a skewed column does not run into by its skew alone."""

from __future__ import annotations

import numpy as np

FENCE = 1.5  # interquartile ranges beyond the quartiles (conv, Tukey 1977)
GRID = 201  # order statistics that stand for a column in the medcouple
MOST_SKEW = 0.6  # the adjusted fences are stated up to here (conv, Hubert & Vandervieren 2008)


def medcouple(values: np.ndarray) -> float:
    """Robust skewness in [-1, 1] of known values (Brys, Hubert & Struyf 2004).

    Computed on GRID evenly spaced order statistics, so that it costs the same for any number of
    rows; exact up to that many. Ties with the median count by the sign of their distance in rank.
    """
    if values.size > GRID:
        marks = np.linspace(0, values.size - 1, GRID).round().astype(int)
        ordered = np.partition(values, marks)[marks]
    else:
        ordered = np.sort(values)
    middle = float(np.median(ordered))
    upper, lower = ordered[ordered >= middle][::-1] - middle, ordered[ordered <= middle] - middle
    gap = upper[:, None] - lower[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        kernel = (upper[:, None] + lower[None, :]) / gap
    ties = int(np.sum(ordered == middle))
    if ties:
        order = np.arange(ties)
        kernel[-ties:, -ties:] = np.sign(ties - 1 - order[:, None] - order[None, :][:, ::-1] * 1.0)
    return float(np.median(kernel))


def fences(known: np.ndarray, *, reach: float = FENCE) -> tuple[float, float]:
    """Below and above which a value lies out; (-inf, inf) where half of the values are one.

    Tukey's fences, widened on the longer side by exp(3 MC) and not narrowed on the shorter one as
    the adjusted boxplot does: that would make ordinary values of small samples stand out.
    """
    low, high = np.quantile(known, [0.25, 0.75])
    spread = float(high - low)
    if spread <= 0:
        return -np.inf, np.inf
    skew = float(np.clip(medcouple(known), -MOST_SKEW, MOST_SKEW))
    shorter, longer = reach * spread, reach * float(np.exp(3 * abs(skew))) * spread
    below, above = (shorter, longer) if skew >= 0 else (longer, shorter)
    return float(low) - below, float(high) + above
