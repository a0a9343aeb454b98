"""A figure: what a chart says, its specification, and the table it is drawn from. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Spec = dict[str, Json]
Cell = None | int | float | str

NUMBER: Final = "number"
TIME: Final = "time"
NAME: Final = "name"
MOST_SHOWN: Final = 60  # characters of a name in a drawing; the table has all of them


@dataclass(frozen=True)
class Words:
    """What is read: a key that names the figure on its page, a title, a sentence that tells it.

    `bounds` are the words for the ends of an interval, `series` for what tells lines apart,
    `limit` for what values are judged against.
    """

    key: str
    title: str
    text: str
    bounds: tuple[str, str] = ("from", "to")
    series: str = ""
    note: str = "note"
    limit: str = "limit"


@dataclass(frozen=True)
class Axis:
    """An axis: its title and unit, whether it holds numbers, times or names, and its ends."""

    title: str
    unit: str = ""
    kind: str = NUMBER
    format: str = ""
    low: float | None = None
    high: float | None = None
    is_log: bool = False
    padding: int = 0  # px at the ends
    has_zero: bool = True  # whether amounts are shown from nothing on

    @property
    def label(self) -> str:
        """The title with its unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True)
class Value:
    """A value at a place (number, ISO time or name), with its interval where there is one."""

    x: float | str
    y: float | None
    low: float | None = None
    high: float | None = None
    series: str = ""
    note: str = ""
    limit: float | None = None  # where each value has a limit of its own


@dataclass(frozen=True)
class Limit:
    """A line that values are judged against; `series` holds it in one panel of several."""

    value: float
    label: str
    series: str = ""
    tone: str = "bad"  # or "calm", for what is merely known


@dataclass(frozen=True)
class Column:
    """A column of the table behind a figure."""

    label: str
    is_number: bool


@dataclass(frozen=True)
class Figure:
    """A chart with all that stands in for it. `spec` is a Vega-Lite specification."""

    key: str
    title: str
    text: str
    spec: Spec
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def digest(self) -> str:
        """What its drawing is kept by."""
        return digest_of(self.spec)


def digest_of(spec: Mapping[str, Json]) -> str:
    """Return the SHA-256 of a specification. Raises ValueError for numbers that are not finite."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def table_of(
    words: Words, values: Sequence[Value], x: Axis, y: Axis
) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    """Return the table behind values: only the columns that hold something."""
    low, high = words.bounds
    found: list[tuple[Column, list[Cell]]] = [
        (Column(words.series, is_number=False), [value.series for value in values]),
        (Column(x.label, is_number=x.kind == NUMBER), [value.x for value in values]),
        (Column(y.label, is_number=True), [value.y for value in values]),
        (Column(low, is_number=True), [value.low for value in values]),
        (Column(high, is_number=True), [value.high for value in values]),
        (Column(words.limit, is_number=True), [value.limit for value in values]),
        (Column(words.note, is_number=False), [value.note for value in values]),
    ]
    kept = [
        (column, cells)
        for index, (column, cells) in enumerate(found)
        if index in (1, 2) or any(cell not in (None, "") for cell in cells)
    ]
    columns = tuple(column for column, _ in kept)
    rows = tuple(zip(*(cells for _, cells in kept), strict=True))
    return columns, rows


def shown(name: str) -> str:
    """Return a name as a drawing shows it: its ends where it is long (measuring it is slow)."""
    return name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 13]}\u2026{name[-12:]}"


def data_of(values: Sequence[Value]) -> list[Json]:
    """Return values as a specification holds them, without what is missing."""
    found: list[Json] = []
    for value in values:
        row: dict[str, Json] = {"x": shown(value.x) if isinstance(value.x, str) else value.x}
        for name in ("y", "low", "high", "limit"):
            number = getattr(value, name)
            if number is not None:
                row[name] = number
        if value.series:
            row["series"] = shown(value.series)
        if value.note:
            row["note"] = shown(value.note)
        found.append(row)
    return found
