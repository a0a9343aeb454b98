"""Conformalised quantile regression (Romano, Patterson and Candes 2019): intervals by row.

Two models of the candidate's family of trees predict the lower and the upper quantile from the
training rows. A calibration row strays by max(low - truth, truth - high), below 0 where it lies
well inside; the k-th smallest of these is added at both ends, so that a new row of the same kind
is covered with probability 1 - alpha at least, whatever the quantile models are worth.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.families import build, encode
from pipelines.operations.learning.labels import labelled
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.values import as_values
from pipelines.operations.learning.weights import fit_weighted, weights_in
from pipelines.operations.measure_coverage.conformal import cut

Settings = Mapping[str, Json]


def quantile_model(
    features: FeatureSet, settings: Settings, seed: int, quantile: float
) -> BaseEstimator:
    """Unfitted boosting of the pinball loss at this quantile."""
    model = build("boosting", features, settings, seed)
    named = [name for name in model.get_params() if name == "loss" or name.endswith("__loss")]
    prefix = named[0].removesuffix("loss")
    return model.set_params(**{f"{prefix}loss": "quantile", f"{prefix}quantile": quantile})


def predicted_ends(
    features: FeatureSet, train: pd.DataFrame, frame: pd.DataFrame, alpha: float, *,
    settings: Settings, seed: int,
) -> Floats:  # fmt: skip
    """rows of `frame` x (low, high) as the two models say, in order where they cross."""
    known = labelled(train, features.target)
    matrix, truth = encode(features, known, field="train")[1], as_values(known[features.target])
    asked = encode(features, frame, field="holdout")[1]
    ends = []
    for quantile in (alpha / 2, 1 - alpha / 2):
        model = quantile_model(features, settings, seed, quantile)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit_weighted(model, matrix, truth, weights_in(known))
        ends.append(np.asarray(model.predict(asked), dtype=np.float64))
    return np.sort(np.column_stack(ends), axis=1)


def strays(ends: Floats, truth: Floats) -> Floats:
    """How far each row lies outside of its ends; below 0 inside."""
    found: Floats = np.maximum(ends[:, 0] - truth, truth - ends[:, 1])
    return found


def widened(ends: Floats, truth: Floats, calibration: np.ndarray, confidence: float) -> Floats:
    """The ends after calibration; infinite where there are too few rows to calibrate on."""
    added = cut(strays(ends[calibration], truth[calibration]), confidence)
    if not np.isfinite(added):
        return np.tile([-np.inf, np.inf], (len(ends), 1))
    # where it is below 0, ends that would pass each other meet in the middle
    moved = ends + np.asarray([-added, added])
    middle = moved.mean(axis=1, keepdims=True)
    found: Floats = np.where(moved[:, :1] > moved[:, 1:], middle, moved)
    return found
