"""Weights of sampled training rows: where they lie, and how a model is fitted with them."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.grouped import calibrating_by_group
from pipelines.operations.learning.metrics import Floats, Labels

WEIGHT = "baton_weight"


def weights_in(frame: pd.DataFrame) -> Floats | None:
    """The rows' weights; None for a table that was not sampled."""
    if WEIGHT not in frame.columns:
        return None
    return frame[WEIGHT].to_numpy(dtype=np.float64)


def fit_weighted(
    model: BaseEstimator,
    matrix: Floats,
    truth: Labels | Floats,
    weights: Floats | None,
    groups: Labels | None = None,
) -> BaseEstimator:
    """Fit a family's model; its last step takes the weights, or OperationError is raised.

    Steps before it (medians, scales, target means) do not: they move with the sample, as
    encodings and not as probabilities. A last step that calibrates on folds of its own keeps
    rows of one group on one side of them.
    """
    with calibrating_by_group(model, truth, groups):
        return _fit(model, matrix, truth, weights)


def _fit(
    model: BaseEstimator, matrix: Floats, truth: Labels | Floats, weights: Floats | None
) -> BaseEstimator:
    if weights is None:
        return model.fit(matrix, truth)
    name, last = model.steps[-1] if isinstance(model, Pipeline) else ("", model)
    if not has_fit_parameter(last, "sample_weight"):
        raise OperationError(
            "weights_not_taken",
            f"{type(last).__name__} cannot learn from rows of different weight",
            field="train", value=type(last).__name__,
            rule="the rows are not a weighted sample, or the family takes weights",
        )  # fmt: skip
    return model.fit(matrix, truth, **{f"{name}__" * bool(name) + "sample_weight": weights})
