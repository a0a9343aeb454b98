"""One port for all: event streams in Django's ASGI application, everything else in threads.

Synchronous views under Django's ASGI handler open a database connection per request. The
lasting threads of the WSGI side keep theirs, and answer about three times as many pages.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

EVENTS = "/events/"
# A thread that the database has answered must not wait 5 ms, at each of twenty queries, for one
# that computes: with twenty people deciding that made most of the slowest answers' time.
SWITCH_SECONDS = 0.0005

# Each package types the same protocol with names of its own.
Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

sys.setswitchinterval(SWITCH_SECONDS)
_events = cast(Application, get_asgi_application())
_pages = cast(
    Application, WSGIMiddleware(cast(Any, get_wsgi_application()), workers=settings.WEB_THREADS)
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one connection."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http" and scope["path"].startswith(EVENTS):
        await _events(scope, receive, send)
    else:
        await _pages(scope, _coroutine(receive), send)


def _coroutine(receive: Receive) -> Receive:
    """Granian's receive answers a future; a2wsgi takes nothing but a coroutine."""

    async def received() -> Any:
        return await receive()

    return received


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's questions at start and end; there is nothing to prepare."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
