"""A model that was brought, as a scikit-learn estimator: judged, packed and served like others.

`Graph` runs an ONNX graph; `BroughtClassifier` and `BroughtRegressor` put the declared columns
and classes in front of any model, so that nothing behind them knows where it was trained.
Instances are kept in model files by skops: their state is plain data, numbers and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from pipelines.operations.brought.feeding import Column, Feed, as_declared, fed
from pipelines.operations.contract import Json
from pipelines.operations.learning.labels import plain
from pipelines.operations.learning.metrics import Floats

SHOWN: Final = 60
SLACK: Final = 1e-6  # how far float32 may leave [0, 1] (own)


class AnswerError(ValueError):
    """A model answered something else than was declared of it."""


class Graph(BaseEstimator):  # type: ignore[misc]
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


class InFront(BaseEstimator):  # type: ignore[misc]
    """What stands in front of a model that was trained elsewhere."""

    model: Any

    @property
    def engine(self) -> str:
        """What runs the model, in words for people."""
        return engine_of(self.model)

    @property
    def needs(self) -> tuple[str, ...]:
        """Packages that its scores depend on beside those of every model."""
        return needs_of(self.model)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class BroughtClassifier(ClassifierMixin, InFront):  # type: ignore[misc]
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

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Probabilities of the other and of the positive class; raises AnswerError."""
        scores = within_one(self.raw(frame)[:, self.positive])
        return np.column_stack([1.0 - scores, scores])

    def raw(self, frame: pd.DataFrame) -> Floats:
        """Both probabilities in the declared order, as the model gives them."""
        return raw_answers(self.model, frame, self.columns, self.classes)


class BroughtClasses(ClassifierMixin, InFront):  # type: ignore[misc]
    """Three classes or more, in the order of the feature definition; the model has its own.

    `places` says for each class of the definition where the model answers it.
    """

    def __init__(
        self,
        model: Any = None,
        columns: Sequence[Column] = (),
        classes: Sequence[Json] = (),
        places: Sequence[int] = (),
    ) -> None:
        self.model = model
        self.columns = columns
        self.classes = classes
        self.places = places

    @property
    def classes_(self) -> npt.NDArray[np.int64]:
        """Places of the classes in the definition."""
        return np.arange(len(self.places))

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Probabilities of all classes, scaled to a sum of 1; raises AnswerError."""
        shares = within_one(self.raw(frame)[:, list(self.places)])
        totals = shares.sum(axis=1, keepdims=True)
        if not (totals > 0).all():
            raise AnswerError(f"answers 0 for every class to row {int(np.argmin(totals))}")
        found: Floats = shares / totals
        return found

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Place of the likeliest class."""
        found: npt.NDArray[np.int64] = self.predict_proba(frame).argmax(axis=1)
        return found

    def raw(self, frame: pd.DataFrame) -> Floats:
        """All probabilities in the declared order, as the model gives them."""
        return raw_answers(self.model, frame, self.columns, self.classes)


class BroughtRegressor(RegressorMixin, InFront):  # type: ignore[misc]
    """A number for each row."""

    def __init__(self, model: Any = None, columns: Sequence[Column] = ()) -> None:
        self.model = model
        self.columns = columns

    def predict(self, frame: pd.DataFrame) -> Floats:
        """The numbers; raises AnswerError."""
        if isinstance(self.model, Graph):
            found = self.model.answers(frame)
        else:
            found = asked(self.model.predict, as_declared(frame, self.columns))
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


def needs_of(model: object) -> tuple[str, ...]:
    """Packages that a brought model's scores depend on beside those of every model."""
    return ("onnxruntime",) if isinstance(model, Graph) else ()


def raw_answers(
    model: Any, frame: pd.DataFrame, columns: Sequence[Column], classes: Sequence[Json]
) -> Floats:
    """Rows x classes in the declared order, as the model gives them; raises AnswerError."""
    if isinstance(model, Graph):
        found = probabilities(model.answers(frame), classes)
    else:
        found = probabilities(asked(model.predict_proba, as_declared(frame, columns)), classes)
    return _of_rows(found, len(frame))


def asked(answer: Callable[[pd.DataFrame], Any], frame: pd.DataFrame) -> Any:
    """What a model of scikit-learn answers; raises ValueError where its parts trip over a value.

    What reads texts calls methods of what is none: as any refusal of a row, it must not look like
    a defect of who asks.
    """
    try:
        return answer(frame)
    except AttributeError as error:
        raise ValueError(str(error)) from error


def within_one(scores: Floats) -> Floats:
    """The probabilities, within 0 and 1; raises AnswerError for one that is far from it."""
    sound(scores if scores.ndim == 1 else scores.sum(axis=1))
    if ((scores < -SLACK) | (scores > 1 + SLACK)).any():
        raise AnswerError(f"answers {scores.min():g} to {scores.max():g} as probabilities")
    return np.clip(scores, 0.0, 1.0)


def probabilities(found: Any, classes: Sequence[Json]) -> Floats:
    """Rows x classes in the declared order, of a tensor or a list of maps; raises AnswerError.

    Of two classes, a tensor of one column, or of none, holds the probability of the last one.
    """
    if isinstance(found, list):
        return _from_maps(found, classes)
    values = np.asarray(found)
    if values.dtype.kind != "f":
        raise AnswerError(f"answers {values.dtype} where probabilities are declared")
    values = values.astype(np.float64)
    if values.ndim == 2 and values.shape[1] == len(classes):
        return cast(Floats, values)
    if len(classes) == 2 and (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
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
