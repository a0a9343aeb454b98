"""What may happen to a column between its source and the model: noise, gaps, what is unknown.

Everything is done to raw columns, so that the encoder is tried as well as the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.learning.definition import FeatureColumn, Role
from pipelines.operations.tables import column_type, deviation

FAR = 10.0  # standard deviations beyond the ends that were seen (own)
UNKNOWN = "\u2047 never seen"
Change = Callable[[pd.Series], pd.Series]


@dataclass(frozen=True)
class Disturbance:
    """What is done to one column, or to all at once (`column` is ""); `size` of noise in SD."""

    column: str
    kind: str
    size: float
    changes: dict[str, Change]

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A copy of the rows with the columns changed."""
        return frame.assign(**{name: change(frame[name]) for name, change in self.changes.items()})


def roles_of(
    frame: pd.DataFrame, names: Sequence[str], columns: Sequence[FeatureColumn] | None
) -> dict[str, Role]:
    """Role by column: as the features define it, or as the table shows it."""
    if columns is not None:
        return {column.name: column.role for column in columns}
    kinds: dict[str, Role] = {
        "int": "number", "float": "number", "bool": "flag", "time": "date", "text": "category",
    }  # fmt: skip
    return {name: kinds[column_type(frame[name])] for name in names}


def disturbances(
    frame: pd.DataFrame,
    roles: dict[str, Role],
    fractions: Sequence[float],
    *,
    seed: int,
    units: Sequence[float] = (),
) -> Iterator[Disturbance]:
    """All that are tried, column by column; then noise on all numbers at once.

    `units` are factors by which a number in another unit would be off.
    """
    numbers = [name for name, role in roles.items() if role == "number" and _spread(frame[name])]
    for place, (name, role) in enumerate(roles.items()):
        if name in numbers:
            for size in fractions:
                yield Disturbance(name, "noise", size, {name: _noise(size, [seed, place])})
            yield Disturbance(name, "far above", FAR, {name: _far(FAR)})
            yield Disturbance(name, "far below", -FAR, {name: _far(-FAR)})
            yield Disturbance(name, "infinite", 0.0, {name: _infinite})
            for size in units:
                yield Disturbance(name, "other unit", size, {name: _times(size)})
        elif role in ("category", "many_categories"):
            yield Disturbance(name, "unknown", 0.0, {name: _unknown})
        elif role == "flag":
            yield Disturbance(name, "turned", 0.0, {name: _turned})
        elif pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
            yield Disturbance(name, "a day later", 0.0, {name: _later})
        yield Disturbance(name, "missing", 0.0, {name: _missing})
    if numbers:
        for size in fractions:
            noise = {n: _noise(size, [seed, p, 1]) for p, n in enumerate(numbers)}
            yield Disturbance("", "noise", size, noise)
    yield Disturbance("", "missing", 0.0, dict.fromkeys(roles, _missing))


def _numbers(values: pd.Series) -> np.ndarray:
    found = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _spread(values: pd.Series) -> float:
    """Standard deviation of the finite values; 0 for a constant or an empty column."""
    found = _numbers(values)
    known = found[np.isfinite(found)]
    return deviation(known)


def _noise(size: float, seed: Sequence[int]) -> Change:
    def change(values: pd.Series) -> pd.Series:
        drawn = np.random.default_rng(list(seed)).normal(size=len(values))
        return pd.Series(_numbers(values) + size * _spread(values) * drawn, index=values.index)

    return change


def _far(size: float) -> Change:
    def change(values: pd.Series) -> pd.Series:
        found = _numbers(values)
        end = np.nanmax(found) if size > 0 else np.nanmin(found)
        return pd.Series(np.full(len(values), end + size * _spread(values)), index=values.index)

    return change


def _times(size: float) -> Change:
    def change(values: pd.Series) -> pd.Series:
        return pd.Series(_numbers(values) * size, index=values.index)

    return change


def _infinite(values: pd.Series) -> pd.Series:
    signs = np.where(np.arange(len(values)) % 2, -np.inf, np.inf)
    return pd.Series(signs, index=values.index)


def _unknown(values: pd.Series) -> pd.Series:
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    if not numeric:
        return pd.Series([UNKNOWN] * len(values), index=values.index, dtype=object)
    beyond = np.nanmax(np.append(_numbers(values), 0.0)) + 1.0
    return pd.Series(np.full(len(values), beyond), index=values.index)


def _later(values: pd.Series) -> pd.Series:
    return values + pd.Timedelta(days=1)


def _turned(values: pd.Series) -> pd.Series:
    turned = values.astype(object).map({True: False, False: True})
    return turned.where(turned.notna(), None).astype(object)


def _missing(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Series(pd.NaT, index=values.index, dtype=values.dtype)
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind != "b":
        return pd.Series(np.full(len(values), np.nan), index=values.index)
    return pd.Series([None] * len(values), index=values.index, dtype=object)
