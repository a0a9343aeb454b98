"""The embedded PostgreSQL and Valkey of the default set-up.

Any process may call `ensure`: the first one starts what is missing, behind a file lock, and the
others connect. The servers live in sessions of their own, listen on unix sockets only, and
survive the process that started them; `stop`, or the last `Hold` to be released, ends them.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from portal.embedded import postgres, valkey
from portal.embedded.identity import Identity, choose, nobody
from portal.embedded.places import EmbeddedError, Places

__all__ = [
    "EmbeddedError",
    "Hold",
    "Places",
    "configured",
    "ensure",
    "ensure_configured",
    "running",
    "running_configured",
    "stop",
]


@dataclass
class Hold:
    """This process's use of the servers; `started` names those it had to start itself."""

    places: Places
    descriptor: int
    started: list[str] = field(default_factory=list)

    def release(self) -> list[str]:
        """Give up the use, and stop the servers if nobody else uses them; returns their names."""
        if self.descriptor < 0:
            return []
        os.close(self.descriptor)
        self.descriptor = -1
        return stop(self.places, unless_used=True)


_HOLDS: dict[Path, Hold] = {}


def configured() -> Places:
    """Where the embedded servers of these settings live."""
    return Places(var=settings.VAR, sockets=settings.SOCKETS)


def ensure_configured() -> Hold | None:
    """Start what the settings do not replace by real servers; raises EmbeddedError."""
    if not (settings.EMBEDDED_DATABASE or settings.EMBEDDED_REDIS):
        return None
    return ensure(configured(), database=settings.EMBEDDED_DATABASE, redis=settings.EMBEDDED_REDIS)


def ensure(
    places: Places,
    *,
    database: bool = True,
    redis: bool = True,
    identity: Identity | None = None,
) -> Hold:
    """Connect to the servers, starting those that are down; raises EmbeddedError.

    The use is held until the process ends or releases it.
    """
    _make_folders(places)
    with _locked(places.lock):
        hold = _HOLDS.get(places.var)
        if hold is None or hold.descriptor < 0:
            hold = _HOLDS[places.var] = Hold(places, _use(places.users))
        if database and not postgres.answers(places):
            postgres.start(places, identity or choose())
            hold.started.append("PostgreSQL")
        if redis and not valkey.answers(places):
            valkey.start(places)
            hold.started.append("Valkey")
    return hold


def running(places: Places, *, database: bool = True, redis: bool = True) -> bool:
    """Whether the servers live: cheap enough to ask each second, unlike `ensure`."""
    return (not database or postgres.runs_here(places)) and (not redis or valkey.answers(places))


def running_configured() -> bool:
    """Whether those of these settings live."""
    return running(configured(), database=settings.EMBEDDED_DATABASE, redis=settings.EMBEDDED_REDIS)


def stop(places: Places, *, unless_used: bool = False) -> list[str]:
    """Stop both servers, or with `unless_used` only when no process holds them; returns names."""
    if not places.var.is_dir():
        return []
    with _locked(places.lock):
        if unless_used and _is_used(places.users):
            return []
        stopped = []
        if valkey.stop(places):
            stopped.append("Valkey")
        if postgres.stop(places):
            stopped.append("PostgreSQL")
        return stopped


def _make_folders(places: Places) -> None:
    """Make the folders; raises EmbeddedError when the socket folder is not privately ours."""
    try:
        for folder in (places.var, places.logs, places.redis, places.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise EmbeddedError(f"{problem.filename} cannot be made ({problem.strerror}).") from problem
    if places.sockets.is_relative_to(places.var):
        return
    # A folder in the shared temp dir could have been put there by somebody else.
    found = places.sockets.lstat()
    ours = {os.getuid(), nobody().uid} if os.getuid() == 0 else {os.getuid()}
    mine = not stat.S_ISLNK(found.st_mode) and found.st_uid in ours
    if not mine or stat.S_IMODE(found.st_mode) & 0o077:
        raise EmbeddedError(
            f"{places.sockets} exists but is not a private folder of yours; remove it."
        )
    (places.var / "sockets").write_text(str(places.sockets), encoding="utf-8")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Be the only process that starts or stops servers of this folder."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _use(path: Path) -> int:
    """Hold the shared lock that says: in use. The kernel drops it when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _is_used(path: Path) -> bool:
    """Whether any process still holds the shared lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
