"""Encoders of raw columns to numbers. Stateless: what they know is in their parameters.

So a table is encoded once for all folds and trials, without any leakage between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

Floats = npt.NDArray[np.float64]


class BadValueError(ValueError):
    """A value that a column's encoder refuses: names column, value and rule."""

    def __init__(self, *, column: str, value: str, rule: str) -> None:
        super().__init__(f"column {column}: {value} {rule}")
        self.column = column
        self.value = value
        self.rule = rule


class Stateless(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """fit only remembers the names of the columns."""

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Remember the columns."""
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self.n_features_in_ = len(frame.columns)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def get_feature_names_out(self, names: object = None) -> npt.NDArray[np.object_]:
        """One output per input column, of the same name."""
        return self.feature_names_in_


def _stacked(columns: list[Floats], rows: int) -> Floats:
    return np.column_stack(columns) if columns else np.empty((rows, 0))


class Numbers(Stateless):
    """Columns as float64; missing and infinite values are NaN, other text is refused."""

    def transform(self, frame: pd.DataFrame) -> Floats:
        """rows x columns; raises BadValueError."""
        return _stacked([as_numbers(frame[name]) for name in frame], len(frame))


class Flags(Stateless):
    """True/False columns as 1.0/0.0; missing is NaN; anything else is refused."""

    def transform(self, frame: pd.DataFrame) -> Floats:
        """rows x columns; raises BadValueError."""
        return _stacked([_as_flags(frame[name]) for name in frame], len(frame))


class Codes(Stateless):
    """Categories as their place in the declared list; missing or unknown ones are NaN."""

    def __init__(self, categories: Sequence[Sequence[str | float]] = ()) -> None:
        self.categories = categories

    def transform(self, frame: pd.DataFrame) -> Floats:
        """rows x columns of codes; raises BadValueError for text in a column of numbers."""
        pairs = zip(frame, self.categories, strict=True)
        return _stacked([_as_codes(frame[n], known) for n, known in pairs], len(frame))


class DateParts(Stateless):
    """Dates as month, day, weekday (Monday 0) and hour, in UTC; missing is NaN."""

    def __init__(self, parts: Sequence[str] = ()) -> None:
        self.parts = parts

    def transform(self, frame: pd.DataFrame) -> Floats:
        """rows x (columns * parts); raises BadValueError for what is no date."""
        found = [
            getattr(dates.dt, _ATTRIBUTES.get(part, part)).to_numpy("float64", na_value=np.nan)
            for dates in (_as_dates(frame[name]) for name in frame)
            for part in self.parts
        ]
        return _stacked(found, len(frame))

    def get_feature_names_out(self, names: object = None) -> npt.NDArray[np.object_]:
        """ "<column>:<part>" for each."""
        pairs = [f"{n}:{part}" for n in self.feature_names_in_ for part in self.parts]
        return np.asarray(pairs, dtype=object)


_ATTRIBUTES = {"weekday": "day_of_week"}


def as_numbers(values: pd.Series) -> Floats:
    """float64 with NaN for missing and infinite values; raises BadValueError."""
    if not pd.api.types.is_numeric_dtype(values):
        values = _parsed_numbers(values)
    found = values.to_numpy(dtype="float64", na_value=np.nan)
    finite = np.isfinite(found)
    return found if finite.all() else np.where(finite, found, np.nan)


def _parsed_numbers(values: pd.Series) -> pd.Series:
    parsed = pd.to_numeric(values, errors="coerce")
    _refuse(values, parsed, "is not a number")
    return parsed


def _as_flags(values: pd.Series) -> Floats:
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.to_numpy(dtype="float64", na_value=np.nan)
    # 0/1 equal False/True as keys, so whole numbers are understood as well
    parsed = values.astype(object).map({True: 1.0, False: 0.0})
    _refuse(values, parsed, "is neither true nor false")
    return np.asarray(parsed, dtype=np.float64)


def _as_codes(values: pd.Series, known: Sequence[str | float]) -> Floats:
    if known and isinstance(known[0], str):
        given = values.astype(object).to_numpy()
    else:
        given = as_numbers(values)
    codes = pd.Index(known).astype(given.dtype).get_indexer(pd.Index(given)).astype("float64")
    codes[codes < 0] = np.nan
    return codes


def _as_dates(values: pd.Series) -> pd.Series:
    parsed = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    _refuse(values, parsed, "is not an ISO 8601 date")
    return parsed


def _refuse(given: pd.Series, parsed: pd.Series, rule: str) -> None:
    """Raise BadValueError for the first value that is present but was not understood."""
    wrong = given.notna() & parsed.isna()
    if wrong.any():
        value = repr(given[wrong].iloc[0])[:80]
        raise BadValueError(column=str(given.name), value=value, rule=rule)
