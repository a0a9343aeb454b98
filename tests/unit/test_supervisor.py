"""The supervisor: restarts with a growing pause, stops gently, leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from portal.supervisor import Child, OnlyOne, Supervisor

# Says "ready", and on SIGTERM "bye"; its own child would hold a port if it were forgotten.
GENTLE = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), sys.exit(0)))
print("ready", subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def said() -> list[str]:
    return []


def child(folder: Path, code: str) -> Child:
    return Child("part", [sys.executable, "-c", code], folder / "part.log")


def wait_for(condition, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_stops_gently_and_leaves_no_grandchild(tmp_path: Path, said: list[str]) -> None:
    part = child(tmp_path, GENTLE)
    part.start()
    wait_for(lambda: "ready" in part.log.read_text())
    grandchild = int(part.log.read_text().split()[1])
    Supervisor([part], say=said.append).stop()
    assert part.log.read_text().endswith("bye\n")
    wait_for(lambda: not lives(grandchild))
    assert said == []


def test_kills_what_does_not_stop(tmp_path: Path, said: list[str], monkeypatch) -> None:
    monkeypatch.setattr("portal.supervisor.STOP_SECONDS", 0.2)
    part = child(tmp_path, DEAF)
    part.start()
    wait_for(lambda: "ready" in part.log.read_text())
    Supervisor([part], say=said.append).stop()
    assert part.process.returncode == -signal.SIGKILL
    assert said == ["part did not stop within 0 s: killed."]


def test_starts_a_dead_child_again_after_a_growing_pause(tmp_path: Path, said: list[str]) -> None:
    part = child(tmp_path, "raise SystemExit(3)")
    part.pause = 0.05
    supervisor = Supervisor([part], say=said.append)
    supervisor.each_turn = lambda: setattr(supervisor, "stopping", len(said) >= 3)
    keep = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        supervisor.run()
    finally:
        for number, handler in keep.items():
            signal.signal(number, handler)
    assert [line.split(";")[0] for line in said] == ["part ended with status 3"] * 3
    assert [line.split(" in ")[1].split(" s.")[0] for line in said] == ["0.05", "0.1", "0.2"]


def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from portal.supervisor import Child;"
        "c = Child('part', ['sleep', '60'], Path(sys.argv[1]));"
        "c.start(); print(c.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
    ) as supervisor:
        pid = int(supervisor.stdout.readline())
        assert lives(pid)
        supervisor.kill()
    wait_for(lambda: not lives(pid))


def test_only_one_supervises_a_folder(tmp_path: Path) -> None:
    first, second = OnlyOne(tmp_path), OnlyOne(tmp_path)
    assert first.who() is None
    assert first.take("http://here") is None
    running = second.take("http://there")
    assert running is not None
    assert (running.pid, running.url) == (os.getpid(), "http://here")
    first.give_back()
    assert second.who() is None
    assert second.take("http://there") is None
    second.give_back()


def test_one_of_many_wins_the_folder(tmp_path: Path) -> None:
    contenders = [OnlyOne(tmp_path) for _ in range(8)]
    won = []
    threads = [
        threading.Thread(target=lambda c=c: won.append(c) if c.take("x") is None else None)
        for c in contenders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].give_back()
