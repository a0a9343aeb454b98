"""Querysets that are composed once for each connection, not each time they are asked.

Django composes what a decision reads (who may see the gate, which seats and deputies there are)
in ten milliseconds, several times what PostgreSQL needs to answer; and PostgreSQL planned the same
five-table condition anew each time. A kept queryset is composed with stand-ins for its values,
and its text stays prepared; rows are made of the answer by Django's own iterable.
"""

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import QuerySet
from django.db.models.query import ModelIterable

from personas import statements

Row = TypeVar("Row", bound=models.Model)

_TOKEN: Final = re.compile(r"%[s%]")
# No id comes near, and no text looks like it: what stands for a value until there is one.
_FAR: Final = 4_611_686_018_427_387_904


class Kept(Generic[Row]):
    """A queryset with places for its values: whole numbers or text, named by `make`'s arguments.

    `make` is called once for each connection, so it must depend on nothing but its arguments. No
    prefetching; conditions on lists of values cannot be kept.
    """

    def __init__(self, make: Callable[..., QuerySet[Row]], **places: type[int] | type[str]) -> None:
        self.make = make
        self.places = places
        self.composed: WeakKeyDictionary[Any, _Composed] = WeakKeyDictionary()

    def all(self, **values: int | str) -> list[Row]:
        """Return the rows. Raises DatabaseError."""
        wrapper = connections[DEFAULT_DB_ALIAS]
        if wrapper not in self.composed:
            self.composed[wrapper] = self._compose()
        compiler, sql, fixed = self.composed[wrapper]
        with connection.cursor() as cursor:
            statements.run(cursor, sql, {**values, **fixed})
            found = cursor.fetchall()
        compiler.execute_sql = lambda **_how: [found]
        asked: Any = SimpleNamespace(
            db=DEFAULT_DB_ALIAS,
            query=SimpleNamespace(get_compiler=lambda **_using: compiler),
            _known_related_objects={},
        )
        return list(ModelIterable(asked))

    def first(self, **values: int | str) -> Row | None:
        """Return the first row, or None. Raises DatabaseError."""
        found = self.all(**values)
        return found[0] if found else None

    def _compose(self) -> "_Composed":
        stand_ins = {
            name: _FAR + number if kind is int else f"kept:{_FAR + number}"
            for number, (name, kind) in enumerate(self.places.items())
        }
        queryset = self.make(**stand_ins)
        compiler: Any = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        return _Composed(compiler, *_named(sql, params, stand_ins))


class _Composed(NamedTuple):
    """What makes rows of the answer, the text with named places, and values that never change."""

    compiler: Any
    sql: str
    fixed: dict[str, Any]


def _named(
    sql: str, params: tuple[Any, ...], stand_ins: Mapping[str, int | str]
) -> tuple[str, dict[str, Any]]:
    """Put names where stand-ins are; other values become part of the text, for PostgreSQL to plan.

    But those in which one could see a place: they have a name, too.
    """
    names = {value: name for name, value in stand_ins.items()}
    fixed: dict[str, Any] = {}
    left = iter(params)
    with connection.cursor() as cursor:

        def written(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%"
            value = next(left)
            if isinstance(value, int | str) and value in names:
                return f"%({names[value]})s"
            literal = cursor.mogrify("%s", [value]).decode()
            if "%" not in literal:
                return str(literal)
            fixed[f"fixed_{len(fixed)}"] = value
            return f"%(fixed_{len(fixed) - 1})s"

        return _TOKEN.sub(written, sql), fixed
