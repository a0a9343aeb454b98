"""Performing what packages bring: in a confined child of its own, its failure named as its own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any, Final

import psutil

from pipelines import confinement
from pipelines.brought import Brought, places, reading
from pipelines.confinement import Bounds
from pipelines.runs import answers
from pipelines.runs.lanes import (
    CHILD_LIMITS,
    BadAnswer,
    Beat,
    Lane,
    Result,
    Work,
)

COMMAND = (sys.executable, "-P", "-m", "pipelines.runs.confined")
LOOK_EVERY = 0.1  # seconds: what fills memory does so at gigabytes a second
GRACE: Final = 15.0  # seconds for the guard to leave nothing behind
GRAPHICS: Final = ("/dev/dri", "/dev/kfd", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0")


def perform(lane: Lane, work: Work, beat: Beat, *, beat_every: float) -> Result:
    """Let the lane's child do Baton's own work, and a child apart what a package brought."""
    if work.brought is None:
        return lane.perform(work, beat, beat_every=beat_every)
    guest = ConfinedLane(lane, work)
    lane.guest = guest
    try:
        return guest.named(guest.perform(work, beat, beat_every=beat_every))
    finally:
        guest.kill()
        lane.guest = None


class ConfinedLane(Lane):
    """A seat for one attempt with somebody else's code."""

    def __init__(self, host: Lane, work: Work) -> None:
        super().__init__(host.number, host.log_path.parent)
        self.log_path = host.log_path.with_name(f"{host.log_path.stem}-brought.log")
        self.look_every = LOOK_EVERY
        self.work = work
        self.enforced: dict[str, str] = {}
        self.bound = False  # once it is, what is said may be theirs
        self.gone: int | None = None
        self.family: list[psutil.Process] = []
        found = work.brought
        assert found is not None
        assert found.spec is not None
        self.found, self.spec = found, found.spec

    def command(self) -> Sequence[str]:
        """The guard, which starts the child that computes."""
        return COMMAND

    def environment(self) -> dict[str, str]:
        """Where Python looks, and none of our settings; files go where it may write."""
        return reading.environment() | CHILD_LIMITS

    def message(self, work: Work) -> dict[str, Any]:
        """The work, and what holds the child back."""
        temporary = work.folder / ".temporary"
        temporary.mkdir(exist_ok=True)
        if work.kept is not None:
            work.kept.mkdir(parents=True, exist_ok=True)
        return super().message(work) | {
            "connection": None,
            "module": self.found.module,
            "package": {"name": self.found.name, "is": self.found.package.as_json()},
            "bounds": asdict(self.bounds()),
            "temporary": str(temporary),
        }

    def bounds(self) -> Bounds:
        """What this attempt may use, read and write."""
        work, spec = self.work, self.spec
        writes = [str(work.folder), *([str(work.kept)] if work.kept else []), *places.DEVICES]
        if spec.queue == "gpu":
            writes += GRAPHICS
        return Bounds(
            memory=spec.max_memory,
            processes=spec.max_processes,
            file_size=spec.max_file_size,
            reads=tuple(readable(work, self.found.module)),
            lists=(str(places.home()),),
            writes=tuple(writes),
        )

    def perform(self, work: Work, beat: Beat, *, beat_every: float) -> Result:
        """As any lane; what the guard says of an end without an answer is the operation's error."""
        try:
            return super().perform(work, beat, beat_every=beat_every)
        except (BadAnswer, RecursionError) as error:
            return _error("bad_answer", f"What it answered is no message: {error}.")
        except _Gone:
            return self._died()

    def note(self, message: dict[str, Any]) -> None:
        """Remember what is enforced; raises _Gone when the child has ended without an answer.

        It is said once, before their code is imported; what says so again is their code.
        """
        if message["kind"] == "confined" and not self.bound:
            self.bound = True
            self.enforced = {str(k): str(v) for k, v in dict(message["enforced"]).items()}
        elif message["kind"] == "gone":
            self.gone = int(message["exit"])
            raise _Gone

    def _messages(self, timeout: float) -> Iterator[dict[str, Any]]:
        """What was said, each of the shape of its kind; raises BadAnswer."""
        yield from (answers.shaped(message) for message in super()._messages(timeout))

    def _died(self) -> Result:
        code_ = self.gone or 0
        trace = self.log_path.read_bytes()[-2000:].decode(errors="replace")
        if code_ < 0:
            known = -code_ in Signals.__members__.values()
            name = Signals(-code_).name if known else f"signal {-code_}"
            said = f"Its process was ended by {name}."
            if -code_ == SIGKILL:
                said += " It asked for that itself, or the machine had no memory left."
        else:
            said = f"Its process ended with status {code_} and gave no answer."
        return _error("process_ended", said, exit=code_, trace=trace)

    def overrun(self, work: Work, elapsed: float) -> Result | None:
        """How many processes there are, and, as of any child, time and memory."""
        self.family = self._family()
        count = len(self.family)
        if count <= self.spec.max_processes:
            return super().overrun(work, elapsed)
        self.kill()
        return _error(
            "max_processes",
            f"It had {count} processes at once; its limit is {self.spec.max_processes}.",
        )

    def _family(self) -> list[psutil.Process]:
        """Find what the guard has started, however it tried to get away; one look at all of them.

        A look reads the table of all processes, about 3 ms of computing.
        """
        if self.child is None:
            return []
        with contextlib.suppress(psutil.Error):
            return list(psutil.Process(self.child.pid).children(recursive=True))
        return []

    def memory(self) -> int:
        """Return their resident memory as of the last look, in MiB; the guard's is not theirs."""
        total = 0
        for process in self.family:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total >> 20

    def named(self, result: Result) -> Result:
        """Say of a failure whose it is, and of every result what was enforced."""
        if result.kind in ("done", "not_yet", "error", "timed_out"):
            usage = dict(result.message.get("usage") or {})
            result.message["usage"] = usage | {"enforced": self.enforced}
        error = result.message.get("error")
        if self.bound and isinstance(error, dict) and error.get("code") == "package_changed":
            error["code"] = "bad_answer"  # only what looks before their code runs can tell
        return blame(self.found, result)

    def kill(self) -> None:
        """End the guard by closing what it listens to: it takes everything with it."""
        child = self.child
        if child is not None and child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=GRACE)
        super().kill()


def blame(found: Brought, result: Result) -> Result:
    """Name operation, package and limits on a failure: it is not the worker's."""
    error, spec = result.message.get("error"), found.spec
    if isinstance(error, dict) and spec is not None:
        error["message"] = f"{found.name} ({found.package}): {error.get('message', '')}"[:4000]
        error["operation"], error["package"] = found.name, found.package.as_json()
        error["limits"] = {
            "max_runtime": spec.max_runtime,
            "max_memory": spec.max_memory,
            "max_processes": spec.max_processes,
            "max_file_size": spec.max_file_size,
        }
    return result


class _Gone(Exception):
    """The computing process ended without an answer."""


def _error(code_: str, message: str, **more: object) -> Result:
    return Result("error", {"error": {"code": code_, "message": message, **more}})


def readable(work: Work, module: str) -> Iterator[str]:
    """What the child may read: Python, packages, its own inputs; neither store nor settings."""
    yield from places.readable([module])
    for path in _inputs(work):
        yield str(path.parent)
        yield str(path.resolve())


def _inputs(work: Work) -> Iterator[Path]:
    for one in work.inputs.values():
        yield Path(one)
    for paths in work.many.values():
        for one in paths.values():
            yield Path(one)


def writes_are_held() -> bool:
    """Whether the kernel keeps a child from changing what it reads."""
    return bool(confinement.available()["writes"])
