"""Let a child read the specs of one distribution: it may be broken, slow or worse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipelines.brought import places
from pipelines.confinement import Bounds
from pipelines.operations.contract import Json

READ_SECONDS: Final = 10.0  # own: a spec is light, and reads in a tenth of a second
LARGEST: Final = 1 << 20  # bytes of what it may say
# What Python needs to find itself and its packages; nothing else of ours is theirs to know.
PASSED_ON: Final = ("PATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


def environment() -> dict[str, str]:
    """What a process gets that runs other people's code: where Python looks, and no setting."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    home = Path(__file__).resolve().parents[2]
    places = [str(home), *(place for place in sys.path if place and Path(place) != home)]
    return kept | {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}


def bounds(modules: Collection[str]) -> Bounds:
    """How far the child may go that imports these modules' specs: no other process, no file."""
    return Bounds(
        memory=1024,
        processes=1,
        file_size=1,
        reads=tuple(places.readable(modules)),
        lists=(str(places.home()),),
        writes=places.DEVICES,
        alone=True,
    )


def read(modules: Mapping[str, str]) -> dict[str, dict[str, Json]]:
    """Return {"spec": ...} or {"error": ...} of each name; never raises for what they do."""
    asked = [json.dumps(modules), bounds(modules.values()).as_json()]
    with tempfile.TemporaryFile() as said:
        began = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipelines.brought.reader", *asked],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        late = False
        try:
            code = began.wait(timeout=READ_SECONDS)
            trouble = f"reading it ended the process with status {code}"
        except subprocess.TimeoutExpired:
            late = True
            trouble = f"reading it took longer than {READ_SECONDS:g} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(began.pid, signal.SIGKILL)
            began.wait()
        said.seek(0)
        return _answers(
            said.read(LARGEST), modules, {"error": trouble} | ({"late": True} if late else {})
        )


def _answers(
    said: bytes, modules: Mapping[str, str], trouble: Mapping[str, Json]
) -> dict[str, dict[str, Json]]:
    """One line for each name; what is missing was where the process ended."""
    found: dict[str, dict[str, Json]] = {name: dict(trouble) for name in modules}
    for line in said.splitlines():
        with suppress(ValueError, KeyError, TypeError):
            answer = json.loads(line)
            if answer["name"] in modules:
                found[answer["name"]] = answer
    return found
