"""Reads of people and of the ledger."""

import json
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet

from personas import statements
from personas.calendars import Calendar, default_calendar
from personas.kept import Kept
from personas.ledger import Break, verify_checkpoints, verify_stream
from personas.models import BatonNow, BusinessCalendar, Checkpoint, Event, Stream, Token


def _tokens(digest: str) -> QuerySet[Token]:
    return (
        Token.objects.select_related("user")
        .filter(digest=digest, revoked_at=None, user__is_active=True)
        .filter(Q(expires_at__gt=BatonNow()))
        .annotate(asked_at=BatonNow())
    )


_TOKEN: Final = Kept(_tokens, digest=str)


def token_for(secret: str) -> Token | None:
    """Return the valid token of this secret, with its person, or None."""
    return _TOKEN.first(digest=Token.hash(secret))


def events_of(kind: str, key: str) -> QuerySet[Event]:
    """Return the events of one stream, newest first, with their people."""
    return (
        Event.objects.filter(stream__kind=kind, stream__key=key)
        .select_related("actor", "stream")
        .order_by("-seq")
    )


def streams() -> QuerySet[Stream]:
    """Return all streams, ordered by kind and key."""
    return Stream.objects.order_by("kind", "key")


# Every deadline asks for it. As texts, by which a calendar that was read once is known again.
CALENDARS = """
SELECT persona_id, zone, hours::text, array_to_string(holidays, ',')
  FROM personas_businesscalendar WHERE persona_id = ANY(%s)"""


# Asked whenever a hand-off is prepared.
POINTS = """
SELECT code, ml_point, deployment_point FROM personas_persona WHERE code IN (%s, %s)"""


def gap(giver: str, receiver: str, *, axis: str) -> int:
    """Return the distance (0-100 points) of two personas on axis `ml` or `deployment`; one query.

    By the points as this installation has them; 0 where a persona is unknown.
    """
    with connection.cursor() as cursor:
        statements.run(cursor, POINTS, [giver, receiver])
        points = {code: ml if axis == "ml" else other for code, ml, other in cursor.fetchall()}
    if giver not in points or receiver not in points:
        return 0
    return abs(int(points[giver]) - int(points[receiver]))


def first_break() -> Break | None:
    """Recompute every chain and seal; return the first broken row, or None where all hold."""
    for stream in streams().iterator():
        broken = verify_stream(stream)
        if broken is not None:
            return broken
    return verify_checkpoints()


def last_seal() -> Checkpoint | None:
    """Return the newest seal over the heads of all streams, or None before the first."""
    return Checkpoint.objects.defer("heads").order_by("-id").first()


def calendars_of(personas: Iterable[str]) -> dict[str, Calendar]:
    """Return when each of these personas works, by code; one query."""
    codes = dict.fromkeys(personas)
    with connection.cursor() as cursor:
        statements.run(cursor, CALENDARS, [list(codes)])
        found = {code: _calendar(*said) for code, *said in cursor.fetchall()}
    return {code: found.get(code) or default_calendar(code) for code in codes}


@lru_cache(maxsize=64)
def _calendar(zone: str, hours: str, holidays: str) -> Calendar:
    row = BusinessCalendar(zone=zone, hours=json.loads(hours))
    row.holidays = [date.fromisoformat(day) for day in filter(None, holidays.split(","))]
    return row.calendar()
