"""A served Baton of its own in a fresh folder, its people, and how figures are printed.

FOLDER names another folder (it goes in the end), where tables may be already.

Import it before anything of Django: it names the folder and sets Django up.
"""

import atexit
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


FOLDER = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="baton-bench-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
PORT, SERVE_PORT = _free_port(), _free_port()
os.environ |= {
    "BATON_VAR": str(FOLDER),
    "BATON_PORT": str(PORT),
    "BATON_SERVE_PORT": str(SERVE_PORT),
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

import django  # noqa: E402
import httpx  # noqa: E402
import psutil  # noqa: E402

django.setup()

from personas.actions import create_user, issue_token, sync_personas  # noqa: E402
from personas.ledger import ENGINE, Actor  # noqa: E402
from personas.models import User  # noqa: E402
from pipelines.runs.models import Run  # noqa: E402
from pipelines.usecases.actions import (  # noqa: E402
    create_use_case,
    give_seat,
    publish_blueprint,
)
from pipelines.usecases.models import BlueprintVersion, UseCase  # noqa: E402
from portal import embedded  # noqa: E402

URL = f"http://127.0.0.1:{PORT}"
MACHINE = {
    "cores": os.cpu_count(),
    "memory_gib": round(psutil.virtual_memory().total / 2**30),
    "python": platform.python_version(),
    "processor": platform.machine(),
}


def report(benchmark: str, what: str, **figures: Any) -> None:
    """Print one line of JSON."""
    line = {
        "benchmark": benchmark,
        "what": what,
        **figures,
        "load_average": round(os.getloadavg()[0], 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **MACHINE,
    }
    print(json.dumps(line), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, in ms of given seconds."""
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def median(values: Sequence[float]) -> float:
    """The median, in ms of given seconds."""
    return round(1000 * statistics.median(values), 1)


def until(condition: Callable[[], Any], *, seconds: float = 60, every: float = 0.002) -> Any:
    """Wait for something true. Raises TimeoutError."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise TimeoutError(f"nothing after {seconds} s")


def ready() -> bool:
    """Whether /readyz says so."""
    try:
        return httpx.get(f"{URL}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def up() -> Iterator[float]:
    """`manage.py up`, ready; yields how many seconds that took."""
    began = time.perf_counter()
    with (FOLDER / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        until(ready, seconds=120, every=0.02)
        yield time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


@contextmanager
def served() -> Iterator[None]:
    """A Baton that is up, with the embedded servers open to this process."""
    with up():
        hold = embedded.ensure_configured()
        try:
            sync_personas()
            time.sleep(6)  # the children's imports
            yield
        finally:
            if hold is not None:
                hold.release()


class Person:
    """Somebody who asks over HTTP, on a connection of their own."""

    def __init__(self, name: str, *personas: str) -> None:
        create_user(actor=ENGINE, username=name, name=name.title(), personas=personas)
        self.user = User.objects.get(username=name)
        self.actor = Actor.person(self.user)
        _, secret = issue_token(
            actor=self.actor, user=self.user, name="bench", lifetime=timedelta(days=1),
            scopes=["read", "write", "decide"],
        )  # fmt: skip
        self.http = httpx.Client(
            base_url=f"{URL}/api/v1/", headers={"Authorization": f"Bearer {secret}"}, timeout=60
        )

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """POST with a key of its own. Raises RuntimeError with what was answered."""
        answer = self.http.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        if answer.status_code >= 300:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found


def use_case(framed_by: Person, seated: Sequence[Person]) -> UseCase:
    """A use case with everybody seated as all they are."""
    made = create_use_case(actor=framed_by.actor, title=f"Bench {uuid.uuid4().hex[:6]}")
    found = UseCase.objects.get(pk=made.data["use_case"])
    for person in seated:
        for persona in person.user.personas.all():
            give_seat(actor=framed_by.actor, use_case=found, user=person.user, persona=persona.code)
    return found


def publish(source: Any) -> BlueprintVersion:
    """Publish a blueprint."""
    answer = publish_blueprint(actor=ENGINE, source=source)
    return BlueprintVersion.objects.get(pk=answer.data["version"])


def state(run: int) -> str:
    """The state of a run."""
    return Run.objects.values_list("state", flat=True).get(pk=run)
