"""A detector whose score is a share: how many ordinary rows are less strange than this one."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from pipelines.operations.anomalies import forest
from pipelines.operations.unlabelled.matrix import Floats, sample_rows

FAMILIES = ("robust_z", "forest", "neighbours", "one_class")  # from the simplest on
TREES, NEIGHBOURS, NU = 100, 20, 0.05  # library defaults, nu (own)
HELD_BACK = 0.3  # share of the rows that strangeness is held against (own)
MAD = 1.4826  # makes the median deviation of a normal column its standard deviation


class Detector(BaseEstimator):  # type: ignore[misc]
    """Robust z rule, IsolationForest, LocalOutlierFactor or one-class SVM behind one face.

    A seeded 30 % of the rows are not learned from; a row's score is the share of them that is
    less strange, (number below) / (n + 1): one minus its conformal p value. So an ordinary row
    scores above t with probability 1 - t at most, whatever the family, as long as rows come
    from where the training's came. Beyond the strangest of them the score goes on towards 1.
    """

    def __init__(self, family: str = "forest", rows: int = 5000, seed: int = 0) -> None:
        self.family = family
        self.rows = rows
        self.seed = seed

    def fit(self, matrix: Floats, y: object = None) -> Self:
        """Learn from rows x columns without gaps; labels are not looked at."""
        matrix = np.asarray(matrix, dtype=np.float64)
        order = np.random.default_rng(self.seed).permutation(len(matrix))
        held = np.sort(order[: max(1, int(HELD_BACK * len(matrix)))])
        learned = np.sort(order[held.size :])
        learned = learned[sample_rows(learned.size, self.rows, seed=self.seed)]
        getattr(self, f"_fit_{self.family}")(matrix[learned])
        self.ordinary_ = np.sort(self.strangeness(matrix[held]))
        top = self.ordinary_[-max(2, held.size // 10) :]
        self.tail_ = max(float(top[-1] - top[0]), 1e-9)
        self.classes_ = np.asarray([0, 1])
        self.n_features_in_ = int(matrix.shape[1])
        return self

    def _fit_robust_z(self, matrix: Floats) -> None:
        self.centre_ = np.median(matrix, axis=0)
        spread = MAD * np.median(np.abs(matrix - self.centre_), axis=0)
        wide = np.where(np.ptp(matrix, axis=0) > 0, matrix.std(axis=0), 0.0)
        # a column that is nearly always the same has no median deviation
        self.spread_ = np.where(spread > 0, spread, np.where(wide > 0, wide, 1.0))

    def _fit_forest(self, matrix: Floats) -> None:
        self.trees_ = forest.grow(matrix, trees=TREES, seed=self.seed)

    def _fit_neighbours(self, matrix: Floats) -> None:
        near = min(NEIGHBOURS, len(matrix) - 1)
        self.model_ = LocalOutlierFactor(n_neighbors=near, novelty=True, algorithm="brute")
        self.model_.fit(matrix)

    def _fit_one_class(self, matrix: Floats) -> None:
        self.model_ = OneClassSVM(gamma="scale", nu=NU).fit(matrix)

    def strangeness(self, matrix: Floats) -> Floats:
        """How strange each row is, in the family's own measure; more is stranger."""
        if self.family == "robust_z":
            found: Floats = np.abs((matrix - self.centre_) / self.spread_).max(axis=1)
            return found
        if self.family == "forest":
            return forest.strangeness(self.trees_, matrix)
        raw: Floats = -np.asarray(self.model_.score_samples(matrix), dtype=np.float64)
        return raw

    def predict_proba(self, matrix: Floats) -> Floats:
        """(1 - score, score) of each row; the score is the share of ordinary rows below it."""
        raw = self.strangeness(np.asarray(matrix, dtype=np.float64))
        count = self.ordinary_.size
        score = np.searchsorted(self.ordinary_, raw, side="left") / (count + 1)
        beyond = raw - self.ordinary_[-1]
        last = (1 - np.exp(-np.maximum(beyond, 0.0) / self.tail_)) / (count + 1)
        score = np.where(beyond > 0, count / (count + 1) + last, score)
        return np.column_stack([1 - score, score])

    def predict(self, matrix: Floats) -> npt.NDArray[np.int64]:
        """1 for rows stranger than every ordinary one held back."""
        raw = self.strangeness(np.asarray(matrix, dtype=np.float64))
        found: npt.NDArray[np.int64] = (raw > self.ordinary_[-1]).astype(np.int64)
        return found
