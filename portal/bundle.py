"""The browser's chart library: where it is collected, and how it comes to be there.

It is written by a child out of the package that draws charts for pages without scripts, once for
each version of that package; until then charts are drawings.
"""

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

SECONDS = 120.0  # three on an idle core


def name() -> str:
    """Return the library's place under the static files; another version has another."""
    made_by = f"vl-convert-python {version('vl-convert-python')}"
    return f"charts/vega.{hashlib.sha256(made_by.encode()).hexdigest()[:12]}.js"


def begin() -> subprocess.Popen[bytes] | None:
    """Start to write the library where it is missing; None where it is there."""
    place = Path(settings.STATIC_ROOT) / name()
    if place.exists() and place.with_name(f"{place.name}.gz").exists():
        return None
    return subprocess.Popen(
        (sys.executable, "-E", "-m", "pipelines.charts.bundle", str(place)),
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(child: subprocess.Popen[bytes] | None) -> str:
    """Wait until the library is written; what went wrong, or "": pages do without it, too."""
    if child is None:
        return ""
    try:
        _, problem = child.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return f"The chart library was not written within {SECONDS:.0f} s; charts are pictures."
    if child.returncode:
        told = problem.decode(errors="replace").strip().splitlines()[-1:]
        return f"The chart library was not written; charts are pictures: {''.join(told)}"
    return ""
