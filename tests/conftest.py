"""Starts the embedded servers for the tests, and empties what a test left in Redis."""

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from personas.models import User
from portal import embedded
from portal.catalogues import compile_stale
from portal.embedded import postgres
from tests.cast import Cast
from tests.flows.baton import baton
from tests.prepared import migrations_digest

__all__ = ["baton"]

# As in worker children: threads that wait for each other made small fits ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
_HOLD: list[embedded.Hold] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers; make the database again when a migration has changed."""
    if config.option.help or config.option.version or config.option.collectonly:
        return
    compile_stale()
    hold = embedded.ensure_configured()
    if hold is not None:
        _HOLD.append(hold)
    if settings.EMBEDDED_DATABASE:
        _wait_for_no_disk()
    if _recorded() != migrations_digest():
        config.option.create_db = True


def _wait_for_no_disk() -> None:
    """Let the tests' server leave writing to the kernel: no test cuts the power.

    Emptying sixty tables after each test that commits is mostly waiting for the disk otherwise.
    """
    with closing(postgres._connect(embedded.configured(), "postgres")) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("ALTER SYSTEM SET full_page_writes = off")
            cursor.execute("SELECT pg_reload_conf()")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers unless another test run uses them."""
    while _HOLD:
        _HOLD.pop().release()


def _record_file() -> Path:
    return Path(settings.VAR) / f"slot-{settings.SLOT}.migrations"


def _recorded() -> str:
    path = _record_file()
    return path.read_text(encoding="utf-8") if path.exists() else ""


def pytest_collection_finish() -> None:
    """Look no more for rubbish among what was imported and collected: it stays to the end."""
    gc.collect()
    gc.freeze()


def find_chromium() -> str:
    """Path of the Chromium to drive; empty when this machine has none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM", "") or next(filter(None, map(shutil.which, names)), "")
    return found or ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first; without a Chromium skip the browser tests or refuse to go on."""
    # Of two processes none should begin a walk of minutes when the other has run out of tests; and
    # of what wants a whole Baton one process takes all, for each has to start one of its own.
    items.sort(
        key=lambda item: (
            "baton" not in getattr(item, "fixturenames", ()),
            item.get_closest_marker("slow") is None,
        )
    )
    walks = [item for item in items if item.get_closest_marker("browser")]
    if not walks or find_chromium():
        return
    if os.environ.get("BATON_REQUIRE_BROWSER"):
        raise pytest.UsageError(
            f"{len(walks)} browser tests cannot run: no Chromium found (CHROMIUM, chromium, "
            "chromium-browser, google-chrome), and BATON_REQUIRE_BROWSER is set"
        )
    reason = "no Chromium on this machine: install one, or name it with CHROMIUM=/path"
    for item in walks:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium, for playwright's `executable_path`."""
    return find_chromium()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Runs just before the test database is made: an aborted making must not be reused."""
    if _recorded() != migrations_digest():
        _record_file().unlink(missing_ok=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """After the test database was made: remember from which migrations, and see it is empty."""
    _record_file().write_text(migrations_digest(), encoding="utf-8")
    with django_db_blocker.unblock():
        if User.objects.exists():  # a run that was killed in a test that commits leaves its rows
            call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def redis_database() -> Iterator[redis.Redis]:
    """The Redis database of this test run, empty before and after."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def process_environment(django_db_setup: None) -> dict[str, str]:
    """Environment for a real process (engine, worker, web) that uses the test database."""
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
def cast(db: None) -> Cast:
    """The nine named people of tests/cast.py."""
    return Cast.make()
