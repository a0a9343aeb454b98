"""Kept statements: the same answer as sent anew, whatever became of the connection."""

import pytest
from django.db import DatabaseError, connection, transaction

from personas import statements

ADD = "SELECT %s::int + %s::int"


def add(left: int, right: int) -> int:
    with connection.cursor() as cursor:
        statements.run(cursor, ADD, [left, right])
        return int(cursor.fetchone()[0])


def kept() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return {row[0] for row in cursor.fetchall()}


def test_a_statement_is_kept_once_and_takes_other_values(db: None) -> None:
    assert (add(1, 2), add(3, 4)) == (3, 7)
    assert sum("$1::int + $2::int" in text for text in kept()) == 1


def test_it_outlives_a_transaction_that_fails(db: None) -> None:
    with transaction.atomic():
        add(1, 1)
    with pytest.raises(DatabaseError, match="out of range"), transaction.atomic():
        add(2**31 - 1, 1)
    assert add(5, 6) == 11


def test_a_new_connection_keeps_its_own(transactional_db: None) -> None:
    assert add(1, 2) == 3
    connection.close()
    assert add(2, 3) == 5
    assert len(kept()) == 1
