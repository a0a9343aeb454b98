"""The embedded servers: started once, found by others, recovered after a kill, stopped by name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from portal import embedded
from portal.embedded import identity, postgres, valkey
from portal.embedded.places import explain, runs

ROOT = Path(__file__).resolve().parents[2]
# A process of its own that starts the servers in the folder of its first argument.
STARTER = """
import sys
from pathlib import Path
import django.conf
django.conf.settings.configure(OWNER_ROLE="baton_owner", APPLICATION_ROLE="baton")
from portal import embedded
var = Path(sys.argv[1])
hold = embedded.ensure(embedded.Places(var=var, sockets=var / "run"))
print(",".join(hold.started) or "found", flush=True)
sys.stdin.readline()
"""


def places_in(var: Path) -> embedded.Places:
    return embedded.Places(var=var, sockets=var / "run")


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder whose servers the tests of this file start, kill and stop."""
    folder = tmp_path_factory.mktemp("servers")
    yield folder
    embedded.stop(places_in(folder))


@pytest.fixture
def hold(var: Path) -> Iterator[embedded.Hold]:
    found = embedded.ensure(places_in(var))
    yield found
    found.release()


def ask(places: embedded.Places, sql: str, *, user: str = "baton", database: str = "baton") -> list:
    with closing(
        psycopg2.connect(host=str(places.sockets), user=user, dbname=database)
    ) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


def postmaster(places: embedded.Places) -> int:
    return int((places.data / "postmaster.pid").read_text().split("\n", 1)[0])


def starter(var: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(var)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)


def test_application_role_owns_nothing(hold: embedded.Hold) -> None:
    ask(hold.places, "CREATE TABLE IF NOT EXISTS owned (n int)", user="baton_owner")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(hold.places, "DROP TABLE owned")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(hold.places, "CREATE TABLE mine (n int)")


def test_collation_encoding_and_checksums(hold: embedded.Hold) -> None:
    rows = ask(
        hold.places,
        "SELECT datcollate, pg_encoding_to_char(encoding), current_setting('data_checksums'),"
        " current_setting('listen_addresses') FROM pg_database WHERE datname = 'baton'",
    )
    assert rows == [("C.UTF-8", "UTF8", "on", "")]


def test_valkey_keeps_its_file_and_evicts_nothing(hold: embedded.Hold) -> None:
    with redis.Redis(unix_socket_path=str(hold.places.sockets / "valkey.sock")) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("port") == {"port": "0"}


def test_survives_kill_of_postgres_without_losing_a_commit(hold: embedded.Hold) -> None:
    ask(hold.places, "CREATE TABLE IF NOT EXISTS kept (n int)", user="baton_owner")
    ask(hold.places, "INSERT INTO kept VALUES (7)", user="baton_owner")
    before = postmaster(hold.places)
    os.kill(before, signal.SIGKILL)
    again = embedded.ensure(hold.places)
    assert "PostgreSQL" in again.started
    assert postmaster(hold.places) != before
    assert ask(hold.places, "SELECT n FROM kept", user="baton_owner") == [(7,)]


def test_survives_kill_of_valkey(hold: embedded.Hold) -> None:
    path = str(hold.places.sockets / "valkey.sock")
    with redis.Redis(unix_socket_path=path) as client:
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while valkey.answers(hold.places) and time.monotonic() < until:
        time.sleep(0.01)
    embedded.ensure(hold.places)
    with redis.Redis(unix_socket_path=path) as client:
        assert client.ping()


def test_stale_pid_that_another_process_has_now(hold: embedded.Hold) -> None:
    places = hold.places
    assert postgres.stop(places)
    somebody = subprocess.Popen(["sleep", "60"])
    try:
        lines = [str(somebody.pid), str(places.data), "0", "5432", str(places.sockets), "", ""]
        (places.data / "postmaster.pid").write_text("\n".join(lines))
        embedded.ensure(places)
        assert ask(places, "SELECT 1") == [(1,)]
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()


def test_a_dropped_database_is_made_again(hold: embedded.Hold) -> None:
    before = postmaster(hold.places)
    ask(hold.places, "DROP DATABASE baton WITH (FORCE)", user="postgres", database="postgres")
    embedded.ensure(hold.places)
    assert ask(hold.places, "SELECT current_user") == [("baton",)]
    assert postmaster(hold.places) == before


def test_more_clients_than_it_takes_is_no_reason_to_start_another(hold: embedded.Hold) -> None:
    place = {"host": str(hold.places.sockets), "user": "postgres", "dbname": "baton"}
    clients = []
    try:
        clients.extend(psycopg2.connect(**place) for _ in range(100))
        with pytest.raises(psycopg2.OperationalError, match="too many clients"):
            psycopg2.connect(**place)
        assert postgres.answers(hold.places)
    finally:
        for client in clients:
            client.close()


def test_says_what_postgres_said_and_does_not_try_for_ever(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    embedded.ensure(places, redis=False).release()
    with (places.data / "postgresql.auto.conf").open("a") as file:
        file.write("max_connections = nonsense\n")
    began = time.monotonic()
    with pytest.raises(embedded.EmbeddedError, match="max_connections"):
        embedded.ensure(places, redis=False)
    assert time.monotonic() - began < 60


def test_half_made_data_are_made_again(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    places.data.mkdir(parents=True)
    (places.data / "base").mkdir()  # as left by a machine that lost power during initdb
    found = embedded.ensure(places, redis=False)
    try:
        assert ask(places, "SELECT 1") == [(1,)]
    finally:
        assert found.release() == ["PostgreSQL"]


def test_two_processes_at_once_start_one_server(tmp_path: Path) -> None:
    processes = [starter(tmp_path) for _ in range(3)]
    try:
        said = sorted(process.stdout.readline().strip() for process in processes)
        assert said == ["PostgreSQL,Valkey", "found", "found"]
        assert ask(places_in(tmp_path), "SELECT 1") == [(1,)]
        finish(processes.pop())
        assert embedded.stop(places_in(tmp_path), unless_used=True) == []  # two still use it
    finally:
        for process in processes:
            finish(process)
        assert embedded.stop(places_in(tmp_path)) == ["Valkey", "PostgreSQL"]


def test_servers_outlive_the_process_that_started_them(tmp_path: Path) -> None:
    process = starter(tmp_path)
    assert process.stdout.readline().strip() == "PostgreSQL,Valkey"
    process.kill()
    process.communicate()
    try:
        assert ask(places_in(tmp_path), "SELECT 1") == [(1,)]
        # Its use died with it, so the servers count as unused.
    finally:
        assert embedded.stop(places_in(tmp_path), unless_used=True) == ["Valkey", "PostgreSQL"]
    assert embedded.stop(places_in(tmp_path)) == []


def test_long_path_gets_sockets_elsewhere(tmp_path: Path) -> None:
    var = tmp_path / ("long-" * 20) / ("path-" * 10)
    code = (
        "from django.conf import settings; from portal import embedded;"
        "hold = embedded.ensure_configured(); print(settings.SOCKETS); hold.release()"
    )
    environment = {**os.environ, "BATON_VAR": str(var), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    sockets = Path(done.stdout.strip())
    assert not sockets.is_relative_to(var)
    assert (var / "sockets").read_text() == str(sockets)
    assert sockets.stat().st_mode & 0o077 == 0
    sockets.rmdir()  # the servers removed their sockets when they stopped


def test_refuses_a_socket_folder_that_others_can_enter(tmp_path: Path) -> None:
    sockets = tmp_path / "shared"
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)
    with pytest.raises(embedded.EmbeddedError, match="not a private folder"):
        embedded.ensure(embedded.Places(var=tmp_path / "var", sockets=sockets))


def test_refuses_data_of_another_version(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    places.data.mkdir(parents=True)
    (places.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(embedded.EmbeddedError, match=r"made by PostgreSQL 15, this one is 18"):
        embedded.ensure(places, redis=False)


def test_names_a_full_disk(tmp_path: Path) -> None:
    said = 'initdb: error: could not write to file "x": No space left on device'
    assert "is full" in str(explain("PostgreSQL", said, tmp_path))
    assert "is full" not in str(explain("PostgreSQL", "FATAL: bad option", tmp_path))


def test_a_bare_pid_proves_nothing() -> None:
    assert not runs(os.getpid(), "postgres", "/nowhere")
    assert not runs(2**22 + 1, "postgres", "/nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
@pytest.mark.parametrize("way", [identity.namespaced, identity.nobody])
def test_root_runs_postgres_as_somebody_else(tmp_path_factory, way) -> None:
    # Below the temp dir itself, as nobody cannot enter pytest's private folders.
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    folder.chmod(0o755)
    places = places_in(folder)
    who = way()
    if way is identity.namespaced and identity.choose().name != "namespaced":
        pytest.skip("user namespaces are forbidden here")
    found = embedded.ensure(places, redis=False, identity=who)
    try:
        assert ask(places, "SELECT 1") == [(1,)]
        assert places.data.stat().st_uid == who.uid
    finally:
        assert found.release() == ["PostgreSQL"]
        subprocess.run(["rm", "-r", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_nobody_gets_data_elsewhere_when_it_cannot_enter(tmp_path: Path) -> None:
    places = places_in(tmp_path)  # below a folder of mode 0700
    found = embedded.ensure(places, redis=False, identity=identity.nobody())
    elsewhere = Path(places.data_elsewhere.read_text())
    try:
        assert not elsewhere.is_relative_to(tmp_path)
        assert ask(places, "SELECT 1") == [(1,)]
    finally:
        found.release()
        subprocess.run(["rm", "-r", str(elsewhere.parent)], check=True)
