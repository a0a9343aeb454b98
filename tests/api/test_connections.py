"""Connections over HTTP and in the console: for who manages operations, and never a secret."""

import json
from typing import Any

import pytest
from django.test import Client

from pipelines.artefacts.models import Connection
from tests.cast import Cast

SALES = {
    "kind": "postgresql",
    "address": "postgresql://reader@db.example.org:5432/sales",
    "secret_name": "BATON_CONNECTION_SECRET_SALES",
    "use_cases": ["late-flights"],
}
FORM = {**SALES, "name": "sales", "use_cases": "late-flights, churn"}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_CONNECTION_SECRET_SALES", "hush-hush-hush")


def test_a_connection_is_held_changed_and_forgotten(api: Any, cast: Cast) -> None:
    client = api(cast.priya)
    where = "/api/v1/connections/sales"
    new, head = {"name": "sales", **SALES}, {"Idempotency-Key": "a"}
    made = client.post("/api/v1/connections", new, format="json", headers=head)
    assert (made.status_code, made.json()["name"]) == (201, "sales")
    taken = client.post("/api/v1/connections", new, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    again = client.post("/api/v1/connections", new, format="json", headers=head)
    assert again.headers["Idempotent-Replay"] == "true"
    assert client.put(where, {**SALES, "use_cases": ["*"]}, format="json").status_code == 200
    listed = client.get("/api/v1/connections")
    assert [row["use_cases"] for row in listed.json()["results"]] == [["*"]]
    assert "hush" not in json.dumps([made.json(), listed.json(), client.get(where).json()])
    assert client.delete(where).status_code == 200
    assert client.get(where).status_code == 404
    assert client.delete(where).status_code == 404


def test_who_uses_a_connection_cannot_read_it(api: Any, cast: Cast) -> None:
    api(cast.priya).post("/api/v1/connections", {"name": "sales", **SALES}, format="json")
    client = api(cast.amara)
    assert client.get("/api/v1/connections").json()["results"] == []
    for name in ("sales", "none"):
        assert client.get(f"/api/v1/connections/{name}").status_code == 404
    answer = client.post("/api/v1/connections", {"name": "mine", **SALES}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "capability.operations.manage")
    seen = client.get("/api/v1/ledger").json()
    assert "example.org" not in json.dumps(seen)
    assert client.get("/api/v1/ledger?stream=engine:connections").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "postgresql://reader:pw@db.example.org/sales"}, "address"),
        ({"secret_name": "BATON_SECRET_KEY"}, "secret_name"),
        ({"kind": "oracle"}, "kind"),
    ],
)
def test_what_does_not_suit_is_refused_by_field(api: Any, cast: Cast, change, field) -> None:
    given = {"name": "sales", **SALES, **change}
    answer = api(cast.priya).post("/api/v1/connections", given, format="json")
    assert answer.status_code in (400, 422)
    assert list(answer.json()["fields"]) == [field]
    assert ":pw@" not in answer.content.decode()


@pytest.fixture
def console(cast: Cast) -> Client:
    cast.priya.is_staff = True
    cast.priya.save()
    client = Client()
    client.force_login(cast.priya)
    return client


def test_the_console_holds_changes_and_forgets(console: Client) -> None:
    form, table = "/console/artefacts/connection/hold/", "/console/artefacts/connection/"
    assert b"Add a connection" in console.get(table).content
    wrong = console.post(form, {**FORM, "address": "nowhere"})
    assert b"must look like" in wrong.content
    assert b'value="nowhere"' in wrong.content
    assert console.post(form, FORM).status_code == 302
    assert Connection.objects.get().use_cases == ["churn", "late-flights"]
    sent = {"action": "alter", "_selected_action": "sales"}
    lead = console.post(table, sent)
    assert b"db.example.org" in console.get(lead.headers["Location"]).content
    console.post(table, {**sent, "action": "forget"})
    assert not Connection.objects.exists()


def test_the_console_is_closed_to_others(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.amara)
    assert client.post("/console/artefacts/connection/hold/", FORM).status_code in (302, 403)
    assert not Connection.objects.exists()
