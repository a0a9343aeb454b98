"""Small parts that families of numbers and of texts are built from, in one place."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

MIN_FREQUENCY = 10  # rows; rarer categories share one indicator (own)


def chain(*steps: BaseEstimator) -> Pipeline:
    """Steps one after the other, each named after its kind."""
    return Pipeline([(type(step).__name__.lower(), step) for step in steps])


def imputer(strategy: str) -> SimpleImputer:
    """Fills gaps with the median or the most frequent value; keeps columns that are all gaps."""
    return SimpleImputer(strategy=strategy, keep_empty_features=True)


def indicators() -> OneHotEncoder:
    """One indicator per category; none is set for a category never seen."""
    return OneHotEncoder(handle_unknown="ignore", min_frequency=MIN_FREQUENCY)
