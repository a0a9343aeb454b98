"""Predicting the difference from a column that is already a fair answer, such as last week.

Trees cannot go beyond the levels they have seen, and the level of a series moves: what they learn
is how far the outcome strays from that column, which is then added.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.weights import fit_weighted


class FromColumn(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The column at `base` plus what `model` says; the median outcome where it is missing."""

    def __init__(self, base: int = 0, model: BaseEstimator | None = None) -> None:
        self.base = base
        self.model = model

    def fit(self, rows: Floats, outcomes: Floats, sample_weight: Floats | None = None) -> Self:
        """Fit the model on differences from the column."""
        self.usual_ = float(np.median(outcomes))
        self.n_features_in_ = rows.shape[1]
        self.model_ = clone(self.model)
        fit_weighted(self.model_, rows, outcomes - self._levels(rows), sample_weight)
        return self

    def predict(self, rows: Floats) -> Floats:
        """The number per row."""
        found: Floats = self._levels(rows) + self.model_.predict(rows)
        return found

    def _levels(self, rows: Floats) -> Floats:
        column = np.asarray(rows, dtype=np.float64)[:, self.base]
        return np.where(np.isnan(column), self.usual_, column)
