"""The child that computes one attempt with an operation that a package brought, and its guard.

Two processes. The guard reads the command, starts the other, and keeps what that prints to its end
and no more than is read by people. It is the parent of all that loses its own parent, so nothing
the operation starts outlives the attempt. The other binds itself before it imports a line of the
package: see `pipelines.confinement`. It serves one attempt: what it imported once would not be what
is installed later, and what it left behind would be the next one's.
"""

import contextlib
import errno
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final

import psutil

from pipelines import brought, confinement
from pipelines.confinement import Bounds, limits
from pipelines.operations.contract import NotYet, OperationError, Outcome, Run, Spec
from pipelines.runs import answers
from pipelines.runs.child import Channel, Code, compute

MOST_PRINTED: Final = 256 * 1024  # bytes; own: more than a person reads
LOOK_SECONDS: Final = 0.05
END_SECONDS: Final = 10.0
NOT_PERMITTED: Final = (
    "An operation from a package reads its inputs and code, writes into its own folder, and has no"
    " network."
)


def main() -> None:
    """Read one command, let it be computed, leave nothing behind."""
    command = json.loads(sys.stdin.buffer.readline())
    limits.adopt_orphans()
    printed, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(printed)
        _serve(command, theirs)
        os._exit(0)
    os.close(theirs)
    try:
        status = _watch(child, printed)
    finally:
        _end_all()
    if status is not None:
        code = os.waitstatus_to_exitcode(status)
        Channel(os.fdopen(os.dup(1), "wb")).send(kind="gone", exit=code)
        # Who reads this looks whether the guard lives, too: it ends when it has been heard.
        os.read(0, 1)


def _watch(child: int, printed: int) -> int | None:
    """Wait for the child's end and return its status; None where the supervisor is gone."""
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(printed, select.POLLIN | select.POLLHUP)
    kept = 0
    while True:
        for opened, _ in poll.poll(int(LOOK_SECONDS * 1000)):
            if opened == 0:
                return None
            found = os.read(printed, 1 << 16)
            if not found:
                poll.unregister(printed)
            kept = _keep(found, kept)
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if ended == child:
                _keep(_rest(printed), kept)
                return status
            if ended == 0:
                break


def _rest(printed: int) -> bytes:
    """What was printed last and not read yet; others may still hold the other end open."""
    os.set_blocking(printed, False)
    with contextlib.suppress(BlockingIOError):
        return os.read(printed, 1 << 20)
    return b""


def _keep(found: bytes, kept: int) -> int:
    """Write what was printed to the log, up to a limit; return how much there is."""
    with contextlib.suppress(OSError):
        os.write(2, found[: max(0, MOST_PRINTED - kept)])
        if kept <= MOST_PRINTED < kept + len(found):
            os.write(2, b"\n... it printed more, which is not kept\n")
    return kept + len(found)


def _end_all() -> None:
    """Kill every descendant; orphans are ours. Stopped first, so that none starts another."""
    until = time.monotonic() + END_SECONDS
    me = psutil.Process()
    while time.monotonic() < until:
        descendants = me.children(recursive=True)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in descendants:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.002)
            continue
        return  # no child is left


def _serve(command: Mapping[str, Any], printed: int) -> None:
    """Be bound, then compute. What cannot be applied is a reason not to begin."""
    limits.die_with_parent(signal.SIGKILL)
    channel = Channel(os.fdopen(os.dup(1), "wb"))
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    theirs = Theirs(command["module"], command["package"])
    try:
        theirs.require_same()
        held = confinement.confine(Bounds(**command["bounds"]))
    except OperationError as error:
        channel.send(kind="error", error=error.as_json())
        return
    except OSError as error:
        said = f"It was not begun: {error}"
        channel.send(kind="error", error={"code": "not_confined", "message": said})
        return
    channel.send(kind="confined", enforced=held)
    os.environ["TMPDIR"] = os.environ["HOME"] = command["temporary"]
    code = Code(spec=theirs.spec, run=theirs.run, check=check, explain=explain)
    compute(command, channel, code)


class Theirs:
    """The operation's code, imported here and nowhere else."""

    def __init__(self, module: str, package: Mapping[str, Any]) -> None:
        self.module = module
        self.package = package

    def require_same(self) -> None:
        """Raise OperationError where the code is not what the worker knows it to be."""
        found = brought.now(self.package["name"])
        if found is None or found.as_json() != self.package["is"]:
            whose = f"{self.package['is']['distribution']} {self.package['is']['version']}"
            if found is None:
                what = "It was removed"
            elif str(found) == whose:
                what = "Its files were changed"
            else:
                what = f"It was replaced by {found}"
            said = f"{what} while this worker ran; restart Baton"
            raise OperationError("package_changed", said)
        sys.meta_path.insert(0, brought.FromSource(brought.tops(self.package["name"])))

    def spec(self, name: str) -> Spec:
        """Import the declaration."""
        found: Spec = importlib.import_module(f"{self.module}.spec").SPEC
        return found

    def run(self, name: str) -> Run:
        """Import the compute function; raises OperationError where there is none."""
        found: Run | None = getattr(importlib.import_module(f"{self.module}.compute"), "run", None)
        if not callable(found):
            raise OperationError("no_run", f"{self.module}.compute has no function run.")
        return found


def check(spec: Spec, result: object) -> None:
    """Raise OperationError for what is no result: not an Outcome, or facts that are no facts."""
    if isinstance(result, NotYet):
        answers.check_wait(spec, result)
        return
    if not isinstance(result, Outcome) or not isinstance(result.facts, dict):
        kind = type(result).__name__
        raise OperationError("not_an_outcome", f"It returned {kind}, not an Outcome with facts.")
    answers.check_facts(spec, result)


def explain(spec: Spec | None, error: Exception) -> dict[str, Any] | None:
    """Say which limit an error stands for; None where it is a defect like any other."""
    found = _limit_of(spec, error) if spec else None
    if found is None:
        return None
    code, message = found
    trace = traceback.format_exc()[-4000:]
    return {"code": code, "message": message, "trace": trace, "retryable": False}


def _limit_of(spec: Spec, error: Exception) -> tuple[str, str] | None:
    if isinstance(error, MemoryError):
        return "max_memory", f"It asked for more than its limit of {spec.max_memory} MiB allows."
    if isinstance(error, RecursionError):
        return "defect", f"RecursionError: {error}"
    if not isinstance(error, OSError):
        return None
    if isinstance(error, BlockingIOError):
        return "max_processes", f"It may start at most {spec.max_processes} processes at once."
    if error.errno == errno.EFBIG:
        return "max_file_size", f"A file of it may have at most {spec.max_file_size} MiB: {error}."
    if error.errno == errno.EMFILE:
        return "max_open_files", f"It may open at most {limits.OPEN_FILES} files at once."
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            "not_permitted",
            f"{error}. {NOT_PERMITTED}",
        )
    return None


if __name__ == "__main__":
    main()
