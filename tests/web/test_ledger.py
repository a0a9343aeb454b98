"""The ledger page: who reads what, filters, the proof, the export."""

import json
from itertools import pairwise

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from personas.ledger import Break
from pipelines.runs.models import Run
from pipelines.runs.queries import ledger as queries
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(cast: Cast) -> Run:
    run = factories.hello_run(cast)
    factories.to_gate(cast, run)
    return run


def test_it_shows_what_the_person_may_follow(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    text = client.get("/ledger/").content.decode()
    assert "Late flights, Run 1" in text
    assert "gate.open" in text
    client.force_login(cast.iris)
    assert "Late flights" not in client.get("/ledger/").content.decode()


def test_filters(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    text = client.get("/ledger/", {"type": "gate"}).content.decode()
    assert "gate.open" in text
    assert "run.create" not in text
    text = client.get("/ledger/", {"person": "dmitri"}).content.decode()
    assert "Dmitri Volkov" in text
    assert "run.create" not in text
    assert "No events" in client.get("/ledger/", {"person": "nobody"}).content.decode()


def test_the_chain_is_verified_on_demand(
    client: Client, cast: Cast, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(cast.sofia)
    here = {"stream": f"run:{run.pk}", "verify": "1"}
    assert "chain verified" in client.get("/ledger/", here).content.decode()
    # Only the tables' owner could alter a row (tests/contracts/test_ledger.py does).
    broken = Break(f"run:{run.pk}", 3, "content does not hash to its digest", "aa", "bb")
    monkeypatch.setattr(queries, "broken_row", lambda stream: broken)
    text = client.get("/ledger/", here).content.decode()
    assert f"broken at run:{run.pk} row 3" in text
    assert "content does not hash to its digest" in text


def test_the_export_holds_every_event(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    answer = client.get("/ledger/export", {"stream": f"run:{run.pk}"})
    rows = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(two["previous"] == one["digest"] for one, two in pairwise(rows))
    client.force_login(cast.iris)
    assert client.get("/ledger/export", {"stream": f"run:{run.pk}"}).status_code == 404


def test_a_stranger_learns_nothing_of_a_stream(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.iris)
    assert client.get("/ledger/", {"stream": f"run:{run.pk}"}).status_code == 404


def test_queries_are_fixed(
    client: Client, cast: Cast, run: Run, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(cast.sofia)
    with django_assert_num_queries(7):
        client.get("/ledger/")
