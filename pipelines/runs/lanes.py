"""Lanes: each supervises one warm child, with time and memory limits and a heartbeat.

A lane is not the computing process: a heartbeat thread beside a long C call is not trustworthy.
The child has its own process group, which is killed as a whole on cancel, overrun or loss.
"""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from pipelines.brought import Brought

CHILD_COMMAND = (sys.executable, "-m", "pipelines.runs.child")
CHILD_LIMITS = {
    # More threads than cores make boosting slower and one-row predictions erratic.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
# Operations, other people's among them, compute files; they have no business with our servers.
SECRET = re.compile(
    r"(DATABASE(_OWNER)?_URL|REDIS_URL|ARTEFACT_URL|BATON_SECRET_KEY"
    r"|(AWS_|PG|BATON_CONNECTION_).*)\Z"
)
WARM_IMPORTS = "numpy,pandas,pyarrow.parquet,scipy.stats,sklearn.pipeline,sklearn.ensemble"
RECYCLE_AFTER = 200  # attempts
RECYCLE_ABOVE = 1200  # MiB of resident memory between two attempts
LOOK_EVERY = 1.0  # seconds between two looks at memory and deadline
LARGEST_ANSWER = 32 << 20  # bytes of one line; facts have at most 4 MiB
LOG_LIMIT = 16_000  # characters of log kept with an attempt
LOG_LINES = 2_000


@dataclass(frozen=True)
class Work:
    """What the child is asked to do, and the limits it gets."""

    operation: str
    params: Mapping[str, Any]
    inputs: Mapping[str, str]
    many: Mapping[str, Mapping[str, str]]
    seed: int
    folder: Path
    max_runtime: float
    max_memory: int
    threads: int = 1
    kept: Path | None = None
    connection: Mapping[str, Any] | None = field(default=None, repr=False)
    brought: Brought | None = None  # whose code it is, where it is not Baton's own
    digests: Mapping[str, str] = field(default_factory=dict)  # of copies it could change, by path


@dataclass
class Result:
    """How the child answered: `done`, `not_yet`, `error`, `lost`, `timed_out` or `stopped`."""

    kind: str
    message: dict[str, Any] = field(default_factory=dict)
    log: str = ""


class Stop(Exception):
    """Raised by the beat to end the work: cancelled, fenced or handed back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadAnswer(Exception):
    """What a child said is no message."""


def _message(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"a line that is no JSON ({len(line)} bytes)") from error
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        raise BadAnswer("a line that is no message")
    # Facts are the operation's to get right; what is said of them need not end an attempt's record.
    return found if found["kind"] == "done" or b"\\u" not in line else _storable(found)


def _storable(said: Any) -> Any:
    """Leave out what the database cannot hold as text: NUL, and halves of pairs."""
    if isinstance(said, str):
        return said.replace("\0", "").encode(errors="replace").decode()
    if isinstance(said, dict):
        return {key: _storable(value) for key, value in said.items()}
    return [_storable(one) for one in said] if isinstance(said, list) else said


Beat = Callable[[dict[str, Any] | None], None]


class Lane:
    """One supervisor's seat: at most one child, at most one attempt at a time."""

    def __init__(self, number: int, logs: Path) -> None:
        self.number = number
        self.log_path = logs / f"lane-{os.getpid()}-{number}.log"
        self.child: subprocess.Popen[bytes] | None = None
        self.buffer = b""
        self.served = 0
        self.guest: Lane | None = None  # the one whose child computes other people's code
        self.look_every = LOOK_EVERY

    def start(self) -> None:
        """Start the child if there is none; does not wait for its imports."""
        if self.child is not None and self.child.poll() is None:
            return
        with self.log_path.open("wb") as log:
            self.child = subprocess.Popen(
                self.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=self.environment(),
            )
        self.buffer, self.served = b"", 0

    def command(self) -> Sequence[str]:
        """What the child is started with."""
        return CHILD_COMMAND

    def environment(self) -> dict[str, str]:
        """What the child gets of ours: all but secrets."""
        passed = {name: v for name, v in os.environ.items() if not SECRET.match(name)}
        passed |= CHILD_LIMITS
        passed.setdefault("BATON_WARM_IMPORTS", WARM_IMPORTS)
        return passed

    def perform(self, work: Work, beat: Beat, *, beat_every: float) -> Result:
        """Let the child do the work; calls `beat` with progress, and every `beat_every` seconds."""
        self.start()
        self.served += 1
        try:
            self._send(work)
            return self._watch(work, beat, beat_every=beat_every)
        except BrokenPipeError:
            return self._lost("The child process died.")
        except Stop as stop:
            self.kill()
            return Result("stopped", {"reason": stop.reason})
        except BaseException:
            # The child still computes: its answer must not be taken for the next attempt's.
            self.kill()
            raise

    def _send(self, work: Work) -> None:
        sink = self._pipe("stdin")
        sink.write(json.dumps(self.message(work)).encode() + b"\n")
        sink.flush()

    def message(self, work: Work) -> dict[str, Any]:
        """The work as the child reads it."""
        return {
            "operation": work.operation,
            "params": work.params,
            "inputs": work.inputs,
            "many": work.many,
            "seed": work.seed,
            "folder": str(work.folder),
            "threads": work.threads,
            "kept": str(work.kept) if work.kept else "",
            "connection": work.connection,
        }

    def _watch(self, work: Work, beat: Beat, *, beat_every: float) -> Result:
        started = last_beat = last_look = time.monotonic()
        log: deque[str] = deque(maxlen=LOG_LINES)
        while True:
            for message in self._messages(min(beat_every, self.look_every)):
                if message["kind"] in ("done", "not_yet", "error"):
                    self._settle()
                    return Result(message["kind"], message, "\n".join(log)[-LOG_LIMIT:])
                if message["kind"] == "log":
                    log.append(message["text"])
                elif message["kind"] == "progress":
                    beat(message)
                else:
                    self.note(message)
            if self.child is None or self.child.poll() is not None:
                return self._lost("The child process died.")
            now = time.monotonic()
            if now - last_beat >= beat_every:
                last_beat = now
                beat(None)
            if now - last_look >= self.look_every:
                last_look = now
                overrun = self.overrun(work, now - started)
                if overrun is not None:
                    return overrun

    def note(self, message: dict[str, Any]) -> None:
        """Take what a child says of itself; a warm one says that it is ready."""

    def _messages(self, timeout: float) -> Iterator[dict[str, Any]]:
        source = self._pipe("stdout")
        ready, _, _ = select.select([source], [], [], timeout)
        if ready:
            answer = os.read(source.fileno(), 1 << 16)
            if not answer:
                raise BrokenPipeError("the child closed its end")
            self.buffer += answer
        if len(self.buffer) > LARGEST_ANSWER:
            raise BadAnswer(f"more than {LARGEST_ANSWER >> 20} MiB in one line")
        *lines, self.buffer = self.buffer.split(b"\n")
        # One by one: what was said before a line that is none counts.
        yield from (_message(line) for line in lines if line)

    def overrun(self, work: Work, elapsed: float) -> Result | None:
        if elapsed > work.max_runtime:
            self.kill()
            return Result(
                "timed_out",
                {
                    "error": {
                        "code": "max_runtime",
                        "message": f"It ran longer than {work.max_runtime:.0f} s.",
                    }
                },
            )
        memory = self.memory()
        if memory > work.max_memory:
            self.kill()
            return Result(
                "error",
                {
                    "error": {
                        "code": "max_memory",
                        "retryable": False,
                        "message": f"It used {memory} MiB; its limit is {work.max_memory} MiB.",
                    }
                },
            )
        return None

    def memory(self) -> int:
        """Return the resident memory of the child's whole group, in MiB."""
        if self.child is None:
            return 0
        total = 0
        with contextlib.suppress(psutil.Error):
            child = psutil.Process(self.child.pid)
            for process in (child, *child.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
        return total >> 20

    def _settle(self) -> None:
        if self.served >= RECYCLE_AFTER or (
            self.served % 10 == 0 and self.memory() > RECYCLE_ABOVE
        ):
            self.kill()

    def _lost(self, message: str) -> Result:
        code = None
        if self.child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.child.wait(timeout=1)
        tail = self.log_path.read_bytes()[-2000:].decode(errors="replace")
        self.kill()
        return Result(
            "lost",
            {
                "error": {
                    "code": "worker_lost",
                    "message": message,
                    "exit": code,
                    "trace": tail,
                }
            },
        )

    def kill(self) -> None:
        """Kill the child with its whole process group and collect it; a guest's, too."""
        if self.guest is not None:
            self.guest.kill()
        child, self.child = self.child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _pipe(self, name: str) -> IO[bytes]:
        pipe: IO[bytes] | None = getattr(self.child, name, None)
        if pipe is None:
            raise BrokenPipeError(name)
        return pipe
