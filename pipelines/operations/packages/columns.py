"""The quick way through a large batch of rows: whole columns that plainly suit, or nothing.

What is not plainly right is left to the check of each row, which names row, column and rule.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from pipelines.operations.contract import Json

if TYPE_CHECKING:
    from pipelines.operations.packages.signature import Column

Category: TypeAlias = str | int | float | bool
NOTHING = type(None)


def clean_columns(
    columns: Mapping[str, "Column"],
    categories: Mapping[str, frozenset[Category]],
    rows: Sequence[Mapping[str, Json]],
) -> list[dict[str, Json]] | None:
    """The rows in the signature's types; None where any value wants a closer look."""
    wanted = columns.keys()
    if any(row.keys() != wanted for row in rows):
        return None
    cleaned: list[list[Json]] = []
    for name, column in columns.items():
        found = _cleaned(column, categories.get(name), [row[name] for row in rows])
        if found is None:
            return None
        cleaned.append(found)
    return [dict(zip(columns, values, strict=True)) for values in zip(*cleaned, strict=True)]


def _cleaned(
    column: "Column", known: frozenset[Category] | None, values: list[Json]
) -> list[Json] | None:
    kinds = set(map(type, values))
    present = values
    if NOTHING in kinds:
        if not column.nullable:
            return None
        kinds.discard(NOTHING)
        present = [value for value in values if value is not None]
    if column.type == "string":
        # Only texts are hashed: a list or an object cannot be.
        plain = kinds <= {str} and (known is None or known.issuperset(present))
        return values if plain else None
    if column.type == "boolean":
        plain = kinds <= {bool} and (known is None or known.issuperset(present))
        return values if plain and column.minimum is None and column.maximum is None else None
    if column.type == "integer":
        return values if kinds <= {int} and _within(column, known, present) else None
    if column.type == "number" and kinds <= {int, float} and _within(column, known, present):
        return values if kinds <= {float} else [_number(value) for value in values]
    if column.type == "datetime" and kinds <= {str} and known is None:
        return _times(values)
    return None


def _within(column: "Column", known: frozenset[Category] | None, present: list[Json]) -> bool:
    """Whether numbers are finite and inside the limits; False also where that is not sure."""
    if not present:
        return True
    numbers = [value for value in present if isinstance(value, int | float)]
    try:
        # One that is not finite makes the sum so.
        if not math.isfinite(math.fsum(numbers)):
            return False
    except (OverflowError, ValueError):
        return False
    if known is not None and not known.issuperset(numbers):
        return False
    low, high = column.minimum, column.maximum
    return (low is None or min(numbers) >= low) and (high is None or max(numbers) <= high)


def _times(values: list[Json]) -> list[Json] | None:
    try:
        return [
            datetime.fromisoformat(value).isoformat() if isinstance(value, str) else None
            for value in values
        ]
    except ValueError:
        return None


def _number(value: Json) -> Json:
    return float(value) if isinstance(value, int) else value
