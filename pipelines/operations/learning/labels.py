"""The target column as 0/1: which two classes it has and which one is the positive."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Json, OperationError

Labels = npt.NDArray[np.int64]
MINIMUM_PER_CLASS = 10  # below it no fold can hold both classes (own)


def two_classes(values: pd.Series, *, positive: Json = None) -> tuple[Json, Json]:
    """(other, positive): the given positive class, else the greater one (1, True, "yes").

    Raises OperationError unless there are two classes with enough rows each.
    """
    name = str(values.name)
    known = values.dropna()
    counts = known.value_counts()
    if counts.size != 2:
        raise _class_error(name, counts)
    if int(counts.min()) < MINIMUM_PER_CLASS:
        raise OperationError(
            "class_too_small",
            f"target {name}: class {counts.idxmin()} has {int(counts.min())} rows",
            field="target", value=plain(counts.idxmin()),
            rule=f"each class has at least {MINIMUM_PER_CLASS} rows",
        )  # fmt: skip
    ordered = sorted((plain(value) for value in counts.index), key=rank)
    if positive is None:
        return ordered[0], ordered[1]
    if str(positive) not in [str(value) for value in ordered]:
        raise OperationError(
            "positive_unknown",
            f"target {name} never is {positive}",
            field="positive", value=positive, rule=f"is one of {ordered}",
        )  # fmt: skip
    ordered.sort(key=lambda value: str(value) == str(positive))
    return ordered[0], ordered[1]


def _class_error(name: str, counts: pd.Series) -> OperationError:
    if not counts.size:
        return OperationError(
            "target_missing", f"target {name} has no value in any row",
            field="target", value=name, rule="has two classes",
        )  # fmt: skip
    found = [plain(value) for value in counts.index[:5]]
    more = f" and {counts.size - 5} more" if counts.size > 5 else ""
    return OperationError(
        "target_not_binary",
        f"target {name} has {counts.size} class(es): {', '.join(map(str, found))}{more}",
        field="target", value=list(found), rule="has exactly two classes",
    )  # fmt: skip


def as_labels(values: pd.Series, classes: tuple[Json, Json]) -> Labels:
    """1 for the positive class, 0 for the other; rows must not be missing.

    Raises OperationError for a value that is neither class.
    """
    known = {str(classes[0]): 0, str(classes[1]): 1}
    if values.dtype == object:  # True and 1 may stand side by side, and would be taken as one
        places, distinct = np.arange(values.size), values.array
    else:
        places, distinct = pd.factorize(values, use_na_sentinel=False)
    codes = np.asarray([known.get(str(plain(value)), -1) for value in distinct], dtype=np.int64)
    found: Labels = codes[places]
    if (found < 0).any():
        wrong = str(values[found < 0].iloc[0])
        raise OperationError(
            "class_unknown",
            f"target {values.name} holds {wrong}",
            field="target", value=wrong, rule=f"is {classes[0]} or {classes[1]}",
        )  # fmt: skip
    return found


def labelled(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """The rows whose target is known."""
    known = frame[target].notna()
    return frame if known.all() else frame[known].reset_index(drop=True)


def plain(value: object) -> Json:
    """A numpy scalar as the JSON value it stands for; 1.0 as 1."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def rank(value: Json) -> tuple[bool, float, str]:
    """Orders classes: numbers by size, then texts by letter."""
    number = isinstance(value, int | float)
    return (not number, float(value) if isinstance(value, int | float) else 0, str(value))
