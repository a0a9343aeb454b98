"""`manage.py up` as a person uses it: real processes, killed, refused and stopped."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from django.core.management import CommandError, call_command

from tests import prepared

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.faults, pytest.mark.slow]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Checkout:
    """One folder and two ports; runs manage.py as from a fresh shell."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port, serve_port = free_port(), free_port()
        # Nothing is computed here, so the workers' children need no libraries.
        self.environment = prepared.outside(
            var,
            BATON_PORT=str(self.port),
            BATON_SERVE_PORT=str(serve_port),
            BATON_WARM_IMPORTS="",
        )
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def up(self) -> subprocess.Popen[str]:
        """Start and wait for the line with the address."""
        process = self.start("up")
        self.hear(process, f"Baton serves at http://127.0.0.1:{self.port}")
        return process

    def hear(self, process: subprocess.Popen[str], text: str) -> None:
        """Read lines until one has the text; fails with what was said instead."""
        said = []
        for line in process.stdout:
            said.append(line)
            if text in line:
                return
        pytest.fail(f"{text!r} was not said, but: {''.join(said)}")

    def say(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said

    def get(self, path: str) -> int:
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            asked.request("GET", path)
            return asked.getresponse().status
        except OSError:
            return 0
        finally:
            asked.close()

    def processes(self) -> list[psutil.Process]:
        """All that belong to this folder: the variable travels to every descendant."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("BATON_VAR") == str(self.var)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def one(self, word: str) -> psutil.Process:
        """The supervisor's child whose command line has the word."""
        return next(
            p
            for p in self.processes()
            if word in " ".join(p.cmdline()) and os.getpgid(p.pid) == p.pid
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "var")
    yield made
    made.say("down")
    for process in made.started:
        process.kill()
        process.communicate()


@pytest.fixture
def prepared_checkout(checkout: Checkout) -> Checkout:
    """One that has been started before: its tables are there."""
    prepared.fill(checkout.var)
    return checkout


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.05)


def test_serves_refuses_a_second_outlives_its_web_process_and_stops_everything(
    checkout: Checkout,
) -> None:
    first = checkout.up()
    assert checkout.get("/healthz") == 200
    assert checkout.get("/readyz") == 200
    status, said = checkout.say("up")
    assert status == 1
    assert f"Baton already runs on {checkout.var}: process {first.pid}" in said
    assert f"http://127.0.0.1:{checkout.port}" in said
    checkout.one("portal.asgi").kill()
    checkout.hear(first, "web ended with status -9")
    wait_for(lambda: checkout.get("/readyz") == 200)
    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=40)
    assert "Baton has stopped. Valkey too. PostgreSQL too." in said
    assert "killed" not in said
    assert checkout.processes() == []


def test_killed_servers_serve_again(prepared_checkout: Checkout) -> None:
    checkout = prepared_checkout
    up = checkout.up()
    pid = int((checkout.var / "pg" / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(pid, signal.SIGKILL)
    with redis.Redis(unix_socket_path=str(checkout.var / "run" / "valkey.sock")) as client:
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
    checkout.hear(up, "An embedded server had ended; it was started again.")
    wait_for(lambda: checkout.get("/readyz") == 200)
    up.send_signal(signal.SIGTERM)
    said, _ = up.communicate(timeout=40)
    assert "Valkey too. PostgreSQL too." in said


def said_by(process: psutil.Process) -> str:
    """The command line; nothing of one that has ended and waits to be forgotten."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # zombies, too
        return ""


def test_after_a_killed_supervisor_all_end_and_the_next_one_serves(
    prepared_checkout: Checkout,
) -> None:
    checkout = prepared_checkout
    first = checkout.up()
    first.kill()
    first.wait()
    servers = ("postgres", "valkey-server")
    wait_for(lambda: all(any(s in said_by(p) for s in servers) for p in checkout.processes()))
    checkout.up()
    status, said = checkout.say("down")
    assert status == 0
    assert re.search(r"Stopped Baton \(process \d+\)", said)
    wait_for(lambda: checkout.processes() == [])


def test_a_used_port_is_named_with_its_process(checkout: Checkout) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", checkout.port))
        other.listen()
        status, said = checkout.say("up")
    assert status == 1
    assert f"Port {checkout.port} is in use by process {os.getpid()}" in said
    assert "BATON_PORT" in said
    assert not (checkout.var / "pg").exists()


def test_too_little_room_on_the_disk_is_named(tmp_path: Path, monkeypatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=150_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(CommandError, match=r"Only 150 MB are free .* needs 200 MB"):
        call_command("up")


def test_down_with_nothing_running_says_so(checkout: Checkout) -> None:
    assert checkout.say("down") == (0, "Nothing was running.\n")
