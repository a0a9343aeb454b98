"""The state of the process: what answers now, who was let in, what waits for the log."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from personas.errors import Conflict
from pipelines.registry.queries import model_named
from pipelines.serving.answer import Answered, Asked, answer
from pipelines.serving.log import LogWriter
from pipelines.serving.predict import Board, Line
from portal.serve.door import Door

T = TypeVar("T")

FOLLOW = 0.5  # seconds between two looks at the deployments table
THREADS = 4  # for what asks the database, and for large batches
SMALL = 100  # rows up to which scoring is quicker than changing threads

log = logging.getLogger("baton.serve")


@dataclass
class Desk:
    """Made once per process; `open` and `close` frame its life."""

    board: Board = field(default_factory=Board)
    door: Door = field(default_factory=Door)
    writer: LogWriter = field(default_factory=LogWriter)
    ready: bool = False
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "serve"))
    _follower: "asyncio.Task[None] | None" = None

    async def open(self) -> None:
        """Load what is deployed and begin to follow the table."""
        self.writer.start()
        self._follower = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Write the log's rest and end."""
        if self._follower is not None:
            self._follower.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self.writer.stop)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _follow(self) -> None:
        while True:
            try:
                changed = await self.aside(self.board.refresh)
                self.ready = True
                if changed:
                    log.info("now answering for: %s", ", ".join(self.board.lines) or "nothing")
            except (DatabaseError, InterfaceError):
                # What is loaded goes on answering; readiness says that the table is not seen.
                self.ready = False
                log.exception("the deployments cannot be read")
            await asyncio.sleep(FOLLOW)

    async def aside(self, call: Callable[..., T], *args: Any) -> T:
        """Run something that asks the database, or takes long, in a thread of our own."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _with_care, call, *args)

    async def line(self, name: str, secret: str) -> Line:
        """What answers for a model. Raises NotFound, Conflict where nothing approved does.

        Which models there are is told only to whom `user` would let in: HttpError 401, NotAllowed.
        """
        found = self.board.lines.get(name)
        if found is not None and found.all:
            return found
        await self.aside(self.door.holder, secret)
        model = await self.aside(model_named, name)
        await self.aside(self.door.let_in, secret, model)
        # Something may have been deployed within the last half second.
        await self.aside(self.board.refresh)
        found = self.board.lines.get(name)
        if found is not None and found.all:
            return found
        reason = found.broken if found is not None else ""
        raise Conflict(
            "not_deployed",
            reason or f"No approved version of {model} is deployed.",
            fallback=model.fallback,
        )

    async def user(self, secret: str, line: Line) -> int:
        """Who asks. Raises HttpError 401, NotAllowed."""
        known = self.door.remembered(secret, line.model)
        return known if known else await self.aside(self.door.let_in, secret, line.model)

    async def answer(self, line: Line, asked: Asked) -> tuple[str, list[Answered]]:
        """The request's id and the answers. Raises RowsError, Busy."""
        if len(asked.rows) <= SMALL:
            request, answers = answer(line, asked, self.writer)
        else:
            request, answers = await self.aside(answer, line, asked, self.writer)
        return str(request), answers


def _with_care(call: Callable[..., T], *args: Any) -> T:
    """A broken connection is not used again by the next call in this thread."""
    try:
        return call(*args)
    except (DatabaseError, InterfaceError):
        close_old_connections()
        connection.close()
        raise
