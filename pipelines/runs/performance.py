"""The life of one attempt: fetch its inputs, let a supervised child compute, settle it."""

import contextlib
import logging
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from personas.commands import away
from personas.errors import Busy, DomainError
from pipelines import catalogue
from pipelines.artefacts import connections
from pipelines.artefacts.actions import storage
from pipelines.artefacts.storage import AlteredContent, MissingContent, StorageError
from pipelines.operations.contract import Json, NotYet, OperationError
from pipelines.runs import admission, apart, claims, faults, healing, keeping, removal
from pipelines.runs.actions import attempts
from pipelines.runs.actions.settling import Fenced
from pipelines.runs.child import NO_ROOM
from pipelines.runs.claims import Claim
from pipelines.runs.lanes import Lane, Result, Stop, Work
from pipelines.runs.models import Attempt, Run, Step

logger = logging.getLogger(__name__)

HEARTBEATS_PER_LEASE: Final = 4
STALE_SHARE: Final = 0.8  # of the lease without a heartbeat: stop before somebody else starts


class Performance:
    """One claim on its way to an end state."""

    def __init__(
        self, lane: Lane, held: Claim, *, scratch: Path, stopping: threading.Event
    ) -> None:
        self.lane = lane
        self.held = held
        self.scratch = scratch
        self.stopping = stopping
        self.lease = settings.LEASE_SECONDS
        self.beat_every = min(self.lease / HEARTBEATS_PER_LEASE, 1.0)
        self.last_beat = time.monotonic()

    def run(self) -> None:
        """Perform and settle; a claim that was taken over meanwhile ends without a trace."""
        try:
            self._settle(self._compute(self.scratch))
        finally:
            _cleared(self.scratch)

    def _compute(self, folder: Path) -> Result:
        try:
            folder = _cleared(folder)
            work = self._work(folder, self.held)
            self._intend()
            result = self._perform(work)
            return self._keep(result) if result.kind == "done" else result
        except StorageError as error:
            return _failed("storage", str(error), retryable=True)
        except OperationError as error:
            return Result("error", {"error": error.as_json()})
        except catalogue.Unknown as error:
            return Result("awaits_code", {"reason": f"{error.waits_for}: {error}."})
        except _FeedWaits as waiting:
            return Result("not_yet", {"seconds": waiting.seconds, "reason": str(waiting)})
        except Stop as stop:
            return Result("stopped", {"reason": stop.reason})
        except faults.InjectedFault:
            raise
        # Else the attempt would hold its lease to the end, three times, and nobody knew why.
        except Exception as error:
            if away(error):
                close_old_connections()
                return _failed("database", str(error), retryable=True)
            logger.exception("attempt %s could not be supervised", self.held.id)
            message = f"{type(error).__name__}: {error}".replace("\0", "")
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                return _failed("storage", message, retryable=True)
            return _failed("supervision", message)

    def _perform(self, work: Work) -> Result:
        """Let the child do it. Raises Unknown where a package is not what this worker knows."""
        result = apart.perform(self.lane, work, self._beat, beat_every=self.beat_every)
        return result if work.brought is None else admission.judge(work, result)

    def _work(self, folder: Path, held: Claim) -> Work:
        spec = catalogue.spec(held.operation)
        found = admission.known(held)
        inputs, many = self._inputs(folder, held)
        outputs = folder / "out"
        outputs.mkdir(exist_ok=True)
        return Work(
            operation=spec.name,
            params=held.params,
            inputs=inputs,
            many=many,
            seed=held.seed,
            folder=outputs,
            max_runtime=spec.max_runtime,
            max_memory=spec.max_memory,
            threads=settings.STEP_THREADS,
            kept=keeping.place_of(held),
            connection=self._connection(held) if spec.connects and found is None else None,
            brought=found,
            digests=admission.copied(held, inputs, many) if found else {},
        )

    def _connection(self, held: Claim) -> dict[str, Json] | None:
        """What the named connection leads to; raises OperationError where it may not be used."""
        if not held.params.get("connection"):
            return None
        use_case = Run.objects.select_related("use_case").get(pk=held.run_id).use_case
        return connections.opened(str(held.params.get("connection", "")), use_case=use_case.key)

    def _inputs(
        self, folder: Path, held: Claim
    ) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """Fetch and verify what the operation reads; the extension tells the format."""
        spec = catalogue.spec(held.operation)
        place = folder / "in"
        place.mkdir(exist_ok=True)
        inputs: dict[str, str] = {}
        many: dict[str, dict[str, str]] = {}
        for port, parts in held.inputs.get("ports", {}).items():
            paths = {}
            for number, part in enumerate(parts):
                # People name the parts: a name is no path, and may be longer than a file's.
                path = place / f"{port}-{number}.{part['media']}"
                admission.lend(held, self._local(part["digest"], place), path)
                paths[part["name"]] = str(path)
                self._beat_if_due()
            if spec.input(port).many:
                many[port] = paths
            elif paths:  # an optional input of the run may not have been given
                inputs[port] = next(iter(paths.values()))
        for port, feed in held.inputs.get("feeds", {}).items():
            made = self._feed(feed, place)
            if made is not None:
                inputs[port] = str(made)
            self._beat_if_due()
        return inputs, many

    def _local(self, digest: str, place: Path) -> Path:
        """Return verified content; what storage lost or altered is computed again."""
        store = storage()
        try:
            return store.local(digest, place)
        except (AlteredContent, MissingContent) as error:
            maker = healing.maker_of(digest, run_id=self.held.run_id)
            if maker is None:
                raise
            logger.warning("attempt %s: %s It is computed again.", self.held.id, error)
            self._recompute(maker, digest, place)
            with contextlib.suppress(Busy):
                healing.note(self.held, maker, digest=digest, found=str(error))
        return store.local(digest, place)

    def _recompute(self, maker: Attempt, digest: str, place: Path) -> None:
        """Let the child make the content once more. Raises OperationError where it differs."""
        folder = place / f"again-{maker.pk}"
        folder.mkdir(exist_ok=True)
        work = self._work(folder, healing.as_it_was(self.held, maker))
        result = self._perform(work)
        if result.kind == "stopped":
            raise Stop(result.message["reason"])
        paths = result.message["outputs"].values() if result.kind == "done" else ()
        made = {storage().put(Path(path), anew=True)[0] for path in paths}
        if digest not in made:
            said = result.message.get("error", {}).get("message", "it came out differently")
            raise OperationError(
                "content_lost",
                f"{digest[:12]}… is not as it was stored; computing it again failed: {said}",
                value=digest,
            )

    def _feed(self, name: str, place: Path) -> Path | None:
        """Let the system make an input just now; a feed may say that there is nothing yet."""
        step = Step.objects.select_related("stage", "run__use_case").get(pk=self.held.step_id)
        made = catalogue.feed(name)(
            run=step.run, stage=step.stage, folder=place, params=self.held.params
        )
        if isinstance(made, NotYet):
            raise _FeedWaits(made.reason, seconds=made.seconds)
        if not isinstance(made, Path):
            return None
        digest, size = storage().put(made)
        self.held.inputs.setdefault("made", {})[name] = {"digest": digest, "size": size}
        return made

    def _intend(self) -> None:
        """Before what must not be done twice: have the claim on the disk. Raises Stop if it is not.

        Claims do not wait for the disk, so a crash of the database may undo one.
        """
        if catalogue.spec(self.held.operation).repeatable:
            return
        if claims.heartbeat(self.held, lease=self.lease, durable=True) is None:
            raise Stop("fenced")

    def _beat_if_due(self) -> None:
        if time.monotonic() - self.last_beat >= self.beat_every:
            self._beat(None)

    def _beat(self, message: dict[str, Any] | None) -> None:
        """Keep the lease; raises Stop when cancelled, fenced, stopping, or out of touch."""
        if self.stopping.is_set():
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
        except (DatabaseError, InterfaceError) as error:
            if not away(error):
                raise
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
        declared = {port.name: port.media for port in spec.outputs}
        outputs = {}
        for name, path in result.message["outputs"].items():
            if name not in declared:
                return _failed("undeclared_output", f"{spec.name} declares no output {name!r}.")
            digest, size = storage().put(Path(path))
            outputs[name] = {"digest": digest, "size": size, "media": declared[name], "name": name}
            self._beat_if_due()
        result.message["outputs"] = outputs
        faults.point("after_files")
        return result

    def _settle(self, result: Result) -> None:
        """Write the end state; again while run or database is busy or away and the lease lives."""
        wanted: Result | None = result
        while wanted is not None:
            try:
                self._settle_once(wanted)
                faults.point("after_commit")
                return
            except Fenced as error:
                logger.warning("attempt %s: %s", self.held.id, error.message)
                return
            except faults.InjectedFault:
                raise
            except Exception as error:
                wanted = self._instead(wanted, error)

    def _instead(self, result: Result, error: Exception) -> Result | None:
        """Return what to settle after an error: the same again, or what it made of it.

        None where the lease may be over. An effect or a check that cannot take the result is said
        on the step, not swallowed.
        """
        if isinstance(error, Busy) and error.code == "newer_code":
            logger.warning("attempt %s: %s", self.held.id, error.message)
            if result.kind == "awaits_code" and self._waited_in_vain(error):
                return None
            return self._left_to_newer_code(result, error)
        if away(error):
            return None if self._waited_in_vain(error) else result
        if result.kind == "settling":
            raise error
        if isinstance(error, DomainError):
            logger.warning("attempt %s: its result was not accepted: %s", self.held.id, error)
            return _failed(error.code, f"The result was not accepted: {error}", kind="settling")
        logger.error("attempt %s: its result was not accepted", self.held.id, exc_info=error)
        message = f"The result was not accepted: {type(error).__name__}: {error}"
        return _failed("not_accepted", message, kind="settling")

    def _waited_in_vain(self, error: Exception) -> bool:
        """Wait a little for run or database; True where the lease may be over meanwhile."""
        close_old_connections()
        if time.monotonic() - self.last_beat > STALE_SHARE * self.lease:
            logger.warning("attempt %s: gave up settling: %s", self.held.id, error)
            return True
        time.sleep(0.2)
        return False

    def _left_to_newer_code(self, result: Result, error: Busy) -> Result:
        """Accept the result without what follows; where that is what is missing, hand it back."""
        if result.kind == "done" and "go_on" not in result.message:
            return Result("done", {**result.message, "go_on": False}, result.log)
        return Result("awaits_code", {"reason": error.message}, result.log)

    def _settle_once(self, result: Result) -> None:
        message, held = result.message, self.held
        if result.kind == "awaits_code":
            attempts.await_code(held=held, missing=message["reason"])
        elif result.kind == "done":
            attempts.complete(
                held=held,
                outputs=message["outputs"],
                facts=message["facts"],
                usage=message["usage"],
                rows=message.get("rows"),
                log=result.log,
                go_on=message.get("go_on", True),
            )
            keeping.forget(held)
        elif result.kind == "not_yet":
            attempts.defer(held=held, seconds=message["seconds"], reason=message["reason"])
        elif result.kind == "stopped" and message["reason"] == "cancelled":
            attempts.cancelled(held=held)
        elif result.kind == "stopped" and message["reason"] == "released":
            attempts.release(held=held)
        elif result.kind == "stopped":
            logger.warning("attempt %s stopped: %s", held.id, message["reason"])
        elif result.kind == "lost":
            attempts.lose(attempt_id=held.id, error=message["error"], token=held.token)
        else:
            attempts.fail(
                held=held,
                error=message["error"],
                usage=message.get("usage", {}),
                log=result.log,
                timed_out=result.kind == "timed_out",
            )


def _cleared(folder: Path) -> Path:
    """Empty a lane's folders; the folders stay, for making and removing them costs more.

    Where something cannot be removed, another folder is the attempt's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for aside in folder.glob("aside-*"):
        removal.remove(aside)
    parts = [part for part in (folder / "in", folder / "out") if part.exists()]
    left = [part for part in parts if not removal.empty(part)]
    return Path(tempfile.mkdtemp(prefix="aside-", dir=folder)) if left else folder


def _failed(code: str, message: str, *, retryable: bool = False, kind: str = "error") -> Result:
    return Result(kind, {"error": {"code": code, "message": message, "retryable": retryable}})


class _FeedWaits(Exception):
    """A feed has nothing to give yet."""

    def __init__(self, reason: str, *, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds
