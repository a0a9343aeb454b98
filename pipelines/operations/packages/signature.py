"""What a model takes and gives, and why a row does not suit it. No numeric library.

Every problem of every row is reported at once, with row, column, rule and value.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from pipelines.operations.contract import Json
from pipelines.operations.packages.columns import Category, clean_columns

Type = Literal["integer", "number", "string", "boolean", "datetime"]
Row: TypeAlias = Mapping[str, Json]
MAX_PROBLEMS = 100  # reported at most; the count beyond is not computed
MANY = 20  # rows from which whole columns are looked at first
SHOWN_CATEGORIES = 10
SHOWN_LENGTH = 80  # characters of an offending value repeated in a message


@dataclass(frozen=True)
class Column:
    """One input: its type, whether it may be missing, its categories and their policy.

    `dtype` is the pandas type of training. `closed`: a category that training never saw
    is refused; otherwise the encoder's own answer for unknown categories is used.
    """

    name: str
    type: Type
    dtype: str
    nullable: bool = True
    categories: tuple[Category, ...] = ()
    closed: bool = False
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Output:
    """One output: a name, its type and what it means."""

    name: str
    type: Type
    meaning: str


@dataclass(frozen=True)
class Signature:
    """Inputs in training order, and outputs."""

    inputs: tuple[Column, ...]
    outputs: tuple[Output, ...]

    def as_json(self) -> dict[str, Json]:
        """The signature as plain data."""
        inputs: list[Json] = [
            {**asdict(column), "categories": list(column.categories)} for column in self.inputs
        ]
        outputs: list[Json] = [asdict(output) for output in self.outputs]
        return {"inputs": inputs, "outputs": outputs}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(column.name for column in self.inputs)


@dataclass(frozen=True)
class Problem:
    """Why one value of one row does not suit."""

    row: int
    column: str
    rule: str
    value: Json
    message: str

    def as_json(self) -> dict[str, Json]:
        """The problem as plain data."""
        return {
            "row": self.row,
            "column": self.column,
            "rule": self.rule,
            "value": self.value,
            "message": self.message,
        }


class RowsError(Exception):
    """Rows that the signature refuses; `problems` holds up to MAX_PROBLEMS of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems[:5]))


def parse_signature(data: Mapping[str, Json]) -> Signature:
    """The signature of a package; raises KeyError or TypeError where it is malformed."""
    inputs = [_column(item) for item in _objects(data["inputs"])]
    outputs = [Output(**item) for item in _objects(data["outputs"])]  # type: ignore[arg-type]
    return Signature(tuple(inputs), tuple(outputs))


def _objects(value: Json) -> Iterable[dict[str, Json]]:
    if not isinstance(value, list):
        raise TypeError("a list of objects is needed")
    return [item for item in value if isinstance(item, dict)]


def _column(item: dict[str, Json]) -> Column:
    categories = item.get("categories")
    plain = {**item, "categories": tuple(categories) if isinstance(categories, list) else ()}
    return Column(**plain)  # type: ignore[arg-type]


class RowCheck:
    """Checks rows against a signature; made once per model, since it indexes categories."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._columns = {column.name: column for column in signature.inputs}
        self._categories = {
            column.name: frozenset(column.categories)
            for column in signature.inputs
            if column.closed
        }

    def clean(self, rows: Sequence[Row]) -> list[dict[str, Json]]:
        """The rows in the signature's types (integral floats as integers, times as text).

        Raises RowsError with every problem found.
        """
        if len(rows) >= MANY:
            plain = clean_columns(self._columns, self._categories, rows)
            if plain is not None:
                return plain
        problems: list[Problem] = []
        cleaned = [self._clean_row(index, row, problems) for index, row in enumerate(rows)]
        if problems:
            raise RowsError(problems[:MAX_PROBLEMS])
        return cleaned

    def _clean_row(self, index: int, row: Row, problems: list[Problem]) -> dict[str, Json]:
        if len(problems) >= MAX_PROBLEMS:
            return {}
        problems += [
            _problem(index, str(name), "extra", row[name], "is no input of the model")
            for name in sorted(row.keys() - self._columns.keys())
        ]
        cleaned: dict[str, Json] = {}
        for name, column in self._columns.items():
            value, rule, text = self._checked(column, row)
            if rule:
                problems.append(_problem(index, name, rule, row.get(name), text))
            cleaned[name] = value
        return cleaned

    def _checked(self, column: Column, row: Row) -> tuple[Json, str, str]:
        """The value to use, or the rule that is broken and how."""
        if column.name not in row:
            # A nullable column must still be named: a misspelt name would pass as a null.
            return None, "missing", "is missing" + (" (null is allowed)" if column.nullable else "")
        value = row[column.name]
        if value is None:
            return (None, "", "") if column.nullable else (None, "not_null", "must not be null")
        value, wrong = _typed(column.type, value)
        if wrong:
            return None, "type", wrong
        if column.closed and value not in self._categories[column.name]:
            return None, "category", _unknown_category(column)
        return value, *_outside(column, value)


def _problem(row: int, column: str, rule: str, value: Json, text: str) -> Problem:
    shown = value if isinstance(value, bool | int | float | None) else str(value)[:SHOWN_LENGTH]
    if isinstance(shown, float) and not math.isfinite(shown):
        shown = str(shown)
    got = "" if rule in ("missing", "not_null") else f", got {shown!r}"
    where = f"row {row}, column {column!r}" if column else f"row {row}"
    return Problem(row, column, rule, shown, f"{where}: {text}{got}")


def _typed(kind: Type, value: Json) -> tuple[Json, str]:
    """The value in that type, or what is wrong with it."""
    if kind == "string":
        return (value, "") if isinstance(value, str) else (None, "must be a string")
    if kind == "boolean":
        return (value, "") if isinstance(value, bool) else (None, "must be true or false")
    if kind == "datetime":
        return _time(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, f"must be {'an integer' if kind == 'integer' else 'a number'}"
    if not math.isfinite(value):
        return None, "must be finite (use null for a missing value)"
    if kind == "number":
        return float(value), ""
    return (int(value), "") if float(value).is_integer() else (None, "must be an integer")


def _time(value: Json) -> tuple[Json, str]:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).isoformat(), ""
        except ValueError:
            pass
    return None, "must be a time in ISO 8601"


def _unknown_category(column: Column) -> str:
    shown = ", ".join(str(value) for value in column.categories[:SHOWN_CATEGORIES])
    more = len(column.categories) - SHOWN_CATEGORIES
    return f"must be one of {shown}" + (f" and {more} more" if more > 0 else "")


def _outside(column: Column, value: Json) -> tuple[str, str]:
    if isinstance(value, str) or value is None or isinstance(value, list | dict):
        return "", ""
    if column.minimum is not None and value < column.minimum:
        return "minimum", f"must be >= {column.minimum:g}"
    if column.maximum is not None and value > column.maximum:
        return "maximum", f"must be <= {column.maximum:g}"
    return "", ""


def rows_of(columns: Mapping[str, Sequence[Json]]) -> list[dict[str, Json]]:
    """Rows out of columns of equal length. Raises RowsError naming a column of another length."""
    lengths = {name: len(values) for name, values in columns.items()}
    longest = max(lengths.values(), default=0)
    short = [name for name, length in lengths.items() if length != longest]
    if short:
        raise RowsError(
            [
                _problem(
                    lengths[name], name, "length", lengths[name], f"must have {longest} values"
                )
                for name in short
            ]
        )
    return [{name: values[index] for name, values in columns.items()} for index in range(longest)]
