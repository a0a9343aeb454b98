"""Compile a fitted pipeline to its row form and prove that both give the same scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from pipelines.operations.rowwise.estimators import RowModel, compile_estimator
from pipelines.operations.rowwise.features import NotCompilable, Row, RowFeatures, compile_features


@dataclass(frozen=True)
class RowScorer:
    """Scores one row: class probabilities, or the predicted value alone."""

    features: RowFeatures
    model: RowModel

    def __call__(self, row: Row) -> list[float]:
        """Scores of a row of raw columns."""
        return self.model(self.features(row))


def compile_pipeline(pipeline: object, sample: pd.DataFrame) -> RowScorer:
    """Row form of a fitted Pipeline(ColumnTransformer, estimator); `sample`: rows as in training.

    Raises NotCompilable, naming the part that has no row form.
    """
    if not isinstance(pipeline, Pipeline):
        raise NotCompilable(f"a {type(pipeline).__name__} is no Pipeline")
    steps = [step for _, step in pipeline.steps if step not in ("passthrough", None)]
    if len(steps) != 2 or not isinstance(steps[0], ColumnTransformer):
        kinds = ", ".join(type(step).__name__ for step in steps)
        raise NotCompilable(f"a pipeline of {kinds} is no ColumnTransformer and estimator")
    return RowScorer(compile_features(steps[0], sample), compile_estimator(steps[1]))


def largest_difference(scorer: RowScorer, rows: Sequence[Row], scores: np.ndarray) -> float:
    """Largest absolute difference to the pipeline's scores; 0.0 means bit for bit equal."""
    worst = 0.0
    for row, expected in zip(rows, np.atleast_2d(scores), strict=True):
        for mine, theirs in zip(scorer(row), expected.tolist(), strict=True):
            gap = abs(mine - theirs)
            worst = gap if not gap <= worst else worst
    return worst if math.isfinite(worst) else math.inf
