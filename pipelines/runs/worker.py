"""The life of one attempt: claim it, let a supervised child compute it, settle it.

The worker process may be Celery's or `manage.py work`'s; neither needs Redis to make progress,
for the worker also looks once a second.
"""

import contextlib
import json
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2.extras
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from personas.errors import DomainError
from pipelines import catalogue
from pipelines.artefacts.actions import storage
from pipelines.artefacts.storage import AlteredContent, MissingContent, StorageError
from pipelines.operations.contract import OperationError
from pipelines.runs import claims, faults
from pipelines.runs.actions import steps
from pipelines.runs.claims import Claim
from pipelines.runs.lanes import Lane, Result, Stop, Work
from pipelines.runs.models import Run, Stage, Step

logger = logging.getLogger(__name__)
psycopg2.extras.register_uuid()

DRAIN_ATTEMPTS = 20
DRAIN_SECONDS = 60.0
POLL_SECONDS = 1.0
HEARTBEATS_PER_LEASE = 4
STALE_SHARE = 0.8  # of the lease without a heartbeat: stop before somebody else starts


class Worker:
    """One process's lanes, with its incarnation: a fresh uuid per start, never a host name."""

    def __init__(self, *, queues: Sequence[str], lanes: int) -> None:
        self.queues = tuple(queues)
        self.incarnation = uuid4()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.scratch = settings.VAR / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        logs = settings.VAR / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.operations = sorted(catalogue.OPERATIONS)
        self.idle = [Lane(number, logs) for number in range(lanes)]
        self.lanes = tuple(self.idle)
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def warm(self) -> None:
        """Start every lane's child, so that the first attempt finds it ready."""
        for lane in self.lanes:
            lane.start()

    def drain(self) -> int:
        """Claim and perform until nothing is left (at most 20 attempts or 60 s); return how many."""
        lane = self._take()
        if lane is None:
            return 0  # Every lane is busy, and each claims again before it rests.
        done, until = 0, time.monotonic() + DRAIN_SECONDS
        try:
            while done < DRAIN_ATTEMPTS and time.monotonic() < until:
                if not self.perform_next(lane):
                    break
                done += 1
        finally:
            with self.lock:
                self.idle.append(lane)
        return done

    def _take(self) -> Lane | None:
        with self.lock:
            if self.stopping.is_set() or not self.idle:
                return None
            return self.idle.pop()

    def perform_next(self, lane: Lane) -> bool:
        """Claim one attempt and carry it to its end; False where there is none."""
        if self.stopping.is_set():
            return False
        close_old_connections()
        held = claims.claim(
            queues=self.queues,
            operations=self.operations,
            owner=self.incarnation,
            worker=self.name,
            lease=settings.LEASE_SECONDS,
        )
        if held is None:
            return False
        faults.point("after_claim")
        Performance(self, lane, held).run()
        return True

    def poll(self) -> None:
        """Look once a second until stopped: progress does not depend on wake-up calls."""
        while not self.stopping.wait(POLL_SECONDS):
            try:
                self.drain()
            except (OperationalError, InterfaceError) as error:
                logger.warning("database away: %s", error)
                close_old_connections()

    def stop(self) -> None:
        """Hand every lease back: the lanes kill their children and release at the next beat."""
        self.stopping.set()


class Performance:
    """One claim on its way to an end state."""

    def __init__(self, worker: Worker, lane: Lane, held: Claim) -> None:
        self.worker = worker
        self.lane = lane
        self.held = held
        self.lease = settings.LEASE_SECONDS
        self.last_beat = time.monotonic()

    def run(self) -> None:
        """Perform and settle; a claim that was taken over meanwhile ends without a trace."""
        folder = Path(tempfile.mkdtemp(dir=self.worker.scratch, prefix=f"{self.held.id}-"))
        try:
            result = self._compute(folder)
            self._settle(result)
        except DomainError as error:
            logger.info("attempt %s: %s", self.held.id, error.message)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _compute(self, folder: Path) -> Result:
        try:
            work = self._work(folder)
        except (MissingContent, AlteredContent) as error:
            return Result(
                "error",
                {
                    "error": {
                        "code": "content_lost",
                        "message": str(error),
                        "retryable": True,
                    }
                },
            )
        except StorageError as error:
            return Result(
                "error",
                {
                    "error": {
                        "code": "storage",
                        "message": str(error),
                        "retryable": True,
                    }
                },
            )
        except OperationError as error:
            return Result("error", {"error": error.as_json()})
        except _NotYet as waiting:
            return Result("not_yet", {"seconds": waiting.seconds, "reason": waiting.reason})
        beat_every = min(self.lease / HEARTBEATS_PER_LEASE, 1.0)
        result = self.lane.perform(work, self._beat, beat_every=beat_every)
        if result.kind == "done":
            result = self._keep(result)
        return result

    def _work(self, folder: Path) -> Work:
        spec = catalogue.spec(self.held.operation)
        inputs, many = self._inputs(folder)
        outputs = folder / "out"
        outputs.mkdir()
        return Work(
            operation=spec.name,
            params=self.held.params,
            inputs=inputs,
            many=many,
            seed=self.held.seed,
            folder=outputs,
            max_runtime=spec.max_runtime,
            max_memory=spec.max_memory,
        )

    def _inputs(self, folder: Path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """Fetch and verify what the operation reads; a name with an extension keeps its format."""
        spec = catalogue.spec(self.held.operation)
        place = folder / "in"
        place.mkdir()
        inputs: dict[str, str] = {}
        many: dict[str, dict[str, str]] = {}
        store = storage()
        for port, parts in self.held.inputs.get("ports", {}).items():
            paths = {}
            for part in parts:
                path = place / f"{port}-{part['name']}.{part['media']}"
                path.symlink_to(store.local(part["digest"], place).absolute())
                paths[part["name"]] = str(path)
            if spec.input(port).many:
                many[port] = paths
            else:
                inputs[port] = next(iter(paths.values()))
        for port, feed in self.held.inputs.get("feeds", {}).items():
            path = self._feed(feed, place)
            if path is not None:
                inputs[port] = str(path)
        return inputs, many

    def _feed(self, name: str, place: Path) -> Path | None:
        step = Step.objects.select_related("stage", "run__use_case").get(pk=self.held.step_id)
        run: Run = step.run
        stage: Stage = step.stage
        path: Path | None = catalogue.feed(name)(
            run=run, stage=stage, folder=place, params=self.held.params
        )
        if path is not None:
            digest, size = storage().put(path)
            self.held.inputs.setdefault("made", {})[name] = {"digest": digest, "size": size}
        return path

    def _beat(self, message: dict[str, Any] | None) -> None:
        """Keep the lease; raises Stop when cancelled, fenced, stopping, or out of touch."""
        if self.worker.stopping.is_set():
            raise Stop("released")
        try:
            if message is None:
                cancel = claims.heartbeat(self.held, lease=self.lease)
            else:
                cancel = claims.progress(
                    self.held,
                    lease=self.lease,
                    fraction=message["fraction"],
                    text=message["message"],
                    rows=message["rows"],
                )
        except (OperationalError, InterfaceError):
            close_old_connections()
            if time.monotonic() - self.last_beat > STALE_SHARE * self.lease:
                raise Stop("out_of_touch") from None
            return
        if cancel is None:
            raise Stop("fenced")
        if cancel:
            raise Stop("cancelled")
        self.last_beat = time.monotonic()

    def _keep(self, result: Result) -> Result:
        """Put the outputs into storage: files first, rows in the completing transaction."""
        spec = catalogue.spec(self.held.operation)
        outputs = {}
        try:
            for name, path in result.message["outputs"].items():
                digest, size = storage().put(Path(path))
                outputs[name] = {
                    "digest": digest,
                    "size": size,
                    "media": spec.output(name).media,
                    "name": name,
                }
        except StorageError as error:
            return Result(
                "error",
                {
                    "error": {
                        "code": "storage",
                        "message": str(error),
                        "retryable": True,
                    }
                },
            )
        except KeyError as error:
            return Result(
                "error",
                {
                    "error": {
                        "code": "undeclared_output",
                        "message": f"{spec.name} declares no output {error}.",
                    }
                },
            )
        result.message["outputs"] = outputs
        faults.point("after_files")
        return result

    def _settle(self, result: Result) -> None:
        """Write the end state; tried again while the database is away, as long as the lease lives."""
        while True:
            try:
                self._settle_once(result)
            except (OperationalError, InterfaceError) as error:
                close_old_connections()
                if time.monotonic() - self.last_beat > STALE_SHARE * self.lease:
                    logger.warning("attempt %s: gave up settling: %s", self.held.id, error)
                    return
                time.sleep(0.2)
            else:
                faults.point("after_commit")
                return

    def _settle_once(self, result: Result) -> None:
        message, held = result.message, self.held
        if result.kind == "done":
            steps.complete(
                held=held,
                outputs=message["outputs"],
                facts=message["facts"],
                usage=message["usage"],
                log=result.log,
            )
        elif result.kind == "not_yet":
            steps.defer(held=held, seconds=message["seconds"], reason=message["reason"])
        elif result.kind == "stopped" and message["reason"] == "cancelled":
            steps.cancelled(held=held)
        elif result.kind == "stopped" and message["reason"] == "released":
            steps.release(held=held)
        elif result.kind == "stopped":
            logger.warning("attempt %s stopped: %s", held.id, message["reason"])
        elif result.kind == "lost":
            steps.lose(attempt_id=held.id, error=message["error"], token=held.token)
        else:
            steps.fail(
                held=held,
                error=message["error"],
                usage=message.get("usage", {}),
                log=result.log,
                timed_out=result.kind == "timed_out",
            )


class _NotYet(Exception):
    """A feed has nothing to give yet."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


_worker: Worker | None = None
_guard = threading.Lock()


def current() -> Worker:
    """Return this process's worker, made at first use with its poll thread."""
    global _worker
    with _guard:
        if _worker is None:
            _worker = Worker(queues=settings.WORKER_QUEUES, lanes=settings.WORKER_THREADS)
            _worker.warm()
            threading.Thread(target=_worker.poll, daemon=True, name="poll").start()
        return _worker


def shut_down(*, grace: float) -> None:
    """Hand back what this process holds; waits up to `grace` seconds for the lanes."""
    worker = _worker
    if worker is None:
        return
    worker.stop()
    until = time.monotonic() + grace
    while len(worker.idle) < len(worker.lanes) and time.monotonic() < until:
        time.sleep(0.05)
    for lane in worker.lanes:
        with contextlib.suppress(OSError):
            lane.kill()


def describe() -> str:
    """Return a line of JSON about this process's worker, for its log."""
    worker = current()
    return json.dumps({"worker": worker.name, "queues": worker.queues, "lanes": len(worker.lanes)})
