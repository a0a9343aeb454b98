"""Read the row form off fitted transformers.

Columns behind an encoder become lookup tables that the fitted branch itself fills, one call
with every known category; numeric chains become a few float operations in the same order.
"""

import math
from collections.abc import Mapping, Sequence
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

from pipelines.operations.learning.texts import Plain, TermWeights, Texts, Topics
from pipelines.operations.learning.transformers import Codes, DateParts, Flags, Numbers
from pipelines.operations.rowwise.stages import (
    PARTS,
    Chain,
    Filler,
    NotCompilableError,
    Number,
    Parts,
    Stage,
    Table,
    Value,
)
from pipelines.operations.rowwise.texts import text_fillers

ENCODERS = (OneHotEncoder, OrdinalEncoder, TargetEncoder)
Encoder: TypeAlias = OneHotEncoder | OrdinalEncoder | TargetEncoder
# Transformers whose outputs for a column depend on that column alone.
SEPARABLE = (*ENCODERS, SimpleImputer, StandardScaler, RobustScaler, MinMaxScaler)
OWN = (Numbers, Flags, Codes, DateParts)
TEXTUAL = (Texts, TermWeights, Topics)
UNKNOWN = "\x00 no such category"
MAX_TABLE = 100_000  # categories of one column; a table beyond is slower to load than it saves


def compile_stage(transformer: object, sample: pd.DataFrame) -> Stage:
    """Row form of a fitted transformer; `sample` holds rows as the transformer gets them.

    Raises NotCompilableError for a branch that mixes columns or that is not known here.
    """
    if not isinstance(transformer, ColumnTransformer):
        places = list(range(sample.shape[1]))
        width = _transform(transformer, sample.iloc[:1]).shape[1]
        return Stage(width, tuple(_branch(transformer, places, sample, slice(0, width))))
    fillers: list[Filler] = []
    width = 0
    for name, branch, columns in transformer.transformers_:
        where = transformer.output_indices_[name]
        if (isinstance(branch, str) and branch == "drop") or where.start == where.stop:
            continue
        fillers += _branch(branch, _places(columns, sample), sample, where)
        width = max(width, where.stop)
    return Stage(width, tuple(fillers))


def _branch(branch: object, places: list[int], sample: pd.DataFrame, where: slice) -> list[Filler]:
    parts = _parts(branch)
    textual = text_fillers(parts, places, where)
    if textual is not None:
        return list(textual)
    if len(parts) == 1 and isinstance(parts[0], OWN):
        return _own(parts[0], places, where)
    if any(isinstance(part, ENCODERS) for part in parts):
        return _tables(branch, places, sample, where)
    return _chains(parts, places, where)


def _places(columns: object, sample: pd.DataFrame) -> list[int]:
    if isinstance(columns, slice):
        return list(range(sample.shape[1]))[columns]
    if isinstance(columns, str | int):
        columns = [columns]
    if not isinstance(columns, Sequence | np.ndarray | pd.Index):
        raise NotCompilableError(f"columns chosen by {type(columns).__name__}")
    return [_place(sample, c) for c in columns]


def _place(sample: pd.DataFrame, column: object) -> int:
    found = sample.columns.get_loc(column) if isinstance(column, str) else column
    if not isinstance(found, int | np.integer):
        raise NotCompilableError(f"column {column!r} is not one column")
    return int(found)


def _parts(branch: object) -> list[object]:
    """The transformers of a branch, in order; refuses those that mix columns."""
    if isinstance(branch, Pipeline):
        return [part for _, step in branch.steps for part in _parts(step)]
    if isinstance(branch, str):
        return []
    if isinstance(branch, Plain):  # numbers beside texts: they are numbers already
        return []
    if isinstance(branch, FunctionTransformer) and branch.func is None:
        return []
    if not isinstance(branch, SEPARABLE + OWN + TEXTUAL):
        raise NotCompilableError(f"{type(branch).__name__} has no row form")
    return [branch]


def _own(part: object, places: list[int], where: slice) -> list[Filler]:
    at = range(where.start, where.stop)
    if isinstance(part, DateParts):
        count = len(part.parts)
        reads = tuple(PARTS[name] for name in part.parts)
        return [
            Parts(s, tuple(at[i * count : (i + 1) * count]), reads) for i, s in enumerate(places)
        ]
    if isinstance(part, Codes):
        nothing = (math.nan,)
        known: list[Mapping[Value, tuple[float, ...]]] = [
            {value: (float(code),) for code, value in enumerate(values)}
            for values in part.categories
        ]
        return [
            Table(s, (a,), k, nothing, nothing) for s, a, k in zip(places, at, known, strict=True)
        ]
    return [Chain(source, place) for source, place in zip(places, at, strict=True)]


def _tables(branch: object, places: list[int], sample: pd.DataFrame, where: slice) -> list[Filler]:
    encoder = next(part for part in _parts(branch) if isinstance(part, ENCODERS))
    base = sample.iloc[:1, places]
    tables: list[Filler] = []
    at = 0
    for index, width in enumerate(_widths(branch, encoder, base)):
        known = [_plain(value) for value in encoder.categories_[index]]
        known = [value for value in known if value is not None and value == value]
        if len(known) > MAX_TABLE:
            raise NotCompilableError(f"column {base.columns[index]!r} has {len(known)} categories")
        answers = _answers(branch, base, index, known)
        cut = [tuple(float(number) for number in row[at : at + width]) for row in answers]
        outputs = tuple(range(where.start + at, where.start + at + width))
        table = dict(zip(known, cut, strict=False))
        tables.append(Table(places[index], outputs, table, cut[-2], cut[-1]))
        at += width
    return tables


def _widths(branch: object, encoder: Encoder, base: pd.DataFrame) -> list[int]:
    """Outputs per column: one; for one-hot as many as the encoder made, for means of several
    classes one for each."""
    hot = isinstance(encoder, OneHotEncoder)
    widths = (
        [int(n) for n in encoder._n_features_outs] if hot else [_means(encoder)] * base.shape[1]
    )
    total = _transform(branch, base).shape[1]
    if sum(widths) != total:
        raise NotCompilableError(
            f"branch over {list(base.columns)} gives {total} outputs, not {sum(widths)}"
        )
    return widths


def _means(encoder: Encoder) -> int:
    several = isinstance(encoder, TargetEncoder) and encoder.target_type_ == "multiclass"
    return len(encoder.classes_) if several else 1


def _answers(branch: object, base: pd.DataFrame, index: int, known: list[Value]) -> np.ndarray:
    """What the branch gives for each known category, for a missing and for an unknown value."""
    column = base.columns[index]
    textual = not pd.api.types.is_numeric_dtype(base[column])
    tried: list[Value] = [*known, None, UNKNOWN if textual else _unused(known)]
    frame = base.iloc[[0] * len(tried)].reset_index(drop=True)
    frame[column] = pd.Series(tried, dtype=base[column].dtype if textual else float)
    return _transform(branch, frame)


def _unused(known: list[Value]) -> float:
    """A number that is no category."""
    return max((float(value) for value in known if value is not None), default=0.0) + 1.0


def _plain(value: object) -> Value:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, bool | int | float | str) else None


def _transform(branch: object, frame: pd.DataFrame) -> np.ndarray:
    # Fitted on an array, a branch must not see column names.
    given = frame if hasattr(branch, "feature_names_in_") else frame.to_numpy()
    answer = branch.transform(given)  # type: ignore[attr-defined]
    array = np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)
    if array.dtype != np.float64:
        raise NotCompilableError(f"a branch gives {array.dtype}, not float64")
    return array


def _chains(parts: list[object], places: list[int], where: slice) -> list[Filler]:
    flagged: list[int] = []
    first = parts[0] if parts else None
    if isinstance(first, SimpleImputer) and first.indicator_ is not None:
        if len(parts) > 1:
            raise NotCompilableError("missing flags that are scaled afterwards")
        flagged = [int(index) for index in first.indicator_.features_]
    if where.stop - where.start != len(places) + len(flagged):
        raise NotCompilableError("a numeric branch with another number of outputs than inputs")
    flags = {index: where.start + len(places) + place for place, index in enumerate(flagged)}
    return [
        _chain(parts, (source, where.start + i, i), flags.get(i)) for i, source in enumerate(places)
    ]


def _chain(parts: list[object], where: tuple[int, int, int], flag_at: int | None) -> Chain:
    source, at, index = where
    missing = math.nan
    steps: list[Number] = []
    for part in parts:
        if isinstance(part, SimpleImputer):
            if steps:
                raise NotCompilableError("an imputer after a scaler")
            missing = float(part.statistics_[index])
        else:
            steps += _scaler_steps(part, index)
    return Chain(source, at, missing, tuple(steps), flag_at)


def _scaler_steps(part: object, index: int) -> list[Number]:
    if isinstance(part, StandardScaler):
        return _minus_over(part.mean_ if part.with_mean else None, part.scale_, index)
    if isinstance(part, RobustScaler):
        return _minus_over(part.center_, part.scale_, index)
    if isinstance(part, MinMaxScaler) and not part.clip:
        scale, offset = float(part.scale_[index]), float(part.min_[index])
        return [lambda x: x * scale, lambda x: x + offset]
    raise NotCompilableError(f"{type(part).__name__} has no row form")


def _minus_over(centre: np.ndarray | None, scale: np.ndarray | None, index: int) -> list[Number]:
    steps: list[Number] = []
    if centre is not None:
        middle = float(centre[index])
        steps.append(lambda x: x - middle)
    if scale is not None:
        width = float(scale[index])
        steps.append(lambda x: x / width)
    return steps
