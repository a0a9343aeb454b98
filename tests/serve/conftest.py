"""A real prediction process on a free port, on the test database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from personas.actions import issue_token
from personas.ledger import ENGINE
from tests.release import Release, person, release

ROOT = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Endpoint:
    """A process that answers, and a client whose token may ask."""

    process: "subprocess.Popen[bytes]"
    http: httpx.Client


@dataclass(frozen=True)
class Asking:
    """A release, and a client that may ask its model."""

    release: Release
    http: httpx.Client

    def predict(self, rows: list[dict[str, object]], **more: object) -> httpx.Response:
        path = f"/v1/models/{self.release.model.name}/predict"
        return self.http.post(path, json={"rows": rows, **more})


@pytest.fixture(scope="module")
def process(process_environment_for_module: dict[str, str]) -> Iterator[tuple[str, object]]:
    """One process for the tests of a module."""
    port = _free_port()
    environment = process_environment_for_module | {
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws",
         "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning",
         "portal.serve.app:app"],
        cwd=ROOT, env=environment,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/v2/health/ready").status_code == 200:
                break
        except httpx.TransportError:
            pass
        assert child.poll() is None, "the prediction process ended"
        time.sleep(0.1)
    yield address, child
    child.terminate()
    child.wait(15)


@pytest.fixture(scope="module")
def process_environment_for_module(django_db_setup: None) -> dict[str, str]:
    """As the fixture `process_environment`, for a whole module."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    host = str(database["HOST"]).replace("/", "%2F")
    address = f"postgres://baton@{host}:{database['PORT'] or 5432}/test_baton_{settings.SLOT}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "BATON_DB_ROLE": "application",
        "DATABASE_URL": address,
        "REDIS_URL": settings.REDIS_URL,
        "ARTEFACT_URL": settings.ARTEFACT_URL,
    }


@pytest.fixture
def asking(transactional_db: None, process: tuple[str, object]) -> Iterator[Asking]:
    """An approved version that is not deployed yet, and somebody who may ask."""
    made = release()
    client = person("Cleo", use_case=made.case, persona="SWE")
    _, secret = issue_token(
        actor=ENGINE, user=client, name="t", scopes=["predict"], lifetime=timedelta(hours=1)
    )
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=process[0], headers=headers, timeout=10) as http:
        # The process may still know the line of the last test's model, whose use case is gone.
        until = time.monotonic() + 30
        while http.get(f"/v2/models/{made.model.name}").status_code == 403:
            assert time.monotonic() < until, "the process still refuses a person with a seat"
            time.sleep(0.05)
        yield Asking(made, http)
        # What waits for the log refers to rows that the next test's database no longer has.
        while http.get("/v2/health/ready").json()["log_waiting"]:
            time.sleep(0.05)
