"""What holds for every address: who is let in, what a look may do, how a refusal reads."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api import world
from tests.api.conftest import Client
from tests.cast import Cast

PROBLEM = "application/problem+json"
# What every signed-in person may see: kinds of people, plans, themselves.
FOR_ALL = (
    "blueprints", "calendars", "me", "personas", "tokens", "uploads", "ledger", "schema", "docs",
    "flow", "notifications",
)  # fmt: skip


@pytest.fixture
def things(cast: Cast) -> dict[str, dict[str, Any]]:
    """One thing of every kind."""
    return world.make(cast)


def addresses(things: dict[str, dict[str, Any]]) -> list[tuple[str, set[str]]]:
    found = [(world.address(route, things), world.methods(route)) for route in world.routes()]
    return [(address, methods) for address, methods in found if address is not None]


def noun(address: str) -> str:
    return address.removeprefix("/api/v1/").split("/")[0]


def test_the_world_has_every_kind(things: dict[str, dict[str, Any]]) -> None:
    missing = {str(r.pattern) for r in world.routes() if world.address(r, things) is None}
    assert missing == set()


def test_nobody_gets_in_unknown(things: dict[str, dict[str, Any]]) -> None:
    client = APIClient()
    let_in = []
    for address, methods in addresses(things):
        if address.removeprefix("/api/v1/") in world.OPEN_TO_ALL:
            continue
        for method in sorted(methods | {"HEAD", "OPTIONS"}):
            answer = client.generic(method, address)
            if answer.status_code != 401 or answer.headers["WWW-Authenticate"][:6] != "Bearer":
                let_in.append((method, address, answer.status_code))
    assert let_in == []


def test_a_stranger_finds_nothing(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    seen = []
    for stranger in (cast.iris, cast.noor):
        client = api(stranger)
        for address, methods in addresses(things):
            one_thing = address.count("/") > 3 and noun(address) not in FOR_ALL
            if not one_thing and address != f"/api/v1/tokens/{things['tokens']['pk']}":
                continue
            for method in sorted(methods):
                answer = client.generic(method, address, "{}", content_type="application/json")
                if answer.status_code != 404:
                    seen.append((str(stranger), method, address, answer.status_code))
    assert seen == []


def test_lists_hide_what_is_not_theirs(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    lists = ("use-cases", "runs", "items", "gates", "hand-offs", "models", "alerts", "tokens")
    for name in lists:
        answer = api(cast.iris).get(f"/api/v1/{name}")
        assert (name, answer.status_code, answer.json()["results"]) == (name, 200, [])


def test_looking_changes_nothing(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    """F18: GET, HEAD and OPTIONS over every address leave every row of every table as it was."""
    clients = [api(cast.amara), api(cast.priya)]
    clients[0].get("/api/v1/me")  # what a first request of a session may write
    before = world.rows()
    assert before["runs.Run"]
    assert before["personas.Event"]
    for address, _ in addresses(things):
        looks = [("GET", clients[0]), ("GET", clients[1])]
        looks += [("HEAD", clients[0]), ("OPTIONS", clients[0])]
        for method, client in looks:
            answer = client.generic(method, address)
            assert answer.status_code < 500, (method, address, answer.content)
            if hasattr(answer, "streaming_content"):
                b"".join(answer.streaming_content)
    assert world.rows() == before


def test_every_wrong_method_is_a_problem(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    client = api(cast.amara)
    for address, methods in addresses(things):
        if address.removeprefix("/api/v1/") in world.OPEN_TO_ALL:
            continue
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = client.generic(method, address)
            assert answer.status_code == 405, (method, address)
            assert answer.headers["Content-Type"] == PROBLEM
            assert answer.json()["status"] == 405
            assert set(answer.headers["Allow"].split(", ")) >= methods


@pytest.mark.parametrize(
    ("method", "address", "body", "media", "status"),
    [
        ("GET", "/api/v1/nothing", "", "application/json", 404),
        ("GET", "/api/v1/runs/", "", "application/json", 404),
        ("GET", "/api/v1/runs/999999", "", "application/json", 404),
        ("POST", "/api/v1/use-cases", "{", "application/json", 400),
        ("POST", "/api/v1/use-cases", "[]", "application/json", 422),
        ("POST", "/api/v1/use-cases", "a=b", "text/plain", 415),
        ("POST", "/api/v1/use-cases", "{}", "application/json", 422),
        ("GET", "/api/v1/runs?stat=RUNNING", "", "application/json", 422),
        ("GET", "/api/v1/runs?cursor=!!", "", "application/json", 404),
        ("GET", "/api/v1/ledger/verify", "", "application/json", 403),
        ("GET", "/api/v1/ledger?stream=run:999999", "", "application/json", 404),
    ],
)
def test_every_error_is_a_problem(
    cast: Cast, api: Client, method: str, address: str, body: str, media: str, status: int
) -> None:
    answer = api(cast.amara).generic(method, address, body, content_type=media)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "status", "detail", "code", "retryable"} <= set(problem)
    assert ("fields" in problem) == (status == 422)


def test_a_defect_is_a_problem_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_login(cast.amara)
    monkeypatch.setattr("portal.api.inbox.inbox", lambda user: 1 / 0)
    answer = client.get("/api/v1/inbox")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert answer.json()["code"] == "defect"
    assert "ZeroDivision" not in answer.content.decode()
