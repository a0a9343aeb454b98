"""The simulation's database: beside the one that people work in, on the same server."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg2
from django.conf import settings
from psycopg2 import errors

from portal.supervisor import python

TRUTH: Final = "truth.json"


class SimulationError(Exception):
    """The simulation's database cannot be made; the message says what to do."""


def name() -> str:
    """Return the database's name. Raises SimulationError where these settings name a real one."""
    found = str(settings.DATABASES["default"]["NAME"])
    if not settings.SIMULATION:
        raise SimulationError(
            f"{found} is a real database: set BATON_SIMULATION=yes (`manage.py simulate` and"
            " `--simulation` do) to work in the simulation beside it."
        )
    return found


def truth_file() -> Path:
    """Return where the ground truth of this simulation is written."""
    return Path(settings.VAR) / "simulation" / TRUTH


def exists() -> bool:
    """Whether the simulation's database is there. Raises SimulationError."""
    with _server() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name()])
        return cursor.fetchone() is not None


def make() -> None:
    """Make the database and its tables. Raises SimulationError."""
    with _server() as cursor:
        cursor.execute(f"CREATE DATABASE {_quoted(name(), cursor)}")
    done = subprocess.run(
        python(str(settings.BASE_DIR / "manage.py"), "migrate", "--verbosity", "0"),
        env={**os.environ, "BATON_DB_ROLE": "owner", "BATON_SIMULATION": "yes"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SimulationError(f"{name()} could not be given its tables:\n{done.stdout.strip()}")


def remove() -> None:
    """Remove the database and its ground truth. Raises SimulationError where somebody uses it."""
    with _server() as cursor:
        try:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(name(), cursor)}")
        except errors.ObjectInUse as problem:
            raise SimulationError(
                f"{name()} is in use: stop what serves it, then try again."
            ) from problem
    truth_file().unlink(missing_ok=True)


@contextmanager
def _server() -> Iterator[Any]:
    """Talk to the server as the owner, in the real database, which this never changes."""
    given: dict[str, Any] = settings.DATABASE_AS_OWNER
    real = str(given["NAME"]).removesuffix(settings.SIMULATION_SUFFIX)
    try:
        connection = psycopg2.connect(
            host=given.get("HOST") or None,
            port=given.get("PORT") or None,
            user=given.get("USER") or None,
            password=given.get("PASSWORD") or None,
            dbname=real,
        )
    except psycopg2.OperationalError as problem:
        raise SimulationError(f"The server does not answer: {str(problem).strip()}") from problem
    with closing(connection):
        connection.autocommit = True  # databases are made and dropped outside of transactions
        with connection.cursor() as cursor:
            yield cursor


def _quoted(text: str, cursor: Any) -> str:
    quoted: str = psycopg2.extensions.quote_ident(text, cursor)
    return quoted
