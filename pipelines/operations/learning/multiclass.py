"""Classification with more than two classes; models give the probability of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning import class_scores
from pipelines.operations.learning.classifiers import Classifiers
from pipelines.operations.learning.definition import TaskName
from pipelines.operations.learning.folds import BySeveralClasses, Dealer
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.learning.several import as_codes, judged_classes, several_classes


@dataclass(frozen=True)
class Multiclass(Classifiers):
    """What is done differently where the target has 3 to 20 classes: scores are rows x classes."""

    name: TaskName = "multiclass"
    scores: tuple[str, ...] = class_scores.SCORES
    target_type: ClassVar[Literal["binary", "multiclass"]] = "multiclass"

    def classes(self, values: pd.Series, *, positive: Json = None) -> tuple[Json, ...]:
        """The classes in order; raises OperationError for too few, too many or too small ones."""
        if positive is not None:
            raise OperationError(
                "positive_of_several",
                f"target {values.name} has more than two classes, and none of them is the positive",
                field="positive", value=positive, rule="is empty where there are several classes",
            )  # fmt: skip
        return several_classes(values)

    def judged(self, values: pd.Series, known: tuple[Json, ...] | None) -> tuple[Json, ...]:
        """The classes of training; rows to judge on need hold only two of them."""
        return judged_classes(values, known)

    def truth(self, values: pd.Series, classes: tuple[Json, ...]) -> np.ndarray:
        """The place of each row's class; raises OperationError for a class never seen."""
        return as_codes(values, classes)

    def dealer(self, groups: pd.Series | None) -> Dealer:
        """All classes in their shares in every fold."""
        return BySeveralClasses(groups)

    def means_per_column(self, classes: tuple[Json, ...]) -> int:
        """Numbers that `target_means` makes of one column: one for each class."""
        return len(classes)

    def predict(self, model: BaseEstimator, rows: Floats | pd.DataFrame) -> Floats:
        """Probability of each class per row."""
        found: Floats = np.asarray(model.predict_proba(rows), dtype=np.float64)
        return found

    def measure(
        self, scores: Floats, truth: np.ndarray, weights: Floats | None = None
    ) -> dict[str, float]:
        """All scores."""
        return class_scores.all_scores(scores, truth, weights)

    def samples(
        self, scores: Floats, truth: np.ndarray, resampling: Resampling
    ) -> dict[str, Floats]:
        """All scores in every bootstrap sample."""
        return class_scores.all_samples(scores, truth, resampling)

    def losses(self, scores: Floats, truth: np.ndarray) -> Floats:
        """How wrong each row is: its log loss."""
        return class_scores.log_losses(scores, truth)

    def excess(self, scores: Floats, truth: np.ndarray) -> Floats:
        """Squared errors beyond what a model with these scores would have if they were right."""
        admitted = (scores * (1 - scores)).sum(axis=1)
        found: Floats = class_scores.brier_losses(scores, truth) - admitted
        return found

    def draw(self, truth: np.ndarray, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Positions of a sample that keeps the shares of classes; repeating where rows are few."""
        places = [np.flatnonzero(truth == code) for code in np.unique(truth)]
        if truth.size <= rows:
            parts = [rng.choice(members, members.size) for members in places]
            return np.sort(np.concatenate(parts))
        counts = [max(1, round(rows * members.size / truth.size)) for members in places]
        parts = [
            rng.choice(members, count, replace=False)
            for members, count in zip(places, counts, strict=True)
        ]
        return np.sort(np.concatenate(parts))
