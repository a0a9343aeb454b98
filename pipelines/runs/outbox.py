"""The outbox: what is to be done after commit, at least once, by consumers that repeat safely."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.db.models import F
from django.utils.module_loading import import_string

from personas.models import BatonNow, Event, Outbox

logger = logging.getLogger(__name__)

BATCH = 50
MAX_TRIES = 8
BACKOFF = timedelta(seconds=10)
Consumer = Callable[[Outbox], None]


@lru_cache(maxsize=1)
def consumers() -> tuple[Consumer, ...]:
    """Return the consumers that the settings name by dotted path."""
    return tuple(import_string(path) for path in settings.OUTBOX_CONSUMERS)


class Deliverer:
    """Hands due outbox rows to every consumer; woken by a notification, or every few seconds."""

    def __init__(self, *, stopping: threading.Event) -> None:
        self.stopping = stopping
        self.woken = threading.Event()

    def wake(self) -> None:
        """Say that there is something new."""
        self.woken.set()

    def run(self) -> None:
        """Deliver until stopped."""
        while not self.stopping.is_set():
            self.woken.wait(2.0)
            self.woken.clear()
            try:
                while deliver():
                    pass
            except (DatabaseError, InterfaceError) as error:
                logger.warning("outbox: database away: %s", error)
                close_old_connections()


@transaction.atomic
def deliver() -> int:
    """Hand a batch of due rows to the consumers; returns how many there were.

    Replicas skip each other's rows. A consumer's failure is kept with the row, which is tried
    again with backoff, and dead-lettered after 8 tries.
    """
    rows = list(
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(sent_at=None, dead_at=None, due_at__lte=BatonNow())
        .order_by("due_at", "id")[:BATCH]
    )
    # By their ids, not joined: of a join with a limit PostgreSQL made one with all events ever.
    events = Event.objects.select_related("stream", "actor").in_bulk([row.event_id for row in rows])
    for row in rows:
        row.event = events[row.event_id]
    sent = [row.pk for row in rows if _deliver_one(row)]
    if sent:
        Outbox.objects.filter(pk__in=sent).update(sent_at=BatonNow(), tries=F("tries") + 1)
    return len(rows)


def _deliver_one(row: Outbox) -> bool:
    """Whether every consumer took the row; what one of them says against it is kept with it."""
    try:
        if consumers():
            with transaction.atomic():
                for consume in consumers():
                    consume(row)
    # Whatever a consumer does wrong must not keep the others' rows from going out.
    except Exception as error:
        logger.exception("outbox row %s", row.pk)
        row.tries += 1
        row.error = f"{type(error).__name__}: {error}"[:2000]
        dead = row.tries >= MAX_TRIES
        Outbox.objects.filter(pk=row.pk).update(
            tries=row.tries,
            error=row.error,
            due_at=BatonNow() + BACKOFF * 2**row.tries,
            dead_at=BatonNow() if dead else None,
        )
        return False
    return True
