"""The database's clock, which ages and deadlines on pages are measured by."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """Return the database's time; one query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT baton_now()")
        found: datetime = cursor.fetchone()[0]
    return found
