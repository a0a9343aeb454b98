"""Real processes of the engine on the test database: started, watched, killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import redis

from portal.embedded import valkey

ROOT = Path(__file__).resolve().parents[2]
LEASE = 2.0
PATIENCE = 45.0  # processes start slowly on a busy machine
FAST = {"BATON_LEASE_SECONDS": "2", "BATON_SWEEP_SECONDS": "0.2", "BATON_WARM_IMPORTS": ""}
CELERY = (
    *("-m", "celery", "-q", "-A", "portal.celery", "worker", "-P", "threads", "-c", "2"),
    *("-Q", "cpu", "-l", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
# For a process that knows the operations of tests/faults/operations, which others do not.
NEW_CODE = {
    "PYTHONPATH": f"{ROOT / 'tests' / 'faults' / 'site'}{os.pathsep}{ROOT}",
    "BATON_TEST_KNOWS": "once",
}
# A worker that would look only once an hour: what it does, it was woken for.
UNPOLLED = """
import sys
from portal.celery import app
import django
django.setup()
from pipelines.runs import worker
worker.POLL_SECONDS = 3600
sys.argv[0] = "celery"
app.worker_main(sys.argv[1:])
"""


def until(condition: Callable[[], Any], *, seconds: float = PATIENCE, what: str = "") -> Any:
    """Wait for something true and return it; fails after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what or condition}")


class Processes:
    """Engine and workers of one test; all of them are gone when it ends."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment = {**environment, **FAST}
        self.logs = logs
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a Python process in its own process group; `more` goes into its environment."""
        number = len(self.running)
        with (self.logs / f"{number}-{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env={**self.environment, **more},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def engine(self, **more: str) -> subprocess.Popen[bytes]:
        """Relay, sweeper, timers and outbox."""
        return self.start("engine", "manage.py", "engine", **more)

    def work(self, **more: str) -> subprocess.Popen[bytes]:
        """A worker without Celery."""
        return self.start("work", "manage.py", "work", **more)

    def celery(self, **more: str) -> subprocess.Popen[bytes]:
        """A Celery worker, ready to consume."""
        return self._ready(self.start("celery", *CELERY, **more))

    def unpolled(self, **more: str) -> subprocess.Popen[bytes]:
        """A Celery worker that never looks by itself, ready to consume."""
        return self._ready(self.start("celery", "-c", UNPOLLED, *CELERY[5:], **more))

    def _ready(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        until(lambda: " ready." in self.said(process), what="the Celery worker is ready")
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """What a process has logged so far."""
        number = self.running.index(process)
        return next(self.logs.glob(f"{number}-*.log")).read_text(errors="replace")

    def children(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """The computing children of a worker."""
        return psutil.Process(process.pid).children()

    def end(self) -> None:
        """Kill what still runs; a worker's children see their input end."""
        for process in self.running:
            family = []
            if process.poll() is None:
                try:
                    family = self.children(process)
                except psutil.NoSuchProcess:
                    family = []
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for child in family:
                if child.is_running():
                    child.kill()


class OwnRedis:
    """A Redis of one test's own, which may be killed."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it, empty."""
        self.process = subprocess.Popen(
            [valkey._binary(), "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        until(self._answers, what="Redis answers")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it without warning."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
