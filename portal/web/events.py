"""Live pages: one Redis subscription per process, fanned out to the browsers that listen.

A hint says only that a stream has changed; the page fetches itself again, which asks for rights
anew. So a lost hint costs liveness for a moment, and nothing that is streamed is secret.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import redis.asyncio as redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from personas.models import User
from portal import access

logger = logging.getLogger(__name__)

CHANNEL = "baton:changed"
ALL_OF_MINE = "me"
BEAT_SECONDS = 15.0  # below the minute after which proxies drop a silent connection
RETRY_MILLISECONDS = 1000
LATELY = timedelta(seconds=5)  # between a page's answer and its subscription
MOST_STREAMS = 50
MOST_LISTENERS = 2000
WAITING_HINTS = 200
BACKOFF_SECONDS = 2.0
SECONDS_OPEN = 3600.0  # then the browser comes again, and its rights are looked at again

CHANGED = "event: changed\ndata: {}\n\n"
NEWS = "event: news\ndata: {}\n\n"
CLOSE = ""


@dataclass(frozen=True)
class Scope:
    """What a listener is told of. `use_cases` None with `mine` means every use case."""

    streams: frozenset[str] = frozenset()
    mine: bool = False
    use_cases: frozenset[int] | None = frozenset()
    lately: bool = False
    person: str = ""  # the stream of whoever listens: their notifications


@dataclass(eq=False)
class Listener:
    """One open connection."""

    scope: Scope
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(WAITING_HINTS))

    def put(self, text: str) -> None:
        """Queue a message; a browser that does not read has enough hints already."""
        with contextlib.suppress(asyncio.QueueFull):
            self.queue.put_nowait(text)


class Hub:
    """All listeners of one event loop, and the one subscription that feeds them."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.use_case_of: dict[int, int | None] = {}
        self.task: asyncio.Task[None] | None = None

    def add(self, listener: Listener) -> None:
        """Begin to tell a listener; the first one starts the subscription."""
        self.listeners.add(listener)
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._run())

    def remove(self, listener: Listener) -> None:
        """Stop telling a listener; the last one ends the subscription."""
        self.listeners.discard(listener)
        if not self.listeners and self.task is not None:
            self.task.cancel()
            self.task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._subscribe()
            except (redis.RedisError, OSError) as error:
                logger.warning("events: Redis away: %s", error)
            await asyncio.sleep(BACKOFF_SECONDS)

    async def _subscribe(self) -> None:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        async with client, client.pubsub() as channel:
            await channel.subscribe(settings.REDIS_PREFIX + CHANNEL)
            for listener in self.listeners:  # what was said before is not said again
                listener.put(CHANGED)
            async for message in channel.listen():
                if message["type"] == "message":
                    await self.tell(json.loads(message["data"]))

    async def tell(self, hints: Iterable[str]) -> None:
        """Tell each listener of the changed streams ("run:3:17") that are in its scope."""
        streams = {hint.rpartition(":")[0] for hint in hints}
        runs = {int(s[4:]) for s in streams if s.startswith("run:")}
        if any(listener.scope.mine for listener in self.listeners):
            await self._learn(runs)
        touched = {self.use_case_of.get(run) for run in runs}
        seats = {int(s[9:]) for s in streams if s.startswith("use_case:")}
        for listener in list(self.listeners):
            self._tell_one(listener, streams, touched, seats)

    def _tell_one(
        self, listener: Listener, streams: set[str], touched: set[int | None], seats: set[int]
    ) -> None:
        scope = listener.scope
        if scope.person in streams:
            listener.put(NEWS)
        everything = scope.mine and scope.use_cases is None
        of_mine = scope.mine and (scope.use_cases or frozenset()) & (touched | seats)
        if everything or of_mine or scope.streams & streams:
            listener.put(CHANGED)
        elif scope.mine and seats:
            # It may have got a seat on a use case it did not know of: let it come again.
            listener.put(CLOSE)

    async def _learn(self, runs: set[int]) -> None:
        unknown = runs - set(self.use_case_of)
        if unknown:
            self.use_case_of.update(await sync_to_async(_use_cases_of)(unknown))


def _use_cases_of(runs: set[int]) -> dict[int, int | None]:
    try:
        return {**dict.fromkeys(runs), **access.use_case_ids_of(runs)}
    finally:
        connections.close_all()  # this thread's connection must not stay behind


_HUBS: dict[int, Hub] = {}


def _hub() -> Hub:
    return _HUBS.setdefault(id(asyncio.get_running_loop()), Hub())


async def events(request: HttpRequest) -> HttpResponseBase:
    """Stream hints of `?streams=run:3,use_case:2`, or of all that the person may see (`me`).

    204 where nothing may be told: a browser does not try again after that.
    """
    asked = [name for name in request.GET.get("streams", ALL_OF_MINE).split(",") if name]
    scope = await sync_to_async(_authorise)(request, asked[:MOST_STREAMS])
    if scope is None:
        return HttpResponse(status=204)
    if sum(len(hub.listeners) for hub in _HUBS.values()) >= MOST_LISTENERS:
        return HttpResponse("Too many pages are open; this one is not live.", status=503)
    answer = StreamingHttpResponse(_stream(scope), content_type="text/event-stream")
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"
    return answer


def _authorise(request: HttpRequest, asked: list[str]) -> Scope | None:
    """Return what the person may be told of, or None; afterwards no query is made."""
    try:
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return None
        known = frozenset(access.streams_seen(user, asked))
        mine = ALL_OF_MINE in asked
        if not known and not mine:
            return None
        visible = None if user.can("read_all") else frozenset(access.use_case_ids_seen(user))
        scope = Scope(known, mine, visible if mine else frozenset())
        lately = access.changed_lately(known, visible if mine else frozenset(), within=LATELY)
        person = ":".join(user.stream)
        return Scope(scope.streams, scope.mine, scope.use_cases, lately, person)
    finally:
        connections.close_all()  # the stream may stay open for an hour


async def _stream(scope: Scope) -> AsyncIterator[str]:
    hub, listener = _hub(), Listener(scope)
    until = asyncio.get_running_loop().time() + SECONDS_OPEN
    hub.add(listener)
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        if scope.lately:
            yield CHANGED
        while asyncio.get_running_loop().time() < until:
            try:
                text = await asyncio.wait_for(listener.queue.get(), BEAT_SECONDS)
            except TimeoutError:
                yield ": beat\n\n"
                continue
            if text == CLOSE:
                return
            yield text
    finally:
        hub.remove(listener)
