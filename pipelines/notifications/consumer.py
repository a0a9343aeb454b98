"""The outbox's consumer: an event becomes one notification for each person it concerns.

It runs in the transaction that marks the outbox's row as sent, so both happen or neither; and a
person is told once of an event whatever is repeated, for the database keeps the pair unique.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection

from personas.models import Outbox, User
from pipelines.notifications import kinds
from pipelines.notifications.audience import Told, told_of
from pipelines.notifications.models import Notification, Preferences
from pipelines.notifications.schedule import due_at
from pipelines.runs.queries.clock import now


def notify(row: Outbox) -> None:
    """Tell everybody whom the outbox's event concerns, but not who caused it."""
    told = told_of(row.event, row.topic)
    if told is None or not told.people:
        return
    people = list(
        User.objects.filter(pk__in=told.people, is_active=True, is_service=False)
        .exclude(pk=row.event.actor_id or 0)
        .order_by("pk")
    )
    if not people:
        return
    wishes = wishes_of(people) if settings.EMAIL_CONFIGURED else {}
    moment = now() if wishes else row.event.at
    made = [_told(row, told, user, wishes.get(user.pk), moment) for user in people]
    Notification.objects.bulk_create(made, ignore_conflicts=True)
    hint(user.pk for user in people)


def wishes_of(people: list[User]) -> dict[int, Preferences]:
    """Return how each of these people who have an address wishes to be told; one query."""
    given = Preferences.objects.in_bulk([user.pk for user in people])
    return {user.pk: given.get(user.pk) or Preferences(user=user) for user in people if user.email}


def hint(people: Iterable[int]) -> None:
    """Let open pages of these people ask again how much is new; delivered at commit."""
    names = [f"person:{pk}:0" for pk in people]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify('baton_changed', name) FROM unnest(%s::text[]) AS name", [names]
        )


def _told(
    row: Outbox, told: Told, user: User, wish: Preferences | None, moment: datetime
) -> Notification:
    mode = wish.mode(told.kind) if wish is not None else kinds.OFF
    mailed = wish is not None and mode != kinds.OFF
    return Notification(
        user=user,
        event_id=row.event_id,
        kind=told.kind,
        use_case_id=told.use_case,
        noun=told.noun,
        noun_id=told.noun_id,
        data=dict(told.data),
        created_at=row.event.at,
        mode=mode if mailed else "",
        mail_due_at=due_at(moment, mode, wish.habits(user.time_zone)) if wish and mailed else None,
    )
