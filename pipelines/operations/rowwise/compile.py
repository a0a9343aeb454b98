"""Compile a fitted pipeline to its row form and prove that both give the same scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from pipelines.operations.learning.offsets import FromColumn
from pipelines.operations.rowwise.estimators import RowModel, Scores, Vector, compile_estimator
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
    stages, given = _stages(transformers, sample)
    return RowScorer(tuple(map(str, sample.columns)), stages, _model(estimator, given))


def _stages(
    transformers: Sequence[object], given: pd.DataFrame
) -> tuple[tuple[Stage, ...], pd.DataFrame]:
    """Row forms of the transformers, and the rows behind the last of them."""
    stages = []
    for transformer in transformers:
        stages.append(compile_stage(transformer, given))
        given = _after(transformer, given)
    return tuple(stages), given


def _model(estimator: object, given: pd.DataFrame) -> RowModel:
    if not isinstance(estimator, FromColumn):
        return compile_estimator(estimator)
    fitted = estimator.model_
    *transformers, last = _flat(fitted) if isinstance(fitted, Pipeline) else [fitted]
    stages, behind = _stages(transformers, given)
    model, base, usual = _model(last, behind), estimator.base, float(estimator.usual_)

    def scores(vector: Vector) -> Scores:
        level = vector[base]
        values: Values = vector
        for stage in stages:
            values = stage(values)
        found = model(values)[0]  # type: ignore[arg-type]
        return [(usual if level != level else level) + found]

    return scores


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
