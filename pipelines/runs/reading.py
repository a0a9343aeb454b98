"""Rows by a fixed condition, without composing the statement anew: what `load` and locks read.

Django composes a SELECT of one table in about half a millisecond, several times what PostgreSQL
needs to answer it, and a finished step reads four. The text is composed once and kept.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models

from personas import statements

Row = TypeVar("Row", bound=models.Model)
Convert = Callable[[Any], Any]


@lru_cache(maxsize=256)
def _select(
    model: type[models.Model], condition: str, only: tuple[str, ...]
) -> tuple[str, list[str], list[tuple[int, Convert]]]:
    """Return the statement, the attributes its columns fill, and which columns are converted."""
    fields: list[Any] = [
        field
        for field in model._meta.concrete_fields
        if not only or field.primary_key or field.attname in only
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    sql = f'SELECT {columns} FROM "{model._meta.db_table}" WHERE {condition}'  # noqa: S608
    converted = [
        (place, _converter(field))
        for place, field in enumerate(fields)
        if hasattr(field, "from_db_value")
    ]
    return sql, [field.attname for field in fields], converted


def _converter(field: Any) -> Convert:
    return lambda value: field.from_db_value(value, None, connection)


def fetch(
    model: type[Row], condition: str, values: Sequence[Any], *, only: tuple[str, ...] = ()
) -> list[Row]:
    """Return the model's rows for which `condition` (fixed SQL, with %s for values) holds.

    `only` names the attributes to read; the others are read when they are asked for.
    Raises DatabaseError.
    """
    sql, names, converted = _select(model, condition, only)
    with connection.cursor() as cursor:
        statements.run(cursor, sql, values)
        found = cursor.fetchall()
    if not converted:
        return [model.from_db(connection.alias, names, row) for row in found]
    rows = []
    for row in found:
        cells = list(row)
        for place, convert in converted:
            cells[place] = convert(cells[place])
        rows.append(model.from_db(connection.alias, names, cells))
    return rows


def first(
    model: type[Row], condition: str, values: Sequence[Any], *, only: tuple[str, ...] = ()
) -> Row | None:
    """Return the first such row, or None. Raises DatabaseError."""
    found = fetch(model, condition, values, only=only)
    return found[0] if found else None


def one(model: type[Row], pk: int, *, lock: bool = False) -> Row:
    """Return the row of that id, locked if asked. Raises ObjectDoesNotExist."""
    found = first(model, "id = %s FOR UPDATE" if lock else "id = %s", [pk])
    if found is None:
        raise ObjectDoesNotExist(f"{model._meta.label} {pk}")
    return found
