"""What hundreds of tests begin with: made once by its actions, then put back row by row.

Nine people and the seats of a use case are some twenty commands, more than half of the time of a
test of the domain. A process makes them once and remembers the rows that came of it; the next
test gets the same rows, ledger and all, in one round trip.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, ProgrammingError, connection, transaction

from personas.models import Clock

# By other means than a test's: they are the same in every test, or triggers fill them.
LEFT_ALONE = ("django_", "auth_", "search_")
TABLES = """
SELECT c.relname,
       array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attgenerated = ''),
       (SELECT array_agg(k.attname::text) FROM pg_index i JOIN pg_attribute k
           ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
         WHERE i.indrelid = c.oid AND i.indisprimary)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
 GROUP BY c.oid, c.relname ORDER BY c.relname"""
Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table by its name, the columns that are written, and those of its primary key."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]

    def rows(self) -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM \"{self.name}\" t")
            found: list[Row] = json.loads(cursor.fetchone()[0])
        return sorted(found, key=lambda row: [str(row[key]).zfill(20) for key in self.keys])

    def insert(self) -> str:
        """The statement that puts rows in; those that are there are made as they were."""
        columns = ", ".join(f'"{name}"' for name in self.columns)
        return (
            f'INSERT INTO "{self.name}" ({columns}) '
            f'SELECT {columns} FROM jsonb_populate_recordset(NULL::"{self.name}", %s)'
        )

    def overwrite(self) -> str:
        """What follows it where the rows may be there already."""
        keys = ", ".join(f'"{name}"' for name in self.keys)
        change = ", ".join(
            f'"{name}" = excluded."{name}"' for name in self.columns if name not in self.keys
        )
        return f" ON CONFLICT ({keys}) DO UPDATE SET {change}"

    def go_on_after(self) -> str:
        """The statement that lets no later row take the id of one that was put in."""
        sequence = f"pg_get_serial_sequence('\"{self.name}\"', 'id')"
        return f"SELECT setval({sequence}, greatest(nextval({sequence}), %s))"


def tables() -> Iterator[Table]:
    """All tables of Baton."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for name, columns, keys in cursor.fetchall():
            if not name.startswith(LEFT_ALONE):
                yield Table(name, tuple(columns), tuple(keys))


@dataclass
class Beginning:
    """Rows to begin with, known by one id. `shared` tables may have some of them already."""

    shared: Sequence[str] = ()
    known_by: int = 0
    statement: str = ""
    values: list[Any] = field(default_factory=list)

    def begin(self, by: Callable[[], int]) -> int:
        """Return the id: of the rows put in again, or of those made now.

        They are made the first time; where a test begins with them twice; by a role that may set no
        sequence; and where the clock was moved, for their times would lie elsewhere.
        """
        if Clock.objects.exists():
            return by()
        if not self.statement:
            self._make(by)
            return self.known_by
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(self.statement, self.values)
        except (IntegrityError, ProgrammingError):
            return by()
        return self.known_by

    def _make(self, by: Callable[[], int]) -> None:
        """Make them, and remember what has come or changed."""
        all_of_it = list(tables())
        before = {table.name: table.rows() for table in all_of_it}
        self.known_by = by()
        parts: list[str] = []
        for table in all_of_it:
            old = [] if table.name in self.shared else before[table.name]
            new = [row for row in table.rows() if row not in old]
            if not new:
                continue
            parts.append(table.insert() + (table.overwrite() if table.name in self.shared else ""))
            self.values.append(json.dumps(new))
            if "id" in table.columns:
                parts.append(table.go_on_after())
                self.values.append(max(row["id"] for row in new))
        self.statement = "; ".join(parts)
