"""Classification: two classes, one of them positive; models give its probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.contract import Json
from pipelines.operations.learning.classifiers import Classifiers
from pipelines.operations.learning.definition import TaskName
from pipelines.operations.learning.folds import ByClass, Dealer
from pipelines.operations.learning.labels import as_labels, two_classes
from pipelines.operations.learning.metrics import (
    SCORES,
    Floats,
    all_scores,
    brier_losses,
    log_losses,
)
from pipelines.operations.learning.resampling import Resampling, area_samples, sum_samples


@dataclass(frozen=True)
class Classification(Classifiers):
    """What is done differently where the target has two classes."""

    name: TaskName = "classification"
    scores: tuple[str, ...] = SCORES
    target_type: ClassVar[Literal["binary", "multiclass"]] = "binary"

    def classes(self, values: pd.Series, *, positive: Json = None) -> tuple[Json, ...]:
        """(other, positive); raises OperationError unless there are two with rows enough."""
        return two_classes(values, positive=positive)

    def judged(self, values: pd.Series, known: tuple[Json, ...] | None) -> tuple[Json, ...]:
        """(other, positive) of training; rows to judge on need two classes with rows enough."""
        found = self.classes(values)
        return known or found

    def truth(self, values: pd.Series, classes: tuple[Json, ...]) -> np.ndarray:
        """1 for the positive class, 0 for the other; raises OperationError for neither."""
        return as_labels(values, (classes[0], classes[1]))

    def dealer(self, groups: pd.Series | None) -> Dealer:
        """Both classes in their shares in every fold."""
        return ByClass(groups)

    def means_per_column(self, classes: tuple[Json, ...]) -> int:
        """Numbers that `target_means` makes of one column: one."""
        return 1

    def predict(self, model: BaseEstimator, rows: Floats | pd.DataFrame) -> Floats:
        """Probability of the positive class per row."""
        found: Floats = model.predict_proba(rows)[:, 1]
        return found

    def measure(
        self, scores: Floats, truth: np.ndarray, weights: Floats | None = None
    ) -> dict[str, float]:
        """The four scores."""
        return all_scores(scores, truth, weights)

    def samples(
        self, scores: Floats, truth: np.ndarray, resampling: Resampling
    ) -> dict[str, Floats]:
        """The four scores in every bootstrap sample."""
        aucs, averages = area_samples(scores, truth, resampling)
        losses = [log_losses(scores, truth), brier_losses(scores, truth), np.ones(scores.size)]
        sums = sum_samples(np.column_stack(losses), resampling)
        return {
            "roc_auc": aucs,
            "pr_auc": averages,
            "log_loss": sums[:, 0] / sums[:, 2],
            "brier": sums[:, 1] / sums[:, 2],
        }

    def losses(self, scores: Floats, truth: np.ndarray) -> Floats:
        """How wrong each row is: its log loss."""
        return log_losses(scores, truth)

    def excess(self, scores: Floats, truth: np.ndarray) -> Floats:
        """Squared error beyond what a model with these scores would have if they were right."""
        found: Floats = np.square(truth - scores) - scores * (1 - scores)
        return found

    def draw(self, truth: np.ndarray, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Positions of a sample without repetition that keeps the share of positives.

        With repetition where there are few rows, so that small holdouts show their spread too.
        """
        if truth.size <= rows:
            parts = [
                rng.choice(np.flatnonzero(truth == k), int((truth == k).sum())) for k in (0, 1)
            ]
            return np.sort(np.concatenate(parts))
        counts = [max(1, round(rows * float((truth == k).mean()))) for k in (0, 1)]
        parts = [
            rng.choice(np.flatnonzero(truth == k), count, replace=False)
            for k, count in zip((0, 1), counts, strict=True)
        ]
        return np.sort(np.concatenate(parts))
