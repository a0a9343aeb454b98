"""Compile a fitted pipeline to its row form and prove that both give the same scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from pipelines.operations.rowwise.estimators import RowModel, compile_estimator
from pipelines.operations.rowwise.features import compile_stage
from pipelines.operations.rowwise.stages import NotCompilableError, Stage, Values


@dataclass(frozen=True)
class RowScorer:
    """Scores one row: class probabilities, or the predicted value alone."""

    names: tuple[str, ...]
    stages: tuple[Stage, ...]
    model: RowModel

    def __call__(self, row: Mapping[str, object]) -> list[float]:
        """Scores of a row of raw columns; an absent column counts as missing."""
        get = row.get
        values: Values = [get(name) for name in self.names]  # type: ignore[misc]
        for stage in self.stages:
            values = stage(values)
        return self.model(values)  # type: ignore[arg-type]


def compile_pipeline(pipeline: object, sample: pd.DataFrame) -> RowScorer:
    """Row form of a fitted Pipeline; `sample` holds rows as in training.

    Raises NotCompilableError, naming the part that has no row form.
    """
    if not isinstance(pipeline, Pipeline):
        raise NotCompilableError(f"a {type(pipeline).__name__} is no Pipeline")
    *transformers, estimator = _flat(pipeline)
    stages = []
    given = sample
    for transformer in transformers:
        stages.append(compile_stage(transformer, given))
        given = _after(transformer, given)
    return RowScorer(tuple(map(str, sample.columns)), tuple(stages), compile_estimator(estimator))


def _flat(pipeline: Pipeline) -> list[object]:
    found: list[object] = []
    for _, step in pipeline.steps:
        if isinstance(step, Pipeline):
            found += _flat(step)
        elif not (step is None or isinstance(step, str)):
            found.append(step)
    return found


def _after(transformer: object, given: pd.DataFrame) -> pd.DataFrame:
    """The rows as the next stage gets them."""
    named = hasattr(transformer, "feature_names_in_")
    answer = transformer.transform(given if named else given.to_numpy())  # type: ignore[attr-defined]
    if isinstance(answer, pd.DataFrame):
        return answer
    made = pd.DataFrame(answer.toarray() if hasattr(answer, "toarray") else answer)
    return made.infer_objects()  # beside texts, numbers come as objects


def largest_difference(
    scorer: RowScorer, rows: Sequence[Mapping[str, object]], scores: np.ndarray
) -> float:
    """Largest difference to the pipeline's scores (rows x outputs); 0.0 means bit for bit equal.

    Absolute up to 1, relative beyond.
    """
    worst = 0.0
    for row, expected in zip(rows, np.atleast_2d(scores), strict=True):
        for mine, theirs in zip(scorer(row), expected.tolist(), strict=True):
            gap = abs(mine - theirs) / max(1.0, abs(theirs))
            worst = gap if not gap <= worst else worst
    return worst if math.isfinite(worst) else math.inf


__all__ = ["NotCompilableError", "RowScorer", "compile_pipeline", "largest_difference"]
