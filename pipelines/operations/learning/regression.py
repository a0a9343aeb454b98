"""Regression: a number; models give the number itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import TaskName
from pipelines.operations.learning.folds import ByRow, Dealer
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.learning.settings import (
    VALUE_CHOICES,
    VALUE_TUNABLES,
    Space,
    number_of,
)
from pipelines.operations.learning.values import (
    VALUE_SCORES,
    as_values,
    need_spread,
    value_samples,
    value_scores,
)

TARGET_ENCODER_FOLDS = 5

Settings = Mapping[str, Json]
Trees = Mapping[str, object]


@dataclass(frozen=True)
class Regression:
    """What is done differently where the target is a number."""

    name: TaskName = "regression"
    scores: tuple[str, ...] = VALUE_SCORES

    def classes(self, values: pd.Series, *, positive: Json = None) -> tuple[Json, ...]:
        """None; raises OperationError where the target is no number or has no spread."""
        need_spread(values)
        return ()

    def judged(self, values: pd.Series, known: tuple[Json, ...] | None) -> tuple[Json, ...]:
        """None; raises OperationError where the target is no number or has no spread."""
        return self.classes(values)

    def truth(self, values: pd.Series, classes: tuple[Json, ...]) -> np.ndarray:
        """The numbers; raises OperationError for what is none."""
        return as_values(values)

    def dealer(self, groups: pd.Series | None) -> Dealer:
        """Rows at random."""
        return ByRow(groups)

    def space(self, family: str) -> Space:
        """The parameters of a family."""
        return Space(family, VALUE_TUNABLES.get(family, ()), VALUE_CHOICES.get(family, ()))

    def fitting(self, family: str, metric: str) -> dict[str, Json]:
        """Settings that make a family minimise what the metric measures.

        The answer with the least mean absolute error is the median, that with the least squared
        error the mean: on skewed targets trees of one kind lose to a constant of the other.
        """
        if family == "dummy" and metric in ("rmse", "r2"):
            return {"strategy": "mean"}
        return {"loss": "absolute_error"} if (family, metric) == ("boosting", "mae") else {}

    def dummy(self, settings: Settings) -> BaseEstimator:
        """The median or the mean of training, for every row."""
        return DummyRegressor(strategy=str(settings.get("strategy", "median")))

    def linear(self, settings: Settings) -> BaseEstimator:
        """Ridge regression."""
        return Ridge(alpha=number_of(settings, "alpha", 1.0))

    def trees(self, settings: Settings, shared: Trees) -> BaseEstimator:
        """Boosting of the squared or the absolute error."""
        return HistGradientBoostingRegressor(
            loss=str(settings.get("loss", "squared_error")), **shared
        )

    def target_means(self, seed: int) -> BaseEstimator:
        """A category as the mean of the target in the other folds."""
        folds = KFold(TARGET_ENCODER_FOLDS, shuffle=True, random_state=seed)
        return TargetEncoder(target_type="continuous", cv=folds)

    def means_per_column(self, classes: tuple[Json, ...]) -> int:
        """Numbers that `target_means` makes of one column: one."""
        return 1

    def predict(self, model: BaseEstimator, rows: Floats | pd.DataFrame) -> Floats:
        """The number per row."""
        return np.asarray(model.predict(rows), dtype=np.float64)

    def measure(
        self, scores: Floats, truth: np.ndarray, weights: Floats | None = None
    ) -> dict[str, float]:
        """Mean absolute error, root mean squared error, R2."""
        return value_scores(scores, truth, weights)

    def samples(
        self, scores: Floats, truth: np.ndarray, resampling: Resampling
    ) -> dict[str, Floats]:
        """The three in every bootstrap sample."""
        return value_samples(scores, truth, resampling)

    def losses(self, scores: Floats, truth: np.ndarray) -> Floats:
        """How wrong each row is: its absolute error."""
        found: Floats = np.abs(scores - truth)
        return found

    def excess(self, scores: Floats, truth: np.ndarray) -> Floats:
        """Error of each row: a number promises no spread that could excuse it."""
        return self.losses(scores, truth)

    def draw(self, truth: np.ndarray, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Positions of a random sample; with repetition where there are few rows."""
        if truth.size <= rows:
            return np.sort(rng.integers(0, truth.size, truth.size))
        return np.sort(rng.choice(truth.size, rows, replace=False))

    def usual(self, truth: np.ndarray) -> dict[str, Json]:
        """What a model file keeps of the training rows' target: the answer without a model."""
        return {"usual": {"median": float(np.median(truth)), "mean": float(truth.mean())}}
