"""A fitted partition of rows: a segment for each row, and how surely it belongs there."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier

from pipelines.operations.unlabelled.matrix import Floats, unfinished_allowed

FAMILIES = ("kmeans", "mixture", "density")  # from the simplest on
STARTS = 3
# A share of the variance is added to each component's: without it, the likelihood of columns
# with few values has no bound (own).
FLOOR = 1e-2
NEIGHBOURS = 5
OUTSIDE = 0  # the segment of rows that no group holds


class Segmenter(BaseEstimator):  # type: ignore[misc]
    """KMeans, a Gaussian mixture or HDBSCAN behind one face; segments are 1, 2, ... by size.

    HDBSCAN gives no rule for rows that it has not seen: they take the segment of their
    nearest neighbours among those that it has. Rows that no group holds are segment 0.
    """

    def __init__(
        self, family: str = "kmeans", count: int = 2, smallest: int = 25, seed: int = 0
    ) -> None:
        self.family = family
        self.count = count
        self.smallest = smallest
        self.seed = seed

    def fit(self, matrix: Floats, y: object = None) -> Self:
        """Learn the segments of rows x columns without gaps."""
        with unfinished_allowed():
            raw = getattr(self, f"_fit_{self.family}")(np.asarray(matrix, dtype=np.float64))
        self._number(raw)
        self.n_features_in_ = int(matrix.shape[1])
        return self

    def _fit_kmeans(self, matrix: Floats) -> npt.NDArray[np.int64]:
        # more centres than different rows cannot be placed
        count = min(self.count, len(np.unique(matrix, axis=0)))
        model = KMeans(count, n_init=STARTS, random_state=self.seed).fit(matrix)
        free = max(1, (len(matrix) - count) * matrix.shape[1])
        self.spread_ = max(float(model.inertia_) / free, 1e-12)
        self.model_ = model
        return np.asarray(model.predict(matrix))

    def _fit_mixture(self, matrix: Floats) -> npt.NDArray[np.int64]:
        count = min(self.count, len(np.unique(matrix, axis=0)))
        self.model_ = GaussianMixture(
            count, covariance_type="full" if matrix.shape[1] <= 10 else "diag",
            reg_covar=FLOOR, n_init=1, max_iter=100, random_state=self.seed,
        ).fit(matrix)  # fmt: skip
        return np.asarray(self.model_.predict(matrix))

    def _fit_density(self, matrix: Floats) -> npt.NDArray[np.int64]:
        size = max(2, min(self.smallest, len(matrix) - 1))
        found = HDBSCAN(min_cluster_size=size, copy=True).fit(matrix)
        near = min(NEIGHBOURS, len(matrix))
        # Each row votes by its own strength of membership: those at the edge of a group are weak.
        self.model_ = KNeighborsClassifier(near, weights="distance", algorithm="brute")
        self.model_.fit(matrix, found.labels_)
        return np.asarray(found.labels_)

    def _number(self, raw: npt.NDArray[np.int64]) -> None:
        """Numbers by falling size; a component that holds no row comes last."""
        known = np.asarray(
            self.model_.classes_ if self.family == "density" else np.arange(_parts(self.model_))
        )
        inside = [int(value) for value in known if value >= 0]
        sizes = {value: int((raw == value).sum()) for value in inside}
        order = sorted(inside, key=lambda value: (-sizes[value], value))
        numbers = {value: place for place, value in enumerate(order, start=1)} | {-1: OUTSIDE}
        self.numbers_ = np.asarray([numbers[int(value)] for value in known], dtype=np.int64)
        self.classes_ = np.sort(self.numbers_)

    def predict_proba(self, matrix: Floats) -> Floats:
        """Membership of each row in each of `classes_`; rows add up to 1.

        KMeans: the posterior of equal, round Gaussians whose variance is the within-segment
        variance s2 = inertia / ((n - k) p): proportional to exp(-d2 / (2 s2)). The largest is
        the nearest centre. Mixture: its posterior. HDBSCAN: votes of the nearest rows.
        """
        matrix = np.asarray(matrix, dtype=np.float64)
        if self.family == "kmeans":
            exponent = -(self.model_.transform(matrix) ** 2) / (2 * self.spread_)
            exponent -= exponent.max(axis=1, keepdims=True)
            shares = np.exp(exponent)
            raw = shares / shares.sum(axis=1, keepdims=True)
        else:
            raw = self.model_.predict_proba(matrix)
        found: Floats = raw[:, np.argsort(self.numbers_, kind="stable")]
        return found

    def predict(self, matrix: Floats) -> npt.NDArray[np.int64]:
        """The segment of each row: the likeliest, the larger one where two are equally likely."""
        found: npt.NDArray[np.int64] = self.classes_[self.predict_proba(matrix).argmax(axis=1)]
        return found

    def criterion(self, matrix: Floats) -> float | None:
        """BIC of a mixture (smaller is better); None for the others, which have no likelihood."""
        return float(self.model_.bic(matrix)) if self.family == "mixture" else None


def _parts(model: BaseEstimator) -> int:
    return int(getattr(model, "n_clusters", 0) or model.n_components)
