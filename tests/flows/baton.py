"""A whole Baton for a test: `manage.py up` on a folder and ports of its own, and its people."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from portal.demo.cast import BY_PERSONA, PLAYERS
from portal.demo.desk import Desk
from tests import prepared

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 90.0
UPLOAD_LIMIT_MB = 4
# The people and blueprints of the demo, and a token for each persona.
PREPARE = """
import json, django
django.setup()
from portal.demo import stage
print(json.dumps(stage.prepare()))
"""


def until(look: Callable[[], Any], *, seconds: float = 60.0, what: str = "") -> Any:
    """Wait for something true and return it; fails after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what or look}")


class Baton:
    """PostgreSQL, Valkey, web, serve, engine and worker, with a desk for each persona."""

    def __init__(self, folder: Path) -> None:
        port, serve_port = _free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        self.serve_url = f"http://127.0.0.1:{serve_port}"
        self.folder = folder
        self.environment = prepared.outside(
            folder / "var",
            BATON_PORT=str(port),
            BATON_SERVE_PORT=str(serve_port),
            BATON_DEMO="1",
            BATON_UPLOAD_LIMIT_MB=str(UPLOAD_LIMIT_MB),
        )
        self.tokens: dict[str, str] = {}
        self.desks: dict[str, Desk] = {}

    @contextmanager
    def running(self) -> Iterator["Baton"]:
        """Serve, with people at their desks, until the end of the block."""
        prepared.fill(self.folder / "var", waits_for_disk=False)
        said = (self.folder / "up.log").open("wb")
        server = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_until_ready(server)
            self._seat_people()
            yield self
        finally:
            for desk in self.desks.values():
                desk.close()
            server.terminate()
            server.wait(timeout=60)
            said.close()

    def _wait_until_ready(self, server: "subprocess.Popen[bytes]") -> None:
        def ready() -> bool:
            assert server.poll() is None, (self.folder / "up.log").read_text()
            try:
                return httpx.get(f"{self.url}/readyz", timeout=2.0).is_success
            except httpx.TransportError:
                return False

        until(ready, seconds=READY_SECONDS, what="/readyz answers")

    def _seat_people(self) -> None:
        self.tokens = json.loads(self.python(PREPARE))
        self.desks = {p: Desk(f"{self.url}/api/v1/", token) for p, token in self.tokens.items()}

    def python(self, source: str) -> str:
        """Run a few lines beside the processes, on the same folder; returns what they print."""
        done = subprocess.run(
            [sys.executable, "-c", source],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage(self, *words: str) -> str:
        """Run a management command on the same folder; returns what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def bring(self, content: bytes, name: str = "rows.csv", *, by: str = "BA") -> dict[str, Any]:
        """Upload a file; returns the part of a run's input that names it. Raises Refused."""
        kept = self.desks[by].post("artefacts", files={"file": (name, content)})
        return {"name": name.rsplit(".", 1)[0], "digest": kept["digest"], "media": kept["media"]}

    def frame(self, title: str, blueprint: str, **more: Any) -> str:
        """The analyst opens a use case and gives the others their seats; returns its key."""
        analyst = self.desks["BA"]
        made = analyst.post("use-cases", {"title": title, "blueprint": blueprint, **more})
        for player in PLAYERS:
            if player.persona != "BA":
                seat = {"user": player.login, "persona": player.persona}
                analyst.post(f"use-cases/{made['key']}/seats", seat)
        return str(made["key"])

    @property
    def sockets(self) -> str:
        """Where its PostgreSQL listens; the launcher notes where the path would be too long."""
        var = self.folder / "var"
        noted = var / "sockets"
        return noted.read_text(encoding="utf-8") if noted.is_file() else str(var / "run")

    def hurry(self, run: int) -> None:
        """Let the waits of a run's steps be over now: what they wait for has been done."""
        database = psycopg2.connect(host=self.sockets, user="baton", dbname="baton")
        with closing(database), database, database.cursor() as cursor:
            cursor.execute(
                "UPDATE runs_step SET retry_at = now() WHERE run_id = %s"
                " AND state = 'RETRY_WAIT' AND retry_at > now()",
                [run],
            )

    def answers(self, model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What a live model says of rows; waits for it to be live where predictions are made.

        That process reads its routes again every second or so: when a stage is just done it may
        still know the canary, or nobody but the fallback.
        """

        def look() -> list[dict[str, Any]] | None:
            said = httpx.post(
                f"{self.serve_url}/v1/models/{model}/predict",
                json={"rows": rows},
                headers={"Authorization": f"Bearer {self.tokens['SWE']}"},
            )
            assert said.is_success, said.text
            found: list[dict[str, Any]] = said.json()["predictions"]
            by = {(answer["served_by"], answer["mode"]) for answer in found}
            return found if by == {("model", "live")} else None

        answers: list[dict[str, Any]] = until(look, what="the live model answers")
        return answers

    def run(self, key: str, **body: Any) -> int:
        """The analyst starts a run of a use case."""
        return int(self.desks["BA"].post(f"use-cases/{key}/runs", body)["run"])

    def wait(self, run: int, look: Callable[[dict[str, Any]], Any], *, what: str = "") -> Any:
        """Wait until something is true of a run; fails with the state of its stages."""

        def now() -> dict[str, Any]:
            return self.desks["OPS"].get(f"runs/{run}")

        try:
            return until(lambda: look(now()), what=what)
        except AssertionError as late:
            states = [(stage["key"], stage["state"]) for stage in now()["stages"]]
            raise AssertionError(f"{late}: {now()['state']} {states}") from None


@pytest.fixture(scope="session")
def baton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baton]:
    """One Baton for all tests that want a whole one."""
    with Baton(tmp_path_factory.mktemp("baton")).running() as running:
        yield running


def login_of(persona: str) -> str:
    """Return the login of the person who acts as a persona."""
    return BY_PERSONA[persona].login


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
