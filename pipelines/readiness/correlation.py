"""Spearman's rank correlation of a handful of releases, and how large chance alone makes it. Pure.

Critical values: one-sided 5 % of the exact permutation distribution (Zar, Biostatistical Analysis,
table B.20; for 5 to 7 values recomputed in the tests); beyond ten values the normal approximation
1.645 / sqrt(n - 1), which is within 0.03 of the table (conv).
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

FEWEST: Final = 5  # catalogue 4.1, Model2
CRITICAL: Final = {5: 0.900, 6: 0.829, 7: 0.714, 8: 0.643, 9: 0.600, 10: 0.564}


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's correlation of mean ranks; None where one side has one value only."""
    one, two = ranks(first), ranks(second)
    middle = (len(one) + 1) / 2
    squares = sum((a - middle) ** 2 for a in one), sum((b - middle) ** 2 for b in two)
    if not all(squares):
        return None
    both = sum((a - middle) * (b - middle) for a, b in zip(one, two, strict=True))
    return both / sqrt(squares[0] * squares[1])


def ranks(values: Sequence[float]) -> list[float]:
    """Return ranks from 1; equal values share the mean of theirs."""
    order = sorted(values)
    return [order.index(value) + (order.count(value) + 1) / 2 for value in values]


def critical(count: int) -> float:
    """Return the correlation that chance alone exceeds in 1 of 20 cases; `count` of 5 or more."""
    return CRITICAL.get(count) or 1.645 / sqrt(count - 1)
