"""What classifications of two and of several classes share: how their models are built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from pipelines.operations.contract import Json
from pipelines.operations.learning.settings import TUNABLES, Space, number_of

TARGET_ENCODER_FOLDS = 5
LINEAR_MAX_ITER = 300

Settings = Mapping[str, Json]
Trees = Mapping[str, object]


class Classifiers:
    """Models that give probabilities, of however many classes."""

    target_type: ClassVar[Literal["binary", "multiclass"]]

    def space(self, family: str) -> Space:
        """The parameters of a family."""
        return Space(family, TUNABLES.get(family, ()))

    def fitting(self, family: str, metric: str) -> dict[str, Json]:
        """Settings that make a family minimise what the metric measures: log loss serves all."""
        return {}

    def dummy(self, settings: Settings) -> BaseEstimator:
        """The share of each class in training, for every row."""
        return DummyClassifier(strategy="prior")

    def linear(self, settings: Settings) -> BaseEstimator:
        """Logistic regression; multinomial where there are several classes."""
        strength = number_of(settings, "C", 1.0)
        return LogisticRegression(C=strength, max_iter=LINEAR_MAX_ITER, tol=1e-3)

    def trees(self, settings: Settings, shared: Trees) -> BaseEstimator:
        """Boosting of the log loss; of several classes one tree per class and round."""
        return HistGradientBoostingClassifier(**shared)

    def target_means(self, seed: int) -> BaseEstimator:
        """A category as the share of positives, or of each class, in the other folds."""
        folds = StratifiedKFold(TARGET_ENCODER_FOLDS, shuffle=True, random_state=seed)
        return TargetEncoder(target_type=self.target_type, cv=folds)

    def usual(self, truth: np.ndarray) -> dict[str, Json]:
        """What a model file keeps of the training rows' target: nothing."""
        return {}
