"""One process's lanes: claim attempts and let them be performed, until nothing is left.

The worker process may be Celery's or `manage.py work`'s; neither needs Redis to make progress,
for the worker also looks once a second.
"""

import contextlib
import json
import logging
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psutil
import psycopg2.extras
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from personas.commands import away
from pipelines import catalogue, confinement
from pipelines.runs import claims, faults, keeping, presence
from pipelines.runs.lanes import Lane
from pipelines.runs.performance import Performance

logger = logging.getLogger(__name__)
psycopg2.extras.register_uuid()

DRAIN_ATTEMPTS: Final = 20
DRAIN_SECONDS: Final = 60.0
POLL_SECONDS = 1.0
SWITCH_SECONDS: Final = 0.0005
BEATS: Final = 4  # times within a lease that a worker says it is alive
# A run that is locked by a command hides what it has queued; a command takes milliseconds.
HIDDEN_WAITS: Final = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)


class Worker:
    """One process's lanes, with its incarnation: a fresh uuid per start, never a host name."""

    def __init__(self, *, queues: Sequence[str], lanes: int) -> None:
        self.queues = tuple(queues)
        self.incarnation = uuid4()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.scratch = settings.VAR / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        _remove_left(self.scratch)
        keeping.remove_old()
        logs = settings.VAR / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.needs = {name: catalogue.spec(name).queue for name in catalogue.names()}
        self.brought = catalogue.brought_operations()
        # Not all that is queued here: code of before an operation came in queues it under `cpu`.
        self.operations = sorted(name for name, queue in self.needs.items() if queue in queues)
        self.idle = [Lane(number, logs) for number in range(lanes)]
        self.lanes = tuple(self.idle)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.missed = False
        self.more = threading.Event()

    def warm(self) -> None:
        """Start every lane's child, so that the first attempt finds it ready."""
        for lane in self.lanes:
            lane.start()

    def drain(self) -> int:
        """Claim and perform until nothing is left (at most 20 attempts or 60 s); says how many."""
        done = 0
        while lane := self._take():
            try:
                done += self._drain(lane)
            finally:
                again = self._give_back(lane)
            if not again:
                break
        return done

    def _drain(self, lane: Lane) -> int:
        done, until = 0, time.monotonic() + DRAIN_SECONDS
        while self.perform_next(lane):
            done += 1
            if done >= DRAIN_ATTEMPTS or time.monotonic() > until:
                self.more.set()
                break
        return done

    def _take(self) -> Lane | None:
        with self.lock:
            if self.stopping.is_set():
                return None
            # A lane that is about to rest may have looked before the attempt we were woken for.
            self.missed = not self.idle
            return self.idle.pop() if self.idle else None

    def _give_back(self, lane: Lane) -> bool:
        """Free the lane; True where somebody wanted one meanwhile."""
        with self.lock:
            self.idle.append(lane)
            missed, self.missed = self.missed, False
        return missed

    def perform_next(self, lane: Lane) -> bool:
        """Claim one attempt and carry it to its end; False where there is none."""
        held = self._claim(self.owner_of(lane))
        if held is None:
            return False
        faults.point("after_claim")
        folder = self.folder_of(lane)
        Performance(lane, held, scratch=folder, stopping=self.stopping).run()
        return True

    def owner_of(self, lane: Lane) -> UUID:
        """Return who holds what the lane claims: this start of this process, and this lane.

        A crash of the database may undo a claim, and another lane take the attempt under the same
        token; they must not take each other's heartbeat for their own.
        """
        return UUID(int=self.incarnation.int ^ lane.number)

    def folder_of(self, lane: Lane) -> Path:
        """Return where the lane's attempts find inputs and leave outputs."""
        return self.scratch / f"{os.getpid()}-{lane.number}"

    def _claim(self, owner: UUID) -> claims.Claim | None:
        _renew_old_connection()
        for wait in (*HIDDEN_WAITS, None):
            if self.stopping.is_set():
                return None
            held = self._claim_once(owner)
            if held is not None:
                return held
            if wait is None or not claims.waiting(queues=self.queues, operations=self.operations):
                return None
            time.sleep(wait)
        return None

    def _claim_once(self, owner: UUID) -> claims.Claim | None:
        try:
            return self._ask(owner)
        except (DatabaseError, InterfaceError):
            # The connection died while the lane rested; a new one may do.
            close_old_connections()
            return self._ask(owner)

    def _ask(self, owner: UUID) -> claims.Claim | None:
        return claims.claim(
            queues=self.queues,
            operations=self.operations,
            owner=owner,
            worker=self.name,
            lease=settings.LEASE_SECONDS,
        )

    def poll(self) -> None:
        """Look once a second until stopped: progress does not depend on wake-up calls."""
        while not self.stopping.is_set():
            # A drain that ended early asks to go on at once.
            self.more.wait(POLL_SECONDS)
            self.more.clear()
            try:
                self.drain()
            # Whatever went wrong with one attempt, the others wait to be looked at.
            except Exception as error:
                if away(error):
                    logger.warning("database away: %s", error)
                    close_old_connections()
                else:
                    logger.exception("an attempt ended without being settled")
        connection.close()

    def attend(self) -> None:
        """Say again and again, until stopped, that this worker is alive and what it offers."""
        while not self.stopping.is_set():
            try:
                self.announce()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("presence: database away: %s", error)
                close_old_connections()
            self.stopping.wait(settings.LEASE_SECONDS / BEATS)
        connection.close()

    def announce(self) -> None:
        """Say once that this worker is alive; put right what older code queued elsewhere."""
        presence.beat(
            incarnation=self.incarnation,
            name=self.name,
            queues=self.queues,
            operations=self.operations,
            lanes=len(self.lanes),
            packages=[one.as_json() for one in self.brought],
            enforces=confinement.available(),
        )
        for queue in set(self.needs.values()):
            presence.correct(queue, [name for name, own in self.needs.items() if own == queue])

    def stop(self) -> None:
        """Hand every lease back: the lanes kill their children and release at the next beat."""
        self.stopping.set()
        self.more.set()

    @property
    def busy(self) -> bool:
        """Whether a lane still holds an attempt."""
        with self.lock:
            return len(self.idle) < len(self.lanes)


def _renew_old_connection() -> None:
    """Close a connection that is old; asking each time whether it lives costs a statement."""
    if connection.close_at is not None and time.monotonic() >= connection.close_at:
        connection.close_if_unusable_or_obsolete()


def _remove_left(scratch: Path) -> None:
    """Remove what killed workers left behind; folders begin with their process's id."""
    for folder in scratch.iterdir():
        owner = folder.name.split("-", 1)[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


_worker: Worker | None = None
_guard = threading.Lock()


def current(*, pollers: int = 1) -> Worker:
    """Return this process's worker, made at first use with its poll threads."""
    global _worker
    with _guard:
        if _worker is None:
            # A thread that answers the database must not wait 5 ms for one that computes: with the
            # default a step took three times as long while pokes came in.
            sys.setswitchinterval(SWITCH_SECONDS)
            _worker = Worker(queues=settings.WORKER_QUEUES, lanes=settings.WORKER_THREADS)
            _worker.warm()
            attending = threading.Thread(target=_worker.attend, daemon=True, name="presence")
            attending.start()
            for number in range(pollers):
                threading.Thread(target=_worker.poll, daemon=True, name=f"poll-{number}").start()
        return _worker


def shut_down(*, grace: float) -> None:
    """Hand back what this process holds; waits up to `grace` seconds for the lanes."""
    worker = _worker
    if worker is None:
        return
    worker.stop()
    with contextlib.suppress(DatabaseError, InterfaceError):
        presence.leave(worker.incarnation)
    until = time.monotonic() + grace
    while worker.busy and time.monotonic() < until:
        time.sleep(0.05)
    for lane in worker.lanes:
        with contextlib.suppress(OSError):
            lane.kill()
        shutil.rmtree(worker.folder_of(lane), ignore_errors=True)


def describe() -> str:
    """Return a line of JSON about this process's worker, for its log."""
    worker = current()
    return json.dumps({"worker": worker.name, "queues": worker.queues, "lanes": len(worker.lanes)})
