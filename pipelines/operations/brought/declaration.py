"""What somebody declares of a model: its columns, what it answers, and in which order. Light.

A declaration is one JSON object; every problem of it is reported at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.class_names import LONGEST_NAME, MOST_CLASSES, texts_of
from pipelines.operations.learning.definition import TASK_NAMES, TaskName

FORMAT: Final = "baton/brought/1"
Type = Literal["number", "integer", "boolean", "text", "time"]
TYPES: Final[tuple[Type, ...]] = ("number", "integer", "boolean", "text", "time")
KEYS: Final = ("format", "task", "target", "classes", "columns", "inputs", "output")
COLUMN_KEYS: Final = ("name", "type", "categories", "free", "missing")
MOST_COLUMNS: Final = 5000


@dataclass(frozen=True)
class Declared:
    """One column that the model takes.

    `categories`: a text is given to the model as its place in this list (ONNX), or as a
    categorical column (skops). `free`: it holds sentences, which the model reads as they are.
    `missing` is what the model gets for a missing value.
    """

    name: str
    type: Type
    categories: tuple[str, ...] = ()
    missing: Json = None
    free: bool = False


@dataclass(frozen=True)
class Declaration:
    """The whole; `classes` in the order in which the model answers them.

    `inputs` maps each input of an ONNX graph to its columns, in order; empty where the graph
    has one input for all columns, or one for each by its name.
    """

    task: TaskName
    target: str
    classes: tuple[Json, ...]
    columns: tuple[Declared, ...]
    inputs: Mapping[str, tuple[str, ...]]
    output: str

    @property
    def kind(self) -> TaskName:
        """The task as it is worked on: a classification of more than two classes is another."""
        return "multiclass" if len(self.classes) > 2 else self.task

    @property
    def names(self) -> tuple[str, ...]:
        """Columns in the order of the declaration."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Declared:
        """The column of that name; raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def as_json(self) -> dict[str, Json]:
        """As it is kept in the model file."""
        columns: list[Json] = [
            {
                "name": c.name,
                "type": c.type,
                "categories": list(c.categories),
                "missing": c.missing,
                **({"free": True} if c.free else {}),
            }
            for c in self.columns
        ]
        return {
            "format": FORMAT,
            "task": self.task,
            "target": self.target,
            "classes": list(self.classes),
            "columns": columns,
            "inputs": {name: list(names) for name, names in self.inputs.items()},
            "output": self.output,
        }


def parse(data: Mapping[str, Json]) -> Declaration:
    """Read a declaration; raises OperationError with every problem in `details`."""
    problems = list(_problems(data))
    if problems:
        raise OperationError(
            "declaration_wrong",
            "the declaration cannot be used: "
            + "; ".join(f"{at}: {text}" for at, text in problems),
            field="declaration",
            value=problems[0][0],
            rule=f"is an object of format {FORMAT}",
            details=[{"field": at, "problem": text} for at, text in problems],
        )
    return Declaration(
        task=cast(TaskName, data["task"]),
        target=str(data["target"]),
        classes=tuple(_list(data.get("classes"))),
        columns=tuple(_column(row) for row in _list(data["columns"])),
        inputs={
            str(name): tuple(map(str, _list(names)))
            for name, names in _map(data.get("inputs")).items()
        },
        output=str(data.get("output") or ""),
    )


def _column(row: Json) -> Declared:
    given = _map(row)
    return Declared(
        name=str(given["name"]),
        type=cast(Type, given["type"]),
        categories=tuple(str(value) for value in _list(given.get("categories"))),
        missing=given.get("missing"),
        free=given.get("free") is True,
    )


Problems = Iterator[tuple[str, str]]


def _problems(data: Mapping[str, Json]) -> Problems:
    for name in sorted(set(data) - set(KEYS)):
        yield name, f"is unknown; known: {', '.join(KEYS)}"
    if data.get("format") != FORMAT:
        yield "format", f"must be {FORMAT!r}, got {data.get('format')!r}"
    if data.get("task") not in TASK_NAMES:
        yield "task", f"must be one of {', '.join(TASK_NAMES)}, got {data.get('task')!r}"
    if not isinstance(data.get("target"), str) or not data.get("target"):
        yield "target", "must name the column that the model predicts"
    yield from _class_problems(data)
    yield from _column_problems(data.get("columns"), data.get("target"))
    yield from _input_problems(data)
    if not isinstance(data.get("output", ""), str):
        yield "output", "must be the name of one output of the graph"


def _class_problems(data: Mapping[str, Json]) -> Problems:
    given = data.get("classes")
    if data.get("task") == "regression":
        if given not in (None, []):
            yield "classes", "a regression has none"
        return
    plain = isinstance(given, list) and all(isinstance(v, bool | int | str) for v in given)
    if not plain:
        yield "classes", "must list all classes in the order in which the model answers them"
        return
    classes = _list(given)
    if not 2 <= len(classes) <= MOST_CLASSES:
        yield "classes", f"must be 2 to {MOST_CLASSES}, got {len(classes)}"
    for text, times in Counter(texts_of(classes)).items():
        if times > 1:
            yield "classes", f"must be different ones, and {text[:40]!r} is listed {times} times"
        if not text or len(text) > LONGEST_NAME:
            yield "classes", f"must have names of 1 to {LONGEST_NAME} characters, got {text[:40]!r}"


def _column_problems(given: Json, target: Json) -> Problems:
    rows = given if isinstance(given, list) else []
    if not rows or len(rows) > MOST_COLUMNS:
        yield "columns", f"must list 1 to {MOST_COLUMNS} columns, got {len(rows)}"
    for place, row in enumerate(rows):
        for text in _row_problems(row):
            yield f"columns[{place}]", text
    names = [str(row.get("name")) for row in rows if isinstance(row, dict)]
    for name, count in Counter(names).items():
        if count > 1:
            yield "columns", f"{name!r} is listed {count} times"
    if target in names:
        yield "columns", f"{target!r} is the target: a model cannot take what it predicts"


def _row_problems(row: Json) -> Iterator[str]:
    if not isinstance(row, dict):
        yield "must be an object with name and type"
        return
    for name in sorted(set(row) - set(COLUMN_KEYS)):
        yield f"{name} is unknown; known: {', '.join(COLUMN_KEYS)}"
    if not isinstance(row.get("name"), str) or not row.get("name"):
        yield "name must be a text"
    if row.get("type") not in TYPES:
        yield f"type must be one of {', '.join(TYPES)}, got {row.get('type')!r}"
    categories = row.get("categories", [])
    texts = isinstance(categories, list) and all(isinstance(v, str) for v in categories)
    if not texts or len(set(_list(categories))) != len(_list(categories)):
        yield "categories must be a list of different texts"
    elif categories and row.get("type") != "text":
        yield f"categories are for texts, and its type is {row.get('type')!r}"
    if row.get("free", False) not in (True, False):
        yield "free must be true or false"
    elif row.get("free") and (row.get("type") != "text" or categories):
        yield "free is for texts without categories"
    if isinstance(row.get("missing"), list | dict):
        yield "missing must be one value"


def _input_problems(data: Mapping[str, Json]) -> Problems:
    given = data.get("inputs", {})
    if not isinstance(given, dict) or not all(isinstance(v, list) for v in given.values()):
        yield "inputs", "must map each input of the graph to a list of columns"
        return
    if not given:
        return
    fed = Counter(str(name) for names in given.values() for name in _list(names))
    listed = {str(_map(row).get("name")) for row in _list(data.get("columns"))}
    for name in sorted(set(fed) - listed):
        yield "inputs", f"{name!r} is no column of the declaration"
    for name in sorted(listed - set(fed)):
        yield "inputs", f"column {name!r} is given to no input"


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _map(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
