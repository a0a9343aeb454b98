"""Weights of sampled training rows: where they lie, and how a model is fitted with them."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from pipelines.operations.learning.metrics import Floats, Labels

WEIGHT = "baton_weight"


def weights_in(frame: pd.DataFrame) -> Floats | None:
    """The rows' weights; None for a table that was not sampled."""
    if WEIGHT not in frame.columns:
        return None
    return frame[WEIGHT].to_numpy(dtype=np.float64)


def fit_weighted(
    model: BaseEstimator, matrix: Floats, labels: Labels, weights: Floats | None
) -> BaseEstimator:
    """Fit a family's model; its last step takes the weights.

    Steps before it (medians, scales, target means) do not: they move with the sample, as
    encodings and not as probabilities.
    """
    if weights is None:
        return model.fit(matrix, labels)
    last = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    return model.fit(matrix, labels, **{f"{last}sample_weight": weights})
