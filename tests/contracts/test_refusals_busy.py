"""503 with Retry-After on every route: a row that is held, a database that is away or read-only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import psycopg2
import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import Client as DjangoClient
from rest_framework.test import APIClient

from personas import commands
from pipelines.artefacts import actions as artefacts
from pipelines.artefacts.storage import StorageError
from tests.api import world
from tests.cast import Cast
from tests.contracts import test_refusals as refusals
from tests.contracts.refusals import API, MACHINES, SHOWN

pytestmark = pytest.mark.timeout(240)
# Computed without a row: nothing of it waits for anybody.
NO_ROW = ("POST blueprints/lint",)
REPEATABLE = ("PATCH", "PUT", "DELETE")


def test_a_held_database_is_busy_at_every_door(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the receipts and the heads of all streams: whatever writes has to wait."""
    cast = Cast.make()
    cast.tomas.capabilities = ["gate.override"]
    cast.tomas.save()
    things = refusals.things_of(cast, refusals.under_way(cast)) | {"noor": cast.noor.pk}
    monkeypatch.setattr(commands, "LOCK_TIMEOUT", "20ms")
    client = DjangoClient()
    client.force_login(cast.amara)
    with held("personas_receipt", "personas_stream"):
        wrong = [*busy_addresses(cast, things), *busy_pages(cast, things)]
    assert not wrong, "\n".join(map(str, wrong))


def busy_addresses(cast: Cast, things: dict[str, Any]) -> Iterator[tuple[str, int, Any]]:
    for method, pattern in refusals.routes():
        row = API[f"{method} {pattern}"]
        if f"{method} {pattern}" in NO_ROW:
            continue
        where = refusals.address(pattern, things, row.of)
        user, body = refusals.user_of(cast, row.may), refusals.body_of(row, things)
        answer = refusals.ask(user, method, where, body)
        early = method in REPEATABLE and answer.status_code in (200, 204, 409)
        if early or answer.status_code != 503 or not answer.headers.get("Retry-After"):
            yield f"{method} {pattern}", answer.status_code, answer.content
        elif not refusals.problem(answer)["retryable"]:
            yield f"{method} {pattern}", 503, "is not said to be retryable"


def busy_pages(cast: Cast, things: dict[str, Any]) -> Iterator[tuple[str, int, Any]]:
    for pattern, row, key, form in refusals.posts():
        if pattern == "use-cases/{key}/columns/":  # first wants files, and a child to look at them
            continue
        user, where = refusals.user_of(cast, row.may), refusals.page_address(pattern, things, row)
        # Somebody signed in before it became busy.
        with mock.patch("django.contrib.auth.user_logged_in.send"):
            answer = refusals.post(user, where, form, things)
        if answer.status_code != 503 or not answer.headers.get("Retry-After"):
            yield f"{pattern} as {key}", answer.status_code, answer.content[-300:]


@contextmanager
def held(*tables: str) -> Iterator[None]:
    """Another session holds the tables: they can be read, and written by nobody else."""
    asked, ready, leave = ", ".join(tables), threading.Event(), threading.Event()
    parameters = connection.get_connection_params()
    parameters = {k: v for k, v in parameters.items() if k not in ("cursor_factory", "context")}

    def hold() -> None:
        other = psycopg2.connect(**parameters)
        with other, other.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {asked} IN EXCLUSIVE MODE")
            ready.set()
            leave.wait(timeout=200)
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert ready.wait(timeout=30)
    try:
        yield
    finally:
        leave.set()
        holder.join(timeout=30)


# What is installed, what words mean, and a search for nothing: no row is asked.
FROM_CODE = ("/api/v1/operations", "/api/v1/glossary", "/api/v1/search")


def looks(things: dict[str, Any]) -> Iterator[str]:
    """Every address one can look at: of the API, the pages, the console."""
    for route in world.routes():
        where = world.address(route, things)
        if (
            where
            and "GET" in world.methods(route)
            and "schema" not in where
            and "docs" not in where
            and where not in FROM_CODE
        ):
            yield where
    for pattern in SHOWN:
        known = things.get(pattern.split("/")[0], {})
        if pattern not in ("events/", "sign-in/", "sign-out/") and not pattern.startswith(
            "charts/"
        ):
            yield "/" + pattern.format(**known)
    yield "/console/"


def test_a_database_away_is_a_503_at_every_door(
    cast: Cast, things: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, API, console and what machines ask; nothing of it asks a second time."""
    cast.priya.capabilities = [*cast.priya.capabilities, "read_all"]
    cast.priya.save()
    page, api = signed_in(cast)
    doors = [(where, "GET") for where in looks(things)] + changes(things)

    def gone(*_: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(CursorWrapper, "execute", gone)
    wrong = [*refused(page, api, doors)]
    expected = {"healthz": 200, "metrics": 200, "readyz": 503}
    told = {where: page.get(f"/{where}").status_code for where in MACHINES}
    monkeypatch.undo()
    assert not wrong, "\n".join(map(str, wrong))
    assert told == expected


def test_a_database_that_takes_no_writes_is_a_503_where_something_changes(
    cast: Cast, things: dict[str, Any]
) -> None:
    page, api = signed_in(cast)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL transaction_read_only = on")
        wrong = [*refused(page, api, changes(things))]
        seen = page.get(f"/runs/{things['runs']['pk']}/").status_code
        transaction.set_rollback(True)
    assert not wrong, "\n".join(map(str, wrong))
    assert seen == 200


def signed_in(cast: Cast) -> tuple[DjangoClient, APIClient]:
    """Priya, as a browser and as a program."""
    page, api = DjangoClient(raise_request_exception=False), APIClient()
    page.force_login(cast.priya)
    api.force_authenticate(cast.priya)
    return page, api


def changes(things: dict[str, Any]) -> list[tuple[str, str]]:
    run = things["runs"]["pk"]
    return [(f"/runs/{run}/pause", "POST"), (f"/api/v1/runs/{run}/pause", "POST")]


def refused(
    page: DjangoClient, api: APIClient, doors: list[tuple[str, str]]
) -> Iterator[tuple[Any, ...]]:
    """The doors that do not answer 503 with Retry-After."""
    for where, method in doors:
        rest = where.startswith("/api/")
        client: Any = api if rest else page
        media = "application/json" if rest else "application/x-www-form-urlencoded"
        body = '{"reason": "x"}' if rest else "reason=x"
        answer = client.generic(method, where, body, content_type=media)
        if answer.status_code != 503 or not answer.headers.get("Retry-After"):
            yield method, where, answer.status_code, answer.content[:200]


@pytest.fixture
def things(cast: Cast) -> dict[str, Any]:
    return refusals.things_of(cast, refusals.under_way(cast))


def test_a_store_that_takes_nothing_is_a_503(
    cast: Cast, things: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full or read-only disk of the artefacts, at each door that takes files."""

    class Full:
        def put(self, path: object) -> None:
            raise StorageError("no space left on the disk of the artefacts")

    monkeypatch.setattr(artefacts, "storage", Full)
    for where in ("artefacts", "uploads/inspect"):
        answer = refusals.ask(cast.amara, "POST", f"/api/v1/{where}", {"file": "a,b\n1,2\n"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), where
    key = things["use-cases"]["key"]
    for where in ("/use-cases/new/", f"/use-cases/{key}/files"):
        page = DjangoClient()
        page.force_login(cast.amara)
        file = refusals.SimpleUploadedFile("a.csv", b"a,b\n1,2\n")
        answer = page.post(where, {"files": file, "question": "why?"})
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "2"), where
