"""A model that was brought, as a scikit-learn estimator: judged, packed and served like others.

`Graph` runs an ONNX graph; `BroughtClassifier` and `BroughtRegressor` put the declared columns
and classes in front of any model, so that nothing behind them knows where it was trained.
Instances are kept in model files by skops: their state is plain data, numbers and bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from pipelines.operations.contract import Json
from pipelines.operations.learning.labels import plain
from pipelines.operations.learning.metrics import Floats

# What a tensor of a graph may hold, as onnxruntime names it, and as numpy does.
TENSORS: Final[Mapping[str, str]] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
FLOATS: Final = ("float16", "float32", "float64")
MAPS: Final = "seq(map("
SHOWN: Final = 60
SLACK: Final = 1e-6  # how far float32 may leave [0, 1] (own)
# Seconds since 1970 need 31 bits; float32 keeps 24.
EXACT_TIMES: Final = ("float64", "int64")

Feed = dict[str, Any]  # name, dtype, rank and columns of one input, as skops keeps it
Column = dict[str, Any]  # name, type, categories and missing of one column


class AnswerError(ValueError):
    """A model answered something else than was declared of it."""


class Graph(BaseEstimator):
    """An ONNX graph; the session is made when it is first asked, and never kept in a file."""

    engine = "ONNX Runtime"

    def __init__(
        self,
        content: bytes = b"",
        feeds: Sequence[Feed] = (),
        columns: Sequence[Column] = (),
        output: str = "",
    ) -> None:
        self.content = content
        self.feeds = feeds
        self.columns = columns
        self.output = output
        self._running: Any = None

    def __getstate__(self) -> dict[str, Any]:
        kept = ("content", "feeds", "columns", "output")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._running = None

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(self.content, self.feeds, self.columns, self.output)

    def answers(self, frame: pd.DataFrame) -> Any:
        """The declared output for every row, as the graph gives it."""
        stated = {column["name"]: column for column in self.columns}
        given = {feed["name"]: fed(feed, stated, frame) for feed in self.feeds}
        try:
            found = self._session().run([self.output], given)[0]
        except Exception as error:  # onnxruntime's errors share no class of their own
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            raise ValueError(str(error).strip().splitlines()[0]) from error
        return found

    def _session(self) -> Any:
        if self._running is None:
            self._running = session(self.content)
        return self._running


def session(content: bytes) -> Any:
    """A session on the processor, with one thread: equal answers for equal rows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        content, sess_options=options, providers=["CPUExecutionProvider"]
    )


def fed(feed: Feed, stated: Mapping[str, Column], frame: pd.DataFrame) -> np.ndarray:
    """One input of the graph: a table of rows x columns, or a list of rows where it is flat."""
    parts = [_cells(stated[name], frame[name], feed["dtype"]) for name in feed["columns"]]
    if feed["rank"] == 1:
        return parts[0]
    return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def _cells(column: Column, values: pd.Series, dtype: str) -> np.ndarray:
    if dtype == "object":
        return _texts(column, values)
    if column["type"] == "text":
        places = {value: place for place, value in enumerate(column["categories"])}
        numbers = values.map(places).to_numpy(dtype="float64", na_value=np.nan)
    elif column["type"] == "time":
        moments = pd.to_datetime(values, utc=True)
        numbers = moments.astype("datetime64[us, UTC]").astype("int64").to_numpy() / 1e6
        numbers = np.where(moments.isna().to_numpy(), np.nan, numbers)
    else:
        numbers = pd.to_numeric(values).to_numpy(dtype="float64", na_value=np.nan)
    return _typed(column, numbers, dtype)


def _texts(column: Column, values: pd.Series) -> np.ndarray:
    missing = "" if column["missing"] is None else str(column["missing"])
    gone = values.isna().to_numpy()
    found = np.empty(len(values), dtype=object)
    found[:] = [missing if away else str(v) for v, away in zip(values, gone, strict=True)]
    return found


def _typed(column: Column, numbers: Floats, dtype: str) -> np.ndarray:
    """The numbers as the graph wants them; raises ValueError for what does not fit."""
    gone = np.isnan(numbers)
    if gone.any() and column["missing"] is not None:
        numbers = np.where(gone, float(column["missing"]), numbers)
        gone = np.isnan(numbers)
    if dtype in FLOATS:
        with np.errstate(over="ignore"):
            return numbers.astype(dtype)
    name = column["name"]
    if gone.any():
        raise ValueError(f"column {name!r} misses values, and the graph takes {dtype}")
    kept = numbers.astype(dtype)
    if (kept != numbers).any():
        wrong = numbers[kept != numbers][0]
        raise ValueError(f"column {name!r} holds {wrong:g}, and the graph takes {dtype}")
    return kept


class BroughtClassifier(ClassifierMixin, BaseEstimator):
    """Two classes, as (other, positive), whatever the order in which the model answers."""

    def __init__(
        self,
        model: Any = None,
        columns: Sequence[Column] = (),
        classes: Sequence[Json] = (),
        positive: int = 1,
    ) -> None:
        self.model = model
        self.columns = columns
        self.classes = classes
        self.positive = positive

    @property
    def classes_(self) -> npt.NDArray[np.int64]:
        """0 for the other class, 1 for the positive one."""
        return np.asarray([0, 1])

    @property
    def engine(self) -> str:
        """What runs the model, in words for people."""
        return engine_of(self.model)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Probabilities of the other and of the positive class; raises AnswerError."""
        scores = sound(self.raw(frame)[:, self.positive])
        if ((scores < -SLACK) | (scores > 1 + SLACK)).any():
            raise AnswerError(f"answers {scores.min():g} to {scores.max():g} as probabilities")
        scores = np.clip(scores, 0.0, 1.0)
        return np.column_stack([1.0 - scores, scores])

    def raw(self, frame: pd.DataFrame) -> Floats:
        """Both probabilities in the declared order, as the model gives them."""
        if isinstance(self.model, Graph):
            found = probabilities(self.model.answers(frame), self.classes)
        else:
            given = as_declared(frame, self.columns)
            found = probabilities(self.model.predict_proba(given), self.classes)
        return _of_rows(found, len(frame))


class BroughtRegressor(RegressorMixin, BaseEstimator):
    """A number for each row."""

    def __init__(self, model: Any = None, columns: Sequence[Column] = ()) -> None:
        self.model = model
        self.columns = columns

    @property
    def engine(self) -> str:
        """What runs the model, in words for people."""
        return engine_of(self.model)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, frame: pd.DataFrame) -> Floats:
        """The numbers; raises AnswerError."""
        if isinstance(self.model, Graph):
            found = self.model.answers(frame)
        else:
            found = self.model.predict(as_declared(frame, self.columns))
        values = np.asarray(found)
        if values.dtype.kind not in "fiu":
            raise AnswerError(f"answers {values.dtype} where numbers are declared")
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise AnswerError(f"answers a table of shape {values.shape}; one number a row is due")
        return sound(_of_rows(values.astype(np.float64), len(frame)))


def engine_of(model: object) -> str:
    """What runs a brought model."""
    return Graph.engine if isinstance(model, Graph) else "scikit-learn, as brought"


def as_declared(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The declared columns in order; texts with declared categories are categorical."""
    found = frame[[column["name"] for column in columns]]
    changed = {}
    for column in columns:
        if column["missing"] is None and not column["categories"]:
            continue
        values = found[column["name"]]
        if column["missing"] is not None:
            values = values.where(values.notna(), column["missing"])
        if column["categories"]:
            known = pd.Categorical(values, categories=list(column["categories"]))
            values = pd.Series(known, index=values.index)
        changed[column["name"]] = values
    return found.assign(**changed) if changed else found


def probabilities(found: Any, classes: Sequence[Json]) -> Floats:
    """Rows x 2 in the declared order, out of a tensor or a list of maps; raises AnswerError.

    A tensor of one column, or of none, holds the probability of the last declared class.
    """
    if isinstance(found, list):
        return _from_maps(found, classes)
    values = np.asarray(found)
    if values.dtype.kind != "f":
        raise AnswerError(f"answers {values.dtype} where probabilities are declared")
    values = values.astype(np.float64)
    if values.ndim == 2 and values.shape[1] == 2:
        return cast(Floats, values)
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        last = values.reshape(len(values))
        return np.column_stack([1.0 - last, last])
    raise AnswerError(f"answers a table of shape {values.shape}; one column per class is due")


def _from_maps(found: list[Any], classes: Sequence[Json]) -> Floats:
    rows = []
    for row in found:
        if not isinstance(row, dict):
            raise AnswerError(f"answers {str(row)[:SHOWN]} where a map of classes is due")
        known = {spelled(key): float(value) for key, value in row.items()}
        if set(known) != {spelled(value) for value in classes}:
            named = ", ".join(sorted(known))
            raise AnswerError(f"answers for the classes {named}; declared are {list(classes)}")
        rows.append([known[spelled(value)] for value in classes])
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(classes))


def spelled(value: object) -> str:
    """A class as text; true and 1 are the same class, as 1.0 and 1 are."""
    known = plain(value)
    return str(int(known)) if isinstance(known, bool) else str(known)


def sound(values: Floats) -> Floats:
    """The values; raises AnswerError where one is none."""
    bad = ~np.isfinite(values)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        raise AnswerError(f"answers {values[place]} to {int(bad.sum())} rows, such as row {place}")
    return values


def _of_rows(values: Floats, rows: int) -> Floats:
    if len(values) != rows:
        raise AnswerError(f"answers {len(values)} times to {rows} rows")
    return values
