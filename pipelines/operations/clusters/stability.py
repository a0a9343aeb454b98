"""How much of a partition comes again on other rows, and how much of it chance would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score

from pipelines.operations.clusters.segmenter import OUTSIDE, Segmenter
from pipelines.operations.contract import Json, finite
from pipelines.operations.unlabelled.matrix import Floats

Labels = npt.NDArray[np.int64]
Told = Callable[[float], None]


def _silent(share: float) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True)
class Stability:
    """Adjusted Rand of each resample against the partition; None where there is none to hold."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """Mean over the resamples."""
        return float(np.mean(self.values)) if self.values else None

    def as_json(self) -> dict[str, Json]:
        """Mean, and the 5th and 95th of 100 resamples."""
        low, high = np.quantile(self.values, [0.05, 0.95]) if self.values else (None, None)
        return {
            "value": finite(self.mean, 6),
            "low": finite(None if low is None else float(low), 6),
            "high": finite(None if high is None else float(high), 6),
            "resamples": len(self.values),
        }


def stability(
    segmenter: Segmenter, matrix: Floats, *, resamples: int, seed: int, told: Told = _silent
) -> Stability:
    """Mean adjusted Rand over bootstrap resamples (catalogue 5.1; after Hennig 2007).

    Each resample draws as many rows as there are, with replacement, learns the partition anew
    and assigns all rows; agreement with the partition learned on all rows is 1 for equal
    partitions and 0 on average for unrelated ones. A single group agrees with itself by
    definition, so it has no stability: the result is empty. HDBSCAN learns from the different
    rows of a resample (63 % of all), since a row drawn twice would look like a crowd.
    """
    whole = clone(segmenter).fit(matrix).predict(matrix)
    if groups_of(whole) < 2:
        return Stability(())
    draw = np.random.default_rng(seed)
    found = []
    for number in range(1, resamples + 1):
        rows = draw.integers(0, len(matrix), len(matrix))
        if segmenter.family == "density":
            rows = np.unique(rows)
        again = clone(segmenter).fit(matrix[rows]).predict(matrix)
        found.append(float(adjusted_rand_score(whole, again)))
        told(number / resamples)
    return Stability(tuple(found))


def groups_of(labels: Labels) -> int:
    """How many segments hold rows; rows outside of all are none."""
    return int(np.unique(labels[labels != OUTSIDE]).size)


def separation(matrix: Floats, labels: Labels) -> dict[str, Json]:
    """Mean silhouette and Davies-Bouldin of the rows inside; None with fewer than two groups."""
    inside = labels != OUTSIDE
    rows, kept = matrix[inside], labels[inside]
    if not 2 <= np.unique(kept).size < kept.size:
        return {"silhouette": None, "davies_bouldin": None}
    return {
        "silhouette": finite(float(silhouette_score(rows, kept)), 6),
        "davies_bouldin": finite(float(davies_bouldin_score(rows, kept)), 6),
    }


def silhouette(matrix: Floats, labels: Labels) -> float | None:
    """Mean silhouette of the rows inside; None with fewer than two groups."""
    value = separation(matrix, labels)["silhouette"]
    return float(value) if isinstance(value, float) else None


def chance(
    segmenter: Segmenter, matrix: Floats, *, shuffles: int, seed: int, told: Told = _silent
) -> dict[str, Json]:
    """The silhouette against what the same method finds where columns do not belong together.

    Each shuffle permutes every column by itself: the columns stay as they are, what they have
    in common goes. p = (1 + shuffles at least as separated) / (1 + shuffles). Rows dealt at
    random into groups of the same sizes are the plain baseline.
    """
    labels = clone(segmenter).fit(matrix).predict(matrix)
    own, draw = silhouette(matrix, labels), np.random.default_rng(seed)
    dealt = silhouette(matrix, draw.permutation(labels))
    nulls: list[float] = []
    for number in range(1, shuffles + 1):
        other = draw.permuted(matrix, axis=0)
        found = silhouette(other, clone(segmenter).fit(other).predict(other))
        nulls.append(-1.0 if found is None else found)
        told(number / shuffles)
    p = None if own is None else (1 + sum(null >= own for null in nulls)) / (1 + len(nulls))
    return {
        "silhouette": finite(own, 6),
        "random_labels": finite(dealt, 6),
        "shuffled_mean": finite(float(np.mean(nulls)), 6) if nulls else None,
        "shuffled_most": finite(max(nulls), 6) if nulls else None,
        "shuffles": len(nulls),
        "p_value": finite(p, 6),
    }
