"""Start Baton's processes, start the dead ones again, and stop all of them in order.

Each child leads a session of its own, so that a Ctrl-C reaches the supervisor only and each
child is asked to stop by a SIGTERM to its main process; the kernel asks them when the
supervisor itself is killed.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from portal.embedded.places import open_log

STOP_SECONDS = 20.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 30.0
_POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass
class Child:
    """One process to keep alive: its name, command line and log."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = _FIRST_PAUSE
    due_at: float = 0.0

    def start(self) -> None:
        """Start the process in a session of its own."""
        parent = os.getpid()

        def prepare() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # the supervisor died before the kernel was told
                os._exit(1)

        log = open_log(self.log)
        try:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 (the supervisor has one thread)
            )
        finally:
            os.close(log)
        self.started_at = time.monotonic()

    def ask_to_stop(self) -> None:
        """SIGTERM to the main process only: it ends its own children when it is ready."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill_rest(self) -> None:
        """Kill what is left of its process group, as a port or a lease could be held there."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def has_ended(self) -> bool:
        """Whether it was started and is gone."""
        return self.process is not None and self.process.poll() is not None


class Supervisor:
    """Keeps children alive until a signal says stop."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        each_turn: Callable[[], None] = lambda: None,
    ) -> None:
        self.children = list(children)
        self.say = say
        self.each_turn = each_turn
        self.stopping = False

    def run(self) -> None:
        """Start all, watch until SIGINT, SIGTERM or SIGHUP, stop all."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_soon)
        try:
            for child in self.children:
                child.start()
            while not self.stopping:
                for child in self.children:
                    self._tend(child)
                self.each_turn()
                time.sleep(_POLL_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask every child to end, and kill after 20 s what has not."""
        for child in self.children:
            child.ask_to_stop()
        until = time.monotonic() + STOP_SECONDS
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{child.name} did not stop within {STOP_SECONDS:.0f} s: killed.")
            child.kill_rest()

    def _stop_soon(self, *_: object) -> None:
        self.stopping = True

    def _tend(self, child: Child) -> None:
        """Note an end, and start again after a pause that grows while it keeps dying."""
        now = time.monotonic()
        if child.due_at and now >= child.due_at:
            child.due_at = 0.0
            child.start()
        elif not child.due_at and child.has_ended():
            assert child.process is not None
            child.kill_rest()
            if now - child.started_at > _STEADY_SECONDS:
                child.pause = _FIRST_PAUSE
            child.due_at = now + child.pause
            self.say(
                f"{child.name} ended with status {child.process.returncode}; starting it again "
                f"in {child.pause:g} s. See {child.log}."
            )
            child.pause = min(child.pause * 2, _LONGEST_PAUSE)


@dataclass(frozen=True)
class Running:
    """A supervisor at work on the same folder."""

    pid: int
    url: str


class OnlyOne:
    """The lock by which one supervisor serves a folder; it dies with its process."""

    def __init__(self, var: Path) -> None:
        self.path = var / "up.lock"
        self.file: IO[str] | None = None

    def take(self, url: str) -> Running | None:
        """Become the one, or learn who is."""
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            said = json.loads(file.read() or "{}")
            file.close()
            return Running(pid=int(said.get("pid", 0)), url=str(said.get("url", "")))
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        self.file = file
        return None

    def who(self) -> Running | None:
        """The supervisor at work now, if any."""
        if not self.path.exists():
            return None
        running = self.take("")
        if running is None:
            self.give_back()
        return running

    def give_back(self) -> None:
        """Let another one start."""
        if self.file is not None:
            self.file.truncate(0)
            self.file.close()
            self.file = None


def python(*words: str) -> list[str]:
    """Command line of this very Python."""
    return [sys.executable, *words]
