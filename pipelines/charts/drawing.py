"""Drawings of figures: made by a warm child, kept by the digest of their specification.

The child takes a second to start, some 30-100 ms for a drawing and 200 MB, and ends after a minute
in which nobody asks. One for a process: drawings are kept, so most pages need none.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from personas.errors import Busy, Invalid
from pipelines.charts.figure import Figure, Spec
from pipelines.charts.svg import cleaned

COMMAND: Final = (sys.executable, "-E", "-m", "pipelines.charts.render")
ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 20.0  # for one drawing, the child's start included
MOST_KEPT: Final = 4_000  # drawings of some 20 kB
MOST_BYTES: Final = 2_000_000  # of a specification
VERSION: Final = 1  # raised when drawings of old must not be used any more


class Drawings:
    """A folder of drawings, and the child that makes those it lacks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def kept(self, figure: Figure) -> str | None:
        """Return the figure's drawing where it was made before."""
        try:
            return self._place(figure.digest).read_text(encoding="utf-8")
        except OSError:
            return None

    def draw(self, figure: Figure) -> str:
        """Return the figure's drawing, made now where it must be. Raises Busy, Invalid."""
        return self.kept(figure) or self._make(figure.digest, figure.spec)

    def order(self, figure: Figure) -> str:
        """Keep what the figure is drawn from, so that `deliver` can draw it; its digest."""
        digest = figure.digest
        place = self._place(digest, "json")
        if not place.exists():
            self._write(place, json.dumps(figure.spec, separators=(",", ":"), allow_nan=False))
        return digest

    def deliver(self, digest: str) -> str | None:
        """Return the drawing of what was ordered; None for what was not. Raises Busy, Invalid."""
        try:
            return self._place(digest).read_text(encoding="utf-8")
        except OSError:
            pass
        try:
            spec = json.loads(self._place(digest, "json").read_text(encoding="utf-8"))
        except OSError:
            return None
        return self._make(digest, spec)

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._drop()

    def _make(self, digest: str, spec: Spec) -> str:
        line = json.dumps(spec, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        if len(line) > MOST_BYTES:
            raise Invalid(f"A chart of {len(line)} bytes is not drawn; {MOST_BYTES} is the most.")
        if not self._lock.acquire(timeout=SECONDS):
            raise Busy("charts_busy", "Other charts are being drawn; try again soon.")
        try:
            answer = self._ask(line)
        finally:
            self._lock.release()
        if "svg" not in answer:
            raise Invalid(f"The chart was not drawn: {answer.get('error')}")
        drawing = cleaned(answer["svg"], prefix=f"c{digest[:8]}")
        self._write(self._place(digest), drawing)
        self._place(digest, "json").unlink(missing_ok=True)
        return drawing

    def _ask(self, line: bytes) -> dict[str, str]:
        """Ask the child; one that has ended in its idleness is started again, once."""
        for again in (True, False):
            child = self._started()
            try:
                found = self._exchange(child, line)
            except OSError:
                found = b""
            if found:
                answer: dict[str, str] = json.loads(found)
                return answer
            self._drop()
            if not again:
                break
        raise Busy("charts_away", "The process that draws charts does not answer.")

    def _exchange(self, child: subprocess.Popen[bytes], line: bytes) -> bytes:
        stdin, stdout = child.stdin, child.stdout
        if stdin is None or stdout is None:
            return b""
        stdin.write(line)
        stdin.flush()
        found = b""
        while not found.endswith(b"\n"):
            if not select.select([stdout], [], [], SECONDS)[0]:
                self._drop()
                raise Busy("charts_slow", f"The chart was not ready after {SECONDS:.0f} s.")
            part = os.read(stdout.fileno(), 1 << 16)
            if not part:
                return b""
            found += part
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._drop()
            self._child = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={},
            )
        return self._child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for end in (child.stdin, child.stdout):
            if end is not None:
                try:
                    end.close()
                except OSError:  # what was not sent any more
                    continue

    def _place(self, digest: str, ending: str = "svg") -> Path:
        return self.folder / f"{digest}-{VERSION}.{ending}"

    def _write(self, place: Path, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(place)
        if place.name.startswith("00"):  # one in 256 sweeps
            self._sweep()

    def _sweep(self) -> None:
        """Remove the oldest drawings beyond what is kept."""
        ages: list[tuple[float, Path]] = []
        for one in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # others sweep, too
                ages.append((one.stat().st_mtime, one))
        for _, old in sorted(ages, reverse=True)[MOST_KEPT:]:
            old.unlink(missing_ok=True)
