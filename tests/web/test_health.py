"""What machines ask of a Baton: alive, ready, figures."""

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client

from pipelines.artefacts.storage import StorageError
from pipelines.runs.health import EngineFigures, figures
from portal import health

CALM = EngineFigures(
    attempts_queued=0,
    attempts_running=0,
    oldest_unpoked_seconds=0.0,
    outbox_open=0,
    outbox_oldest_seconds=0.0,
)


@pytest.fixture(autouse=True)
def _ask_storage_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health._Freshness, "until", 0.0)


def test_healthz_asks_nothing(client: Client) -> None:
    answer = client.get("/healthz")  # no database is allowed here: asking it would fail
    assert answer.json() == {"state": "alive"}
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_readyz_when_all_is_well(client: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"state": "ready", "problems": {}}


def test_readyz_names_a_late_engine(client: Client, monkeypatch) -> None:
    late = EngineFigures(**{**vars(CALM), "outbox_oldest_seconds": 31.0})
    monkeypatch.setattr(health, "figures", lambda: late)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == {
        "database and engine": "the engine is 31 s behind (limit 30 s)"
    }


def test_readyz_names_a_silent_database_without_its_address(client: Client, monkeypatch) -> None:
    def fail() -> EngineFigures:
        raise DatabaseError("connection to 10.0.0.7 failed for user secret")

    monkeypatch.setattr(health, "figures", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "10.0.0.7" not in answer.content.decode()
    assert "the database does not answer" in answer.content.decode()


def test_readyz_names_a_store_that_takes_no_write(client: Client, monkeypatch) -> None:
    class Full:
        def check_writable(self) -> None:
            raise StorageError("Cannot store 1 bytes: disk full")

    monkeypatch.setattr(health, "figures", lambda: CALM)
    monkeypatch.setattr(health, "storage", Full)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == {"storage": "Cannot store 1 bytes: disk full"}


@pytest.mark.django_db
def test_metrics_for_prometheus(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    assert "baton_database_up 1.0" in text
    assert "baton_engine_lag_seconds 0.0" in text
    assert "process_resident_memory_bytes" in text


def test_metrics_without_a_database(client: Client, monkeypatch) -> None:
    def fail() -> EngineFigures:
        raise DatabaseError

    monkeypatch.setattr(health, "figures", fail)
    assert "baton_database_up 0.0" in client.get("/metrics").content.decode()


@pytest.mark.django_db
def test_lag_counts_what_waits_for_the_engine() -> None:
    assert figures() == CALM
    assert CALM.lag_seconds == 0


def test_no_answer_to_writing(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.post(path).status_code == 405


def test_every_answer_carries_the_strict_policy(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'"):
        assert rule in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_the_application_may_change_rows_but_no_table() -> None:
    owner = settings.DATABASES["default"]["USER"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('baton', 'personas_user', 'INSERT'),"
            " has_table_privilege('baton', 'personas_user', 'TRUNCATE'),"
            " (SELECT tableowner FROM pg_tables WHERE tablename = 'personas_user')"
        )
        assert cursor.fetchone() == (True, False, owner)
        cursor.execute("SET LOCAL ROLE baton")
        cursor.execute("SELECT count(*) FROM personas_user")
        cursor.execute("SELECT nextval(pg_get_serial_sequence('personas_event', 'id'))")
