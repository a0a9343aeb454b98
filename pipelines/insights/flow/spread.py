"""Percentiles, and what is said of a set of lengths."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Spread:
    """How lengths are spread: how many there are, their mean and percentiles; None of none."""

    n: int
    mean: timedelta | None = None
    p50: timedelta | None = None
    p85: timedelta | None = None
    p95: timedelta | None = None


def percentile(values: Sequence[float], q: float) -> float:
    """Return the q-quantile (0 to 1) of sorted values, between neighbours by straight line.

    h = (n - 1) q; x[floor h] + (h - floor h) (x[floor h + 1] - x[floor h]). Hyndman & Fan 1996,
    type 7: what numpy and PostgreSQL's percentile_cont compute. Raises ValueError on no value.
    """
    if not values:
        raise ValueError("no value has no percentile")
    height = (len(values) - 1) * q
    low = int(height)
    if low + 1 >= len(values) or height == low:
        return values[low]
    below, above = values[low], values[low + 1]
    return min(max(below + (height - low) * (above - below), below), above)


def spread(lengths: Iterable[timedelta | None]) -> Spread:
    """Return how the lengths are spread; None is left out."""
    found = sorted(length.total_seconds() for length in lengths if length is not None)
    if not found:
        return Spread(0)
    mean = min(max(sum(found) / len(found), found[0]), found[-1])
    at = {q: timedelta(seconds=percentile(found, q)) for q in (0.5, 0.85, 0.95)}
    return Spread(len(found), timedelta(seconds=mean), at[0.5], at[0.85], at[0.95])
