"""Statements that PostgreSQL keeps ready: parsed once per connection, not each time.

A finished step sends some fifteen fixed statements, and PostgreSQL spent more time on reading and
planning them than on doing what they say (the claim: 1.2 ms, of which 0.1 ms for the work).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper

_PLACE = re.compile(r"%(?:\((\w+)\))?s")


class _Kept(NamedTuple):
    """What stands for a statement: its execution, and the named values' order (empty: as given)."""

    execute: str
    names: tuple[str, ...]


# What each connection keeps, by text; a connection that ends takes its statements with it.
_KEPT: WeakKeyDictionary[Any, dict[str, _Kept]] = WeakKeyDictionary()


def run(cursor: CursorWrapper, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> None:
    """Execute fixed SQL with %s or %(name)s for its values; the text must not depend on them.

    Raises DatabaseError, as `cursor.execute` does.
    """
    connection.ensure_connection()
    raw = connection.connection
    known = _KEPT.setdefault(raw, {})
    kept = known.get(sql)
    if kept is None:
        kept = known[sql] = _keep(raw, f"baton_{len(known)}", sql)
    given = [values[name] for name in kept.names] if isinstance(values, Mapping) else values
    cursor.execute(kept.execute, given)


def _keep(raw: Any, name: str, sql: str) -> _Kept:
    """Let the server keep the statement; it outlives the transaction, even one that fails."""
    names: list[str] = []
    count = 0

    def numbered(found: re.Match[str]) -> str:
        nonlocal count
        if found[1] is None:
            count += 1
            return f"${count}"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    text = _PLACE.sub(numbered, sql)
    with connection.wrap_database_errors, raw.cursor() as plain:
        plain.execute(f"PREPARE {name} AS {text}")
    places = ", ".join(["%s"] * (count or len(names)))
    return _Kept(f"EXECUTE {name} ({places})" if places else f"EXECUTE {name}", tuple(names))
