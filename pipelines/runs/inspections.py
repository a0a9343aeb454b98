"""What an upload holds, asked before any run: computed by a child of its own, kept by digest.

The asking process imports no numeric library and survives whatever the file does to the child.
"""

import os
import shutil
import tempfile
import threading
from pathlib import Path

from django.conf import settings

from personas.errors import Busy, Invalid
from pipelines import catalogue
from pipelines.artefacts.actions import storage
from pipelines.artefacts.models import Artefact, Inspection
from pipelines.blueprints.refs import Json
from pipelines.runs.lanes import Lane, Result, Work

OPERATION = "inspect_upload"
AT_ONCE = 2  # children of one process; each may take the operation's whole memory limit
WAIT_SECONDS = 10.0
LONGEST = 120.0  # seconds; somebody waits for the answer
MEDIA = ("csv", "parquet")

seats = threading.BoundedSemaphore(AT_ONCE)


def inspect(artefact: Artefact, *, name: str = "") -> dict[str, Json]:
    """Return what the content holds: columns, problems, suggestions.

    Raises Invalid for other media and for what breaks the limits, Busy while others are looked
    at, StorageError.
    """
    name = name or artefact.name or "upload"
    if artefact.media not in MEDIA:
        raise Invalid(
            f"{name} cannot be inspected.",
            fields={"media": [f"must be one of {', '.join(MEDIA)}, got {artefact.media!r}"]},
        )
    version = catalogue.spec(OPERATION).version
    known = Inspection.objects.filter(artefact=artefact, operation_version=version, name=name)
    kept = known.first()
    if kept is not None:
        found: dict[str, Json] = kept.found
        return found
    found = _compute(artefact, name)
    row = Inspection(artefact=artefact, operation_version=version, name=name, found=found)
    Inspection.objects.bulk_create([row], ignore_conflicts=True)
    return found


def _compute(artefact: Artefact, name: str) -> dict[str, Json]:
    if not seats.acquire(timeout=WAIT_SECONDS):
        raise Busy("inspections_busy", "Other uploads are being looked at; try again soon.")
    scratch = settings.VAR / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    # A worker that starts removes the folders of processes that are no more.
    folder = Path(tempfile.mkdtemp(dir=scratch, prefix=f"{os.getpid()}-inspect-"))
    try:
        return _facts(_perform(artefact, name, folder), name)
    finally:
        seats.release()
        shutil.rmtree(folder, ignore_errors=True)


def _perform(artefact: Artefact, name: str, folder: Path) -> Result:
    spec = catalogue.spec(OPERATION)
    upload = folder / f"upload.{artefact.media}"
    upload.symlink_to(storage().local(artefact.pk, folder).absolute())
    outputs = folder / "out"
    outputs.mkdir()
    lane = Lane(0, folder)
    work = Work(
        operation=OPERATION,
        params={"name": name},
        inputs={"upload": str(upload)},
        many={},
        seed=0,
        folder=outputs,
        max_runtime=min(spec.max_runtime, LONGEST),
        max_memory=spec.max_memory,
    )
    try:
        return lane.perform(work, lambda message: None, beat_every=LONGEST)
    finally:
        lane.kill()


def _facts(result: Result, name: str) -> dict[str, Json]:
    if result.kind == "done":
        facts: dict[str, Json] = result.message["facts"]
        return facts
    error = result.message.get("error", {})
    rule = error.get("message", f"the inspection ended as {result.kind}")
    raise Invalid(f"{name} cannot be inspected.", fields={"file": [f"{name}: {rule}"]})
