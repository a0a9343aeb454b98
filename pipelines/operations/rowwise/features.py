"""Row form of a fitted ColumnTransformer: one dictionary in, one list of floats out.

Columns behind an encoder become lookup tables that the fitted branch itself fills, one call
with every known category; numeric chains become a few float operations in the same order.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

Value: TypeAlias = None | bool | int | float | str
Row: TypeAlias = Mapping[str, Value]
Number: TypeAlias = Callable[[float], float]

ENCODERS = (OneHotEncoder, OrdinalEncoder, TargetEncoder)
# Transformers whose outputs for a column depend on that column alone.
SEPARABLE = (*ENCODERS, SimpleImputer, StandardScaler, RobustScaler, MinMaxScaler)
UNKNOWN = "\x00 no such category"
MAX_TABLE = 100_000  # categories of one column; a table beyond is slower to load than it saves


class NotCompilable(Exception):
    """The pipeline has a part without a row form; it is served as it is."""


@dataclass(frozen=True)
class Table:
    """Outputs of one encoded column by category; `unknown` is what the encoder gives others."""

    column: str
    at: tuple[int, ...]
    known: Mapping[Value, tuple[float, ...]]
    missing: tuple[float, ...]
    unknown: tuple[float, ...]


@dataclass(frozen=True)
class Chain:
    """Outputs of one numeric column: the missing value's replacement, then the float steps."""

    column: str
    at: int
    missing: float
    steps: tuple[Number, ...]
    missing_flag_at: int | None = None


@dataclass(frozen=True)
class RowFeatures:
    """The compiled ColumnTransformer."""

    width: int
    tables: tuple[Table, ...]
    chains: tuple[Chain, ...]

    def __call__(self, row: Row) -> list[float]:
        """The feature vector of a row; a missing key counts as a missing value."""
        vector = [0.0] * self.width
        for table in self.tables:
            value = row.get(table.column)
            if value is None or value != value:
                found = table.missing
            else:
                found = table.known.get(value, table.unknown)
            for at, number in zip(table.at, found, strict=True):
                vector[at] = number
        for chain in self.chains:
            _fill(vector, chain, row.get(chain.column))
        return vector


def _fill(vector: list[float], chain: Chain, value: Value) -> None:
    number = math.nan if value is None else float(value)
    if number != number:
        if chain.missing_flag_at is not None:
            vector[chain.missing_flag_at] = 1.0
        number = chain.missing
    for step in chain.steps:
        number = step(number)
    vector[chain.at] = number


def compile_features(transformer: ColumnTransformer, sample: pd.DataFrame) -> RowFeatures:
    """Row form of a fitted ColumnTransformer; `sample` gives the column types.

    Raises NotCompilable for a branch that mixes columns or that is not known here.
    """
    tables: list[Table] = []
    chains: list[Chain] = []
    offset = 0
    for name, branch, columns in transformer.transformers_:
        where = transformer.output_indices_[name]
        if branch == "drop" or where.start == where.stop:
            continue
        if where.start != offset:
            raise NotCompilable(f"branch {name!r} does not follow the one before it")
        offset = where.stop
        names = _names(columns, sample)
        if _has_encoder(branch):
            tables += _tables(branch, names, sample, where.start)
        else:
            chains += _chains(branch, names, where)
    return RowFeatures(offset, tuple(tables), tuple(chains))


def _names(columns: object, sample: pd.DataFrame) -> list[str]:
    if isinstance(columns, str):
        return [columns]
    if not isinstance(columns, Sequence | np.ndarray | pd.Index):
        raise NotCompilable(f"columns chosen by {type(columns).__name__}")
    return [
        column if isinstance(column, str) else str(sample.columns[int(column)])
        for column in columns
    ]


def _parts(branch: object) -> list[object]:
    if isinstance(branch, Pipeline):
        return [part for _, step in branch.steps for part in _parts(step)]
    identity = isinstance(branch, FunctionTransformer) and branch.func is None
    return [] if identity or branch == "passthrough" else [branch]


def _has_encoder(branch: object) -> bool:
    for part in _parts(branch):
        if not isinstance(part, SEPARABLE):
            raise NotCompilable(f"{type(part).__name__} has no row form")
    return any(isinstance(part, ENCODERS) for part in _parts(branch))


def _tables(branch: object, names: list[str], sample: pd.DataFrame, start: int) -> list[Table]:
    encoder = next(part for part in _parts(branch) if isinstance(part, ENCODERS))
    base = sample[names].iloc[:1]
    tables = []
    widths = _widths(branch, encoder, names, base)
    at = start
    for position, (column, width) in enumerate(zip(names, widths, strict=True)):
        known = [_plain(value) for value in encoder.categories_[position]]
        known = [value for value in known if value is not None and value == value]
        if len(known) > MAX_TABLE:
            raise NotCompilable(f"column {column!r} has {len(known)} categories")
        tables.append(_table(branch, (base, column, known), at, at - start, width))
        at += width
    return tables


def _widths(branch: object, encoder: object, names: list[str], base: pd.DataFrame) -> list[int]:
    """Outputs per column: one, but for one-hot as many as the encoder made."""
    total = _transform(branch, base).shape[1]
    if not isinstance(encoder, OneHotEncoder):
        widths = [1] * len(names)
    else:
        widths = [int(count) for count in encoder._n_features_outs]
    if sum(widths) != total:
        raise NotCompilable(f"branch over {names} gives {total} outputs, {sum(widths)} expected")
    return widths


def _table(
    branch: object, what: tuple[pd.DataFrame, str, list[Value]], at: int, first: int, width: int
) -> Table:
    base, column, known = what
    textual = not pd.api.types.is_numeric_dtype(base[column])
    tried: list[Value] = [*known, None, UNKNOWN if textual else _unused(known)]
    frame = base.iloc[[0] * len(tried)].reset_index(drop=True)
    dtype = base[column].dtype if textual else float
    frame[column] = pd.Series(tried, dtype=dtype)
    answers = [
        tuple(float(x) for x in row) for row in _transform(branch, frame)[:, first : first + width]
    ]
    table = dict(zip(known, answers, strict=False))
    return Table(column, tuple(range(at, at + width)), table, answers[-2], answers[-1])


def _unused(known: list[Value]) -> float:
    """A number that is no category."""
    return max((float(value) for value in known if value is not None), default=0.0) + 1.0


def _plain(value: object) -> Value:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, bool | int | float | str) else None


def _transform(branch: object, frame: pd.DataFrame) -> np.ndarray:
    answer = branch.transform(frame)  # type: ignore[attr-defined]
    dense = answer.toarray() if hasattr(answer, "toarray") else answer
    array = np.asarray(dense)
    if array.dtype != np.float64:
        raise NotCompilable(f"a branch gives {array.dtype}, not float64")
    return array


def _chains(branch: object, names: list[str], where: slice) -> list[Chain]:
    parts = _parts(branch)
    flagged: list[int] = []
    if parts and isinstance(parts[0], SimpleImputer) and parts[0].indicator_ is not None:
        if len(parts) > 1:
            raise NotCompilable("missing flags that are scaled afterwards")
        flagged = [int(index) for index in parts[0].indicator_.features_]
    if where.stop - where.start != len(names) + len(flagged):
        raise NotCompilable(f"branch over {names} gives another number of outputs")
    flags = {index: where.start + len(names) + place for place, index in enumerate(flagged)}
    return [
        _chain(parts, column, where.start + place, place, flags.get(place))
        for place, column in enumerate(names)
    ]


def _chain(parts: list[object], column: str, at: int, place: int, flag_at: int | None) -> Chain:
    missing = math.nan
    steps: list[Number] = []
    for part in parts:
        if isinstance(part, SimpleImputer):
            if steps:
                raise NotCompilable("an imputer after a scaler")
            missing = float(part.statistics_[place])
        else:
            steps += _scaler_steps(part, place)
    return Chain(column, at, missing, tuple(steps), flag_at)


def _scaler_steps(part: object, place: int) -> list[Number]:
    if isinstance(part, StandardScaler):
        return _minus_over(part.mean_ if part.with_mean else None, part.scale_, place)
    if isinstance(part, RobustScaler):
        return _minus_over(part.center_, part.scale_, place)
    if isinstance(part, MinMaxScaler) and not part.clip:
        scale, offset = float(part.scale_[place]), float(part.min_[place])
        return [lambda x: x * scale, lambda x: x + offset]
    raise NotCompilable(f"{type(part).__name__} has no row form")


def _minus_over(centre: np.ndarray | None, scale: np.ndarray | None, place: int) -> list[Number]:
    steps: list[Number] = []
    if centre is not None:
        middle = float(centre[place])
        steps.append(lambda x: x - middle)
    if scale is not None:
        width = float(scale[place])
        steps.append(lambda x: x / width)
    return steps
