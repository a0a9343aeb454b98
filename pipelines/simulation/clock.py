"""The simulation clock: the offset row of this database, set and used in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction

from personas.models import Clock

# now() is the transaction's start: set so, baton_now() stands at the moment until the commit, and
# what is written then carries exactly that time.
SET = 'UPDATE personas_clock SET "offset" = %s::timestamptz - now()'


def make() -> None:
    """Let this database have a clock of its own. Raises DatabaseError where it is no simulation."""
    Clock.objects.get_or_create(id=1, defaults={"offset": timedelta(0), "simulation": True})


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let what happens inside happen at that moment."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SET, [moment])
        yield
