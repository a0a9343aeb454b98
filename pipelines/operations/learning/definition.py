"""The feature definition: which column becomes which numbers, written down. Light.

The same JSON is the `features` artefact, travels inside every model file and is
what the serving path encodes rows by, so its digest is the identity of the features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from pipelines.operations.contract import Json, OperationError

TaskName = Literal["classification", "multiclass", "regression"]
Role = Literal["number", "flag", "category", "many_categories", "date", "text"]
Availability = Literal["before", "after", "unknown"]

# what may be asked: a classification is of two classes or, as its target has it, of several
TASK_NAMES: tuple[TaskName, ...] = ("classification", "regression")
KNOWN_TASKS: tuple[TaskName, ...] = ("classification", "multiclass", "regression")
# scores that may decide; the last three only where there are several classes
CLASS_METRICS: tuple[str, ...] = (
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "macro_f1",
    "balanced_accuracy",
    "accuracy",
)
METRICS: tuple[str, ...] = (*CLASS_METRICS, "mae", "rmse", "r2")
# in the order in which the encoder stacks them
ROLES: tuple[Role, ...] = ("number", "flag", "date", "category", "many_categories", "text")
# HistGradientBoosting refuses a categorical column beyond its 255 bins (tool default)
MAX_CATEGORIES = 255
DATE_PARTS = ("month", "day", "weekday", "hour")

TRANSFORMERS: Mapping[str, str] = {
    "number": "numbers",
    "flag": "flags",
    "category": "ordinal codes",
    "many_categories": "ordinal codes, then mean of the target",
    "date": "date parts",
    "text": "words and pairs of words, weighed by how rare they are",
}
UNKNOWN: Mapping[str, str] = {
    "number": "refused: names column and value",
    "flag": "refused: names column and value",
    "category": "treated as missing",
    "many_categories": "treated as missing",
    "date": "refused: names column and value",
    "text": "words never seen are left out; what is no text is refused",
}
MISSING: Mapping[str, str] = {
    "number": "own branch in trees, median in linear models",
    "flag": "own branch in trees, most frequent in linear models",
    "category": "own branch in trees, own indicator in linear models",
    "many_categories": "overall mean of the target",
    "date": "own branch in trees, median in linear models",
    "text": "a text without words",
}


@dataclass(frozen=True)
class FeatureColumn:
    """One raw column, the role it plays and the categories it may hold."""

    name: str
    role: Role
    dtype: str = ""
    availability: Availability = "unknown"
    categories: tuple[str, ...] | tuple[float, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the numbers the column becomes."""
        if self.role == "date":
            return tuple(f"{self.name}:{part}" for part in DATE_PARTS)
        return (self.name,)

    def as_json(self) -> dict[str, Json]:
        """The column as plain data, its policies spelled out for readers."""
        return {
            "name": self.name,
            "role": self.role,
            "transformer": TRANSFORMERS[self.role],
            "unknown": UNKNOWN[self.role],
            "missing": MISSING[self.role],
            "dtype": self.dtype,
            "availability": self.availability,
            "categories": list(self.categories),
        }


@dataclass(frozen=True)
class LeftOut:
    """A column that is no feature, and why; `decided` is False where nobody chose so."""

    name: str
    reason: str
    decided: bool


@dataclass(frozen=True)
class FeatureSet:
    """The whole definition; `classes` are (other, positive), as the table holds them.

    With several classes these are all in order, a regression has none. Rows of one `group` (an
    author, a thread) stay together in folds. `origin` is when a forecast was made, where that is
    before the `time` that it is about. A model of numbers predicts the difference from the column
    `base`, where there is one.
    """

    target: str
    classes: tuple[Json, ...]
    columns: tuple[FeatureColumn, ...]
    key: tuple[str, ...] = ()
    time: str = ""
    left_out: tuple[LeftOut, ...] = field(default=())
    task: TaskName = "classification"
    group: str = ""
    origin: str = ""
    base: str = ""

    @property
    def names(self) -> list[str]:
        """Raw columns read, in order."""
        return [column.name for column in self.columns]

    @property
    def encoded(self) -> list[tuple[FeatureColumn, str]]:
        """The encoder's matrix, column by column: raw column and output name. By role."""
        ordered = [column for role in ROLES for column in self.columns if column.role == role]
        return [(column, name) for column in ordered for name in column.outputs]

    @property
    def outputs(self) -> list[str]:
        """Names of the encoder's matrix columns, in order."""
        return [name for _, name in self.encoded]

    def positions(self, *roles: Role) -> list[int]:
        """Places in the encoder's matrix that columns of these roles fill."""
        return [place for place, (column, _) in enumerate(self.encoded) if column.role in roles]

    def places(self, name: str) -> list[int]:
        """Places in the encoder's matrix that one raw column fills."""
        return [place for place, (column, _) in enumerate(self.encoded) if column.name == name]

    def digest(self) -> str:
        """sha256 of what decides the encoding; what was left out and why does not."""
        decisive = {k: v for k, v in self._plain().items() if k != "left_out"}
        text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, Json]:
        """The artefact's content."""
        return {**self._plain(), "digest": self.digest()}

    def _plain(self) -> dict[str, Json]:
        # absent where they say nothing new, so that definitions made before them keep their digest
        later: dict[str, Json] = {} if self.task == "classification" else {"task": self.task}
        named = {"group": self.group, "origin": self.origin, "base": self.base}
        later |= {name: column for name, column in named.items() if column}
        return {
            **later,
            "format": "baton/features/1",
            "target": self.target,
            "classes": list(self.classes),
            "key": list(self.key),
            "time": self.time,
            "columns": [column.as_json() for column in self.columns],
            "left_out": [asdict(column) for column in self.left_out],
        }


def from_json(data: Mapping[str, Json]) -> FeatureSet:
    """Read a definition back; raises OperationError when it is none or was altered."""
    if data.get("format") != "baton/features/1":
        raise OperationError(
            "not_a_feature_definition",
            "the features artefact is no feature definition of format baton/features/1",
            field="features",
            value=str(data.get("format")),
            rule="format is baton/features/1",
        )
    found = _parsed(data)
    if data.get("digest") not in (None, found.digest()):
        raise OperationError(
            "features_altered",
            "the feature definition does not match its own digest",
            field="features",
            value=str(data.get("digest")),
            rule=f"digest is {found.digest()}",
        )
    return found


def _parsed(data: Mapping[str, Json]) -> FeatureSet:
    task = data.get("task", "classification")
    known: dict[Json, TaskName] = {name: name for name in KNOWN_TASKS}
    if not isinstance(task, str) or task not in known:
        raise OperationError(
            "unknown_task",
            f"the feature definition is for the task {task!r}",
            field="features",
            value=task,
            rule=f"task is one of {', '.join(KNOWN_TASKS)}",
        )
    return FeatureSet(
        task=known[task],
        group=str(data.get("group") or ""),
        origin=str(data.get("origin") or ""),
        base=str(data.get("base") or ""),
        target=str(data.get("target", "")),
        classes=tuple(_list(data.get("classes"))),
        columns=tuple(_column(_map(row)) for row in _list(data.get("columns"))),
        key=tuple(str(name) for name in _list(data.get("key"))),
        time=str(data.get("time") or ""),
        left_out=tuple(_left_out(_map(row)) for row in _list(data.get("left_out"))),
    )


def _column(row: Mapping[str, Json]) -> FeatureColumn:
    role, availability = str(row.get("role")), str(row.get("availability", "unknown"))
    categories = _list(row.get("categories"))
    known: dict[str, Role] = {name: name for name in ROLES}
    return FeatureColumn(
        name=str(row.get("name", "")),
        role=known[role],
        dtype=str(row.get("dtype", "")),
        availability=_AVAILABILITIES.get(availability, "unknown"),
        categories=as_categories(categories),
    )


def as_categories(values: list[Json]) -> tuple[str, ...] | tuple[float, ...]:
    """All categories as texts, or all as numbers; texts win when they are mixed."""
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    if values and len(numbers) == len(values):
        return tuple(numbers)
    return tuple(str(value) for value in values)


_AVAILABILITIES: Mapping[str, Availability] = {
    "before": "before",
    "after": "after",
    "unknown": "unknown",
}


def _left_out(row: Mapping[str, Json]) -> LeftOut:
    return LeftOut(
        name=str(row.get("name", "")),
        reason=str(row.get("reason", "")),
        decided=row.get("decided") is True,
    )


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _map(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
