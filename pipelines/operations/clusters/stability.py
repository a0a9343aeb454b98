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
    """The silhouette against what the same method finds in two kinds of tables without groups.

    `shuffled` permutes every column by itself: the columns stay as they are, what they have in
    common goes. Alone it is too easy: columns that only rise together make one long crowd,
    which any method cuts into better separated pieces than a round one. `one_crowd` draws evenly
    from the box around the rows along their principal axes, the second reference of the gap
    statistic (Tibshirani, Walther and Hastie 2001, section 4): it keeps how long the crowd is
    each way. Each p = (1 + tables at least as separated) / (1 + tables); the larger one counts,
    for segments have to be more than either. Rows dealt at random into groups of the same sizes
    are the plain baseline.
    """
    labels = clone(segmenter).fit(matrix).predict(matrix)
    own, draw = silhouette(matrix, labels), np.random.default_rng(seed)
    dealt = silhouette(matrix, draw.permutation(labels))
    crowd = Crowd.of(matrix)
    nulls: dict[str, list[float]] = {"shuffled": [], "one_crowd": []}
    for number in range(1, shuffles + 1):
        for name, other in (
            ("shuffled", draw.permuted(matrix, axis=0)), ("one_crowd", crowd.draw(draw)),
        ):  # fmt: skip
            found = silhouette(other, clone(segmenter).fit(other).predict(other))
            nulls[name].append(-1.0 if found is None else found)
        told(number / shuffles)
    p_values = {name: None if own is None else _p(own, found) for name, found in nulls.items()}
    known = [value for value in p_values.values() if value is not None]
    return {
        "silhouette": finite(own, 6),
        "random_labels": finite(dealt, 6),
        **{f"{name}_mean": finite(float(np.mean(found)), 6) for name, found in nulls.items()},
        **{f"{name}_most": finite(max(found), 6) for name, found in nulls.items()},
        **{f"{name}_p": finite(value, 6) for name, value in p_values.items()},
        "shuffles": shuffles,
        "p_value": finite(max(known), 6) if known else None,
    }


def _p(own: float, nulls: list[float]) -> float:
    return (1 + sum(null >= own for null in nulls)) / (1 + len(nulls))


@dataclass(frozen=True)
class Crowd:
    """The box around rows along their principal axes; rows of it have no groups."""

    rows: int
    middle: Floats
    axes: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, matrix: Floats) -> Crowd:
        """The box of these rows."""
        middle = matrix.mean(axis=0)
        axes = np.linalg.svd(matrix - middle, full_matrices=False)[2]
        turned = (matrix - middle) @ axes.T
        return cls(len(matrix), middle, axes, turned.min(axis=0), turned.max(axis=0))

    def draw(self, draw: np.random.Generator) -> Floats:
        """As many rows, evenly from the box."""
        turned = draw.uniform(self.low, self.high, (self.rows, self.low.size))
        found: Floats = turned @ self.axes + self.middle
        return found
