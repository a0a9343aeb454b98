"""The matrix of several classes as a table with shades. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHADES = 5  # steps of a cell's shade, by its share of the row


@dataclass(frozen=True)
class Square:
    """Rows of one class that were answered as one class, and their share of that class."""

    rows: int
    share: float
    shade: int
    right: bool


@dataclass(frozen=True)
class Line:
    """One true class: its squares, and how well it is told."""

    name: str
    rows: int
    squares: tuple[Square, ...]
    recall: Mapping[str, Any]
    precision: Mapping[str, Any]
    f1: Mapping[str, Any]
    answered: int


@dataclass(frozen=True)
class Pair:
    """Rows of one class that were answered as another."""

    true: str
    answered: str
    rows: int
    share: str


@dataclass(frozen=True)
class Confusion:
    """The whole matrix, and sentences on its commonest errors."""

    names: tuple[str, ...]
    lines: tuple[Line, ...]
    commonest: tuple[Pair, ...]
    left_out: str


def confusion(facts: Mapping[str, Any]) -> Confusion | None:
    """Return the matrix of an evaluation's facts; None where there are not several classes."""
    matrix, judged = facts.get("confusion_matrix"), facts.get("per_class")
    if not isinstance(matrix, Mapping) or not isinstance(judged, list):
        return None
    names = tuple(str(name) for name in matrix.get("classes") or ())
    lines = tuple(
        _line(place, row, counts)
        for place, (row, counts) in enumerate(zip(judged, matrix["counts"], strict=True))
    )
    absent = [str(name) for name in facts.get("absent_classes") or ()]
    return Confusion(
        names, lines, tuple(map(_pair, matrix.get("commonest") or ())), ", ".join(absent)
    )


def _pair(row: Mapping[str, Any]) -> Pair:
    share = f"{row['share']:.0%}".replace("%", " %")
    return Pair(str(row["true"]), str(row["answered"]), int(row["rows"]), share)


def _line(place: int, row: Mapping[str, Any], counts: list[int]) -> Line:
    total = sum(counts)
    squares = tuple(
        Square(
            rows=count,
            share=count / total if total else 0.0,
            shade=min(SHADES, int(-(-count * SHADES // total))) if total else 0,
            right=place == other,
        )
        for other, count in enumerate(counts)
    )
    return Line(
        name=str(row.get("class")),
        rows=total,
        squares=squares,
        recall=row.get("recall") or {},
        precision=row.get("precision") or {},
        f1=row.get("f1") or {},
        answered=int(row.get("answered") or 0),
    )
