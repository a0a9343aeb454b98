"""One row, one statement: what `move` and `born` write, without the object mapper's detours.

`Model.save` costs about half a millisecond more each time (compiling, signals, a savepoint check),
and a finished step writes five rows. Nobody listens to signals of the engine's tables.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

from personas import statements


@lru_cache(maxsize=256)
def _update_sql(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    sql = f'UPDATE "{model._meta.db_table}" SET {columns} WHERE id = %s'  # noqa: S608
    return sql, fields


def update(row: models.Model, names: Sequence[str]) -> None:
    """Write the named fields of a saved row. Raises DatabaseError."""
    sql, fields = _update_sql(type(row), tuple(dict.fromkeys(names)))
    with connection.cursor() as cursor:
        statements.run(cursor, sql, [*(_stored(row, field) for field in fields), row.pk])


@lru_cache(maxsize=64)
def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def insert(row: models.Model) -> None:
    """Write a new row; its id, and what the database filled in, are set. Raises DatabaseError."""
    fields = _fields(type(row))
    given = [f for f in fields if not isinstance(getattr(row, f.attname), DatabaseDefault)]
    filled = [f for f in fields if f not in given]
    columns = ", ".join(f'"{field.column}"' for field in given)
    places = ", ".join(["%s"] * len(given))
    answer = ", ".join(["id", *(f'"{field.column}"' for field in filled)])
    sql = f'INSERT INTO "{row._meta.db_table}" ({columns}) VALUES ({places}) RETURNING {answer}'  # noqa: S608
    with connection.cursor() as cursor:
        statements.run(cursor, sql, [_stored(row, field) for field in given])
        row.pk, *values = cursor.fetchone()
    for field, value in zip(filled, values, strict=True):
        setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, connection.alias


def _stored(row: models.Model, field: Any) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)
