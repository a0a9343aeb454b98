"""`manage.py simulate`: a database of its own, found again, never overwritten unasked."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from tests.long import at_length

pytestmark = pytest.mark.django_db
ROOT = Path(settings.BASE_DIR)
NAME = f"test_baton_{settings.SLOT}_simulation"


def server() -> psycopg2.extensions.connection:
    given = settings.DATABASES["default"]
    made = psycopg2.connect(
        host=given["HOST"], port=given["PORT"], user=given["USER"], dbname=given["NAME"]
    )
    made.autocommit = True
    return made


def asked(text: str, database: str = "") -> list[tuple[object, ...]]:
    with closing(server()) as made:
        if database:
            host, port, user = made.info.host, made.info.port, made.info.user
            with (
                closing(
                    psycopg2.connect(host=host, port=port, user=user, dbname=database)
                ) as other,
                other.cursor() as cursor,
            ):
                cursor.execute(text)
                return cursor.fetchall()
        with made.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def environment(process_environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """A folder of its own, beside the test database; the simulation goes in the end."""
    address = process_environment["DATABASE_URL"]
    owner = address.replace(f"{settings.APPLICATION_ROLE}@", f"{settings.OWNER_ROLE}@")
    asked(f"DROP DATABASE IF EXISTS {NAME}")
    yield {
        **process_environment,
        "BATON_VAR": str(tmp_path / "var"),
        "DATABASE_OWNER_URL": owner,
        "ARTEFACT_URL": f"file://{tmp_path / 'artefacts'}",
    }
    asked(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def manage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    given = {**environment}
    given.pop("BATON_DB_ROLE", None)
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        env={**os.environ, **given, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_simulate_makes_its_own_database_and_verify_is_silent(
    environment: dict[str, str], tmp_path: Path
) -> None:
    before = asked("SELECT count(*) FROM personas_event", f"test_baton_{settings.SLOT}")
    days = str(at_length(15, else_=10))
    small = ("simulate", "--days", days, "--use-cases", "2", "--seed", "4")
    made = manage(environment, *small)
    assert made.returncode == 0, made.stderr
    assert "events in" in made.stdout

    truth = json.loads((tmp_path / "var" / "simulation" / "truth.json").read_text("utf-8"))
    ((events,),) = asked("SELECT count(*) FROM personas_event", NAME)
    assert truth["complete"] is True
    assert truth["events"] == events
    assert truth["seed"] == 4
    assert {path.parent.parent.name for path in (tmp_path / "artefacts").rglob("?" * 64)} == {
        "simulation"
    }

    verified = manage({**environment, "BATON_SIMULATION": "yes"}, "verify", "--full")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    again = manage(environment, *small)
    assert again.returncode != 0
    assert "has a simulation: 2 use cases" in again.stderr
    assert "--fresh" in again.stderr
    assert asked("SELECT count(*) FROM personas_event", NAME) == [(events,)]
    fresh = manage(environment, *small, "--fresh")
    assert fresh.returncode == 0, fresh.stderr
    assert asked("SELECT count(*) FROM personas_event", NAME) == [(events,)]

    # The database beside it knows nothing of all that.
    assert asked("SELECT count(*) FROM personas_event", f"test_baton_{settings.SLOT}") == before
    assert asked("SELECT count(*) FROM personas_clock", f"test_baton_{settings.SLOT}") == [(0,)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--days", "0"), "--days must be 1 to 3650, got 0"),
        (("--use-cases", "99999"), "--use-cases must be 1 to 10000, got 99999"),
    ],
)
def test_bad_numbers_are_refused(
    environment: dict[str, str], words: tuple[str, ...], told: str
) -> None:
    refused = manage(environment, "simulate", *words)
    assert refused.returncode != 0
    assert told in refused.stderr


def test_up_refuses_a_simulation_that_is_not_there(environment: dict[str, str]) -> None:
    refused = manage(
        {**environment, "BATON_PORT": "8212", "BATON_SERVE_PORT": "8213"}, "up", "--simulation"
    )
    assert refused.returncode != 0
    assert f"There is no {NAME} yet" in refused.stderr
