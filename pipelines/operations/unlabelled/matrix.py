"""From encoded columns to numbers that can be compared: one scale, no gaps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from pipelines.operations.learning.definition import FeatureSet

Floats = npt.NDArray[np.float64]
SCALES = ("standard", "ranks")
RARE = 10  # categories with fewer rows are taken together (own)


def preparation(features: FeatureSet, *, scale: str = "standard", seed: int = 0) -> BaseEstimator:
    """The "prepare" step: numbers filled in and scaled, an indicator for each category.

    "standard": mean 0, deviation 1. "ranks": the normal score of the rank, for columns with
    a few very large values, which would otherwise decide alone who is near to whom.
    """
    numbers = _chain(SimpleImputer(strategy="median", keep_empty_features=True), _scaler(scale))
    flags = _chain(SimpleImputer(strategy="most_frequent", keep_empty_features=True))
    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE)
    parts = [
        ("numbers", numbers, features.positions("number", "date")),
        ("flags", flags, features.positions("flag")),
        ("categories", categories, features.positions("category")),
    ]
    return ColumnTransformer([part for part in parts if part[2]], sparse_threshold=0.0)


def _scaler(scale: str) -> BaseEstimator:
    if scale == "ranks":
        return QuantileTransformer(
            n_quantiles=200, output_distribution="normal", subsample=None, random_state=0
        )
    return StandardScaler()


def _chain(*steps: BaseEstimator) -> Pipeline:
    return Pipeline([(type(step).__name__.lower(), step) for step in steps])


def sample_rows(count: int, most: int, *, seed: int) -> npt.NDArray[np.int64]:
    """Row numbers, ascending: all, or `most` of them drawn without replacement."""
    if count <= most:
        return np.arange(count)
    drawn = np.random.default_rng(seed).choice(count, most, replace=False)
    found: npt.NDArray[np.int64] = np.sort(drawn)
    return found


@contextmanager
def unfinished_allowed() -> Iterator[None]:
    """Let a solver stop before its end: its result is judged by what it is, not by why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # fewer distinct rows than groups: the fit says so by giving fewer groups
        warnings.filterwarnings("ignore", "n_quantiles", UserWarning)
        yield
