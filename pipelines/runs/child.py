"""The warm child: computes attempts one after the other, with the heavy imports already done.

It speaks JSON lines: commands come on standard input, answers go out on the descriptor that
was standard output. It knows no database, no Django and no broker. When its parent is gone the
input ends, and it takes its whole process group with it.
"""

import contextlib
import errno
import importlib
import json
import math
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipelines import catalogue
from pipelines.confinement import limits
from pipelines.operations.contract import (
    Context,
    NotYet,
    OperationError,
    Outcome,
    ParamErrors,
    Run,
    Spec,
    clean_params,
)
from pipelines.runs import faults

LARGEST_FACTS = 4 * 1024 * 1024  # bytes as JSON
PROGRESS_EVERY = 0.25  # seconds between two progress lines
# The machine's fault, not the operation's: another try may find room.
NO_ROOM = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO),
        *(errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE),
    }
)


class Channel:
    """The way back to the supervisor; one line an answer, never interleaved."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.lock = threading.Lock()
        self.owner = os.getpid()

    def send(self, **message: object) -> None:
        """Send one message; numbers that JSON does not know become null.

        Only the child itself answers: a fork of it that comes here ends.
        """
        if os.getpid() != self.owner:
            os._exit(1)
        line = json.dumps(_finite(message), separators=(",", ":"), default=str).encode()
        with self.lock:
            self.stream.write(line + b"\n")
            self.stream.flush()


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


class Reporter:
    """Progress and log of the attempt under way, rate-limited."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.last = 0.0
        self.rows: int | None = None

    def progress(self, fraction: float, message: str, rows: int | None = None) -> None:
        """Report how far it is (0 to 1), what it does, and how many rows it has done."""
        now = time.monotonic()
        self.rows = rows if rows is not None else self.rows
        # The end comes with the answer itself.
        if fraction >= 1 or now - self.last < PROGRESS_EVERY:
            return
        self.last = now
        self.channel.send(kind="progress", fraction=fraction, message=message[:200], rows=rows)

    def log(self, text: str) -> None:
        """Send a line for the attempt's log."""
        self.channel.send(kind="log", text=text[:2000])


@dataclass(frozen=True)
class Code:
    """Whose code computes: how it is found, what its result must be, what its errors mean."""

    spec: Callable[[str], Spec]
    run: Callable[[str], Run]
    check: Callable[[Spec, Outcome | NotYet], None]
    explain: Callable[[Spec | None, Exception], dict[str, Any] | None]


def main() -> None:
    """Serve commands until the input ends."""
    limits.modest()
    channel = Channel(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    commands: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_read, args=(commands,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel.send(kind="ready", pid=os.getpid())
    warm = [name for name in os.environ.get("BATON_WARM_IMPORTS", "").split(",") if name]
    while True:
        try:
            command = commands.get(timeout=0.2 if warm else None)
        except queue.Empty:
            with contextlib.suppress(ImportError):
                importlib.import_module(warm.pop(0))
            continue
        compute(command, channel)


def _read(commands: "queue.Queue[dict[str, Any]]") -> None:
    for line in sys.stdin.buffer:
        commands.put(json.loads(line))
    os.killpg(0, signal.SIGKILL)


def compute(command: Mapping[str, Any], channel: Channel, code: Code | None = None) -> None:
    """Perform one attempt and answer with `done`, `not_yet` or `error`."""
    code = code or OWN
    reporter = Reporter(channel)
    began, wall, cpu = time.time(), time.perf_counter(), time.process_time()
    spec: Spec | None = None
    try:
        spec = code.spec(command["operation"])
        context = _context(spec, command, reporter)
        faults.point("child_before_compute")
        result = code.run(spec.name)(context)
        faults.point("child_after_compute")
        code.check(spec, result)
    except OperationError as error:
        channel.send(kind="error", **_usage(began, wall, cpu), error=error.as_json())
    except ParamErrors as error:
        channel.send(
            kind="error",
            **_usage(began, wall, cpu),
            error={"code": "params", "message": str(error), "fields": error.fields},
        )
    # A defect in an operation must not take the child's other work with it; it is reported whole.
    except Exception as error:
        said = code.explain(spec, error) or _explained(error)
        channel.send(kind="error", **_usage(began, wall, cpu), error=said)
    else:
        if isinstance(result, NotYet):
            channel.send(kind="not_yet", seconds=result.seconds, reason=result.reason)
        else:
            channel.send(
                kind="done",
                **_usage(began, wall, cpu),
                facts=result.facts,
                rows=reporter.rows,
                outputs={name: str(path) for name, path in result.outputs.items()},
            )


def _context(spec: Spec, command: Mapping[str, Any], reporter: Reporter) -> Context:
    return Context(
        inputs={name: Path(path) for name, path in command["inputs"].items()},
        many={
            port: {name: Path(path) for name, path in paths.items()}
            for port, paths in command["many"].items()
        },
        params=clean_params(spec, command["params"]),
        seed=command["seed"],
        folder=Path(command["folder"]),
        threads=command.get("threads", 1),
        kept=Path(command["kept"]) if command.get("kept") else None,
        spec=spec,
        connection=command.get("connection") or {},
        report=reporter.progress,
        write_log=reporter.log,
    )


def _explained(error: Exception) -> dict[str, Any]:
    if isinstance(error, MemoryError):
        return {"code": "memory", "message": "Out of memory.", "retryable": False}
    room = not (isinstance(error, OSError) and error.errno in NO_ROOM)
    return {
        "code": "defect" if room else "storage",
        "message": f"{type(error).__name__}: {error}",
        "trace": traceback.format_exc()[-4000:],
        "retryable": not room,
    }


def check_size(spec: Spec, result: Outcome | NotYet) -> None:
    """Raise OperationError for facts that gates and pages could not carry along."""
    if isinstance(result, NotYet):
        return
    size = len(json.dumps(_finite(result.facts), default=str))
    if size > LARGEST_FACTS:
        raise OperationError(
            "facts_too_large",
            f"The facts have {size:,} bytes as JSON; at most {LARGEST_FACTS:,}."
            " What is larger belongs into an output.",
            rule=f"at most {LARGEST_FACTS} bytes",
            value=size,
        )


def _usage(began: float, wall: float, cpu: float) -> dict[str, object]:
    """What the attempt took; `began_at` is this host's clock, for measuring only."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "usage": {
            "began_at": round(began, 4),
            "wall_seconds": round(time.perf_counter() - wall, 4),
            "cpu_seconds": round(time.process_time() - cpu, 4),
            "peak_mib": peak,
        }
    }


OWN = Code(
    # Looked up when they are called: tests put others in their place.
    spec=lambda name: catalogue.spec(name),  # noqa: PLW0108
    run=lambda name: catalogue.resolve(name),  # noqa: PLW0108
    check=check_size,
    explain=lambda spec, error: None,
)

if __name__ == "__main__":
    main()
