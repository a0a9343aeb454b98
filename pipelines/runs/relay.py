"""The relay: PostgreSQL's notifications become Redis wake-up calls. All of it may be lost safely.

Only the engine process speaks to the broker, so that a dead broker never slows a person's request.
"""

import contextlib
import json
import logging
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import redis
from celery import current_app
from celery.exceptions import OperationalError as BrokerError
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

CHANNELS = ("baton_poke", "baton_changed", "baton_outbox")
CHANGED = "baton:changed"
HINT_SECONDS = 0.05  # pages may learn of a change so much later; a poke never waits
REST_SECONDS = 1.0  # after the broker refused, so that its silence does not stall the rest


class Relay:
    """Listens to the database and publishes; one per engine process, any number of those."""

    def __init__(self, *, on_outbox: Callable[[], None], stopping: threading.Event) -> None:
        self.on_outbox = on_outbox
        self.stopping = stopping
        self.quiet_until = 0.0
        self.changed: dict[str, None] = {}  # what pages are to be told, in order, each once
        self.hint_at = 0.0
        self.redis = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
        )

    def run(self) -> None:
        """Relay until stopped; the database may go away and come back."""
        while not self.stopping.is_set():
            try:
                self._listen()
            except (OperationalError, InterfaceError, psycopg2.Error) as error:
                logger.warning("relay: database away: %s", error)
                self._close()
                self.stopping.wait(0.5)

    def _close(self) -> None:
        # Polling happens below Django, which therefore does not see that the connection is dead.
        with contextlib.suppress(OperationalError, InterfaceError, psycopg2.Error):
            connection.close()

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            for channel in CHANNELS:
                cursor.execute(f"LISTEN {channel}")
        raw: Any = connection.connection
        # What was said while nobody listened: deliver and poke once, without waiting for a sweep.
        self.on_outbox()
        while not self.stopping.is_set():
            wait = max(0.0, self.hint_at - time.monotonic()) if self.changed else 0.5
            ready, _, _ = select.select([raw], [], [], wait)
            if ready:
                raw.poll()
                notes, raw.notifies = list(raw.notifies), []
                self._publish([(note.channel, note.payload) for note in notes])
            self._tell_pages()

    def _publish(self, notes: list[tuple[str, str]]) -> None:
        if any(channel == "baton_outbox" for channel, _ in notes):
            self.on_outbox()
        for payload in dict.fromkeys(p for channel, p in notes if channel == "baton_poke"):
            queue, _, hint = payload.partition(":")
            self.poke(queue, int(hint or 0))
        self.changed |= dict.fromkeys(p for channel, p in notes if channel == "baton_changed")

    def _tell_pages(self) -> None:
        """Name the changed streams, the first at once and then every 50 ms: a step has six."""
        if self.changed and time.monotonic() >= self.hint_at:
            channel, told = settings.REDIS_PREFIX + CHANGED, json.dumps(list(self.changed))
            self._guarded(lambda: self.redis.publish(channel, told))
            self.changed = {}
            self.hint_at = time.monotonic() + HINT_SECONDS

    def poke(self, queue: str, hint: int) -> bool:
        """Wake a worker of the queue; False where the broker is away (the sweeper pokes again)."""
        return self._guarded(
            lambda: current_app.send_task(
                "poke", args=(queue, hint), queue=queue, ignore_result=True, retry=False
            )
        )

    def _guarded(self, publish: Callable[[], object]) -> bool:
        if time.monotonic() < self.quiet_until:
            return False
        try:
            publish()
        except (redis.RedisError, OSError, BrokerError) as error:
            logger.warning("relay: broker away: %s", error)
            self.quiet_until = time.monotonic() + REST_SECONDS
            return False
        return True
