"""What counts as "the database is away": a result must not be thrown away for it."""

import psycopg2
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError

from personas.commands import away
from personas.errors import Busy, Conflict
from portal.api.errors import kind_of


def raised(error: Exception, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


class Answered(psycopg2.DatabaseError):
    """What a living server said: it has an SQLSTATE."""

    pgcode = "42601"


CUT = psycopg2.DatabaseError("server closed the connection unexpectedly")


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (OperationalError("x"), True),
        (InterfaceError("connection already closed"), True),
        (Busy("busy", "x"), True),
        (raised(DatabaseError("server closed the connection unexpectedly"), CUT), True),
        (raised(ProgrammingError("no results to fetch"), psycopg2.ProgrammingError()), True),
        (raised(ProgrammingError("syntax error"), Answered()), False),
        (Conflict("x", "y"), False),
        (ValueError("x"), False),
    ],
)
def test_away(error: Exception, is_away: bool) -> None:
    assert away(error) is is_away
    if isinstance(error, DatabaseError | InterfaceError):
        assert (kind_of(error).status == 503) is is_away
