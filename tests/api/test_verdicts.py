"""Conditions, findings, blind gates, overrides and delegation over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pipelines.runs.models import Finding, Run
from tests.api.conftest import Client, Play
from tests.cast import Cast
from tests.domain import engine

CONDITION = {"text": "document the wind columns", "persona": "DE"}


def decide(play: Play, client: Any, **given: Any) -> Any:
    body = {"verdict": "approve", "seen": play.gate.subject_digest, **given}
    return client.post(f"/api/v1/gates/{play.gate.pk}/decisions", body, format="json")


@pytest.fixture
def finding(cast: Cast, api: Client, play: Play) -> Finding:
    """Sofia approves with one condition."""
    verdict = {"verdict": "approve_with_conditions", "conditions": [CONDITION]}
    assert decide(play, api(cast.sofia), **verdict).status_code == 200
    return Finding.objects.get()


def test_an_approval_names_conditions(cast: Cast, api: Client, finding: Finding) -> None:
    gate = api(cast.dmitri).get(f"/api/v1/gates/{finding.gate_id}").json()
    [decision] = gate["decisions"]
    assert decision["conditions"] == [{**CONDITION, "severity": "major", "days": 14}]
    assert [one["id"] for one in gate["findings"]] == [finding.pk]
    assert gate["findings"][0]["named_by"] == "Sofia Reyes"


def test_bad_conditions_are_named(cast: Cast, api: Client, play: Play) -> None:
    bad = [{"text": "", "persona": "DE", "days": 0}, {"text": "x", "persona": "XX"}]
    for conditions in (bad, bad[1:], []):
        given = {"verdict": "approve_with_conditions", "conditions": conditions}
        answer = decide(play, api(cast.sofia), **given)
        assert answer.status_code == 422
        assert any(name.startswith("conditions") for name in answer.json()["fields"])


def test_a_finding_is_found_resolved_and_closed(cast: Cast, api: Client, finding: Finding) -> None:
    address = f"/api/v1/findings/{finding.pk}"
    assert api(cast.iris).get(address).status_code == 404
    listed = api(cast.dmitri).get("/api/v1/findings?state=OPEN&persona=DE").json()["results"]
    assert [one["id"] for one in listed] == [finding.pk]
    told = api(cast.sofia).get(address).json()["forbidden"]
    assert told == {"resolve": told["resolve"], "extend": None}
    assert told["resolve"]["code"] == "finding.persona"
    assert api(cast.sofia).post(f"{address}/resolve", {"evidence": "x"}).status_code == 403
    assert api(cast.dmitri).post(f"{address}/resolve", {}).status_code == 422
    extended = api(cast.sofia).post(f"{address}/extend", {"days": 40, "reason": "ill"})
    assert extended.status_code == 200
    answer = api(cast.dmitri).post(
        f"{address}/resolve", {"evidence": "it is in the datasheet"}, HTTP_IDEMPOTENCY_KEY="k"
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "RESOLVED")
    late = api(cast.dmitri).post(f"{address}/resolve", {"evidence": "again"})
    assert (late.status_code, late.json()["by"]) == (409, "Dmitri Volkov")


def test_the_inbox_asks_for_evidence(cast: Cast, api: Client, finding: Finding) -> None:
    sections = api(cast.dmitri).get("/api/v1/inbox").json()["sections"]
    [row] = next(part["rows"] for part in sections if part["key"] == "findings")
    assert (row["noun"], row["id"], row["asked"]) == ("finding", finding.pk, finding.text)


def test_a_deputy_decides_over_the_api(cast: Cast, api: Client, play: Play) -> None:
    now = timezone.now()
    wish = {"deputy": "noor", "persona": "DS", "since": now - timedelta(hours=1),
            "until": now + timedelta(days=3), "reason": "holiday"}  # fmt: skip
    assert decide(play, api(cast.noor), on_behalf_of="sofia").status_code == 404
    made = api(cast.sofia).post("/api/v1/delegations", wish, format="json")
    assert made.status_code == 201, made.json()
    gate = api(cast.noor).get(f"/api/v1/gates/{play.gate.pk}").json()
    assert [one["username"] for one in gate["deputy_for"]] == ["sofia"]
    assert decide(play, api(cast.noor), on_behalf_of="nobody").status_code == 422
    assert decide(play, api(cast.noor)).json()["code"] == "gate.persona"
    assert decide(play, api(cast.noor), on_behalf_of="sofia").json()["state"] == "APPROVED"
    [decision] = api(cast.sofia).get(f"/api/v1/gates/{play.gate.pk}").json()["decisions"]
    assert (decision["user"]["username"], decision["on_behalf_of"]["username"]) == (
        "noor", "sofia",
    )  # fmt: skip
    address = f"/api/v1/delegations/{made.json()['delegation']}"
    assert api(cast.kenji).get(address).status_code == 404
    assert api(cast.sofia).post(f"{address}/end", {}).json()["ended_at"]
    assert api(cast.sofia).post(f"{address}/end", {}).status_code == 410
    assert api(cast.noor).get(f"/api/v1/gates/{play.gate.pk}").status_code == 404


def test_an_override_is_shown_for_ever(cast: Cast, api: Client, play: Play) -> None:
    address = f"/api/v1/gates/{play.gate.pk}"
    body = {"verdict": "approve", "seen": play.gate.subject_digest, "reason": "the plant waits"}
    assert api(cast.priya).post(f"{address}/override", body).json()["code"] == "gate.override"
    cast.priya.capabilities = ["gate.override"]
    cast.priya.save()
    assert api(cast.priya).post(f"{address}/override", body).json()["state"] == "APPROVED"
    shown = api(cast.dmitri).get(address).json()
    assert shown["overridden"]
    assert (shown["override"]["by"]["username"], shown["override"]["reason"]) == (
        "priya", "the plant waits",
    )  # fmt: skip


def blind_run(cast: Cast) -> Run:
    gate = engine.gate(("DS", 2), blind=True, expires="P4D")
    run = engine.run(cast, engine.stage("build", "DE", gate=gate))
    engine.perform()
    return run


def test_a_sealed_gate_shows_nobody_elses_decision(cast: Cast, api: Client) -> None:
    run = blind_run(cast)
    gate = engine.gate_of(run)
    engine.decide(cast.sofia, gate, "reject", reason="a secret doubt")
    for user in (cast.noor, cast.priya, cast.dmitri):
        cast.priya.capabilities = ["read_all", "operations.manage"]
        client = api(user)
        for address in (
            f"gates/{gate.pk}", f"gates/{gate.pk}/decisions", f"runs/{run.pk}/events",
            f"runs/{run.pk}/gates", f"runs/{run.pk}/baton", "inbox", f"ledger?stream=run:{run.pk}",
        ):  # fmt: skip
            answer = client.get(f"/api/v1/{address}")
            assert answer.status_code == 200, address
            assert "secret doubt" not in answer.content.decode(), address
            assert '"reject"' not in answer.content.decode(), address
            assert "has said" not in answer.content.decode(), address
    shown = api(cast.noor).get(f"/api/v1/gates/{gate.pk}").json()
    assert (shown["sealed"], shown["decided"], shown["decisions"]) == (True, 1, [])
    own = api(cast.sofia).get(f"/api/v1/gates/{gate.pk}").json()
    assert [one["reason"] for one in own["decisions"]] == ["a secret doubt"]
    engine.decide(cast.noor, gate)
    shown = api(cast.dmitri).get(f"/api/v1/gates/{gate.pk}").json()
    assert (shown["sealed"], len(shown["decisions"])) == (False, 2)
    answer = api(cast.noor).post(f"/api/v1/gates/{gate.pk}/confirm", {})
    assert (answer.status_code, answer.json()["state"]) == (200, "OPEN")


def test_queries_do_not_grow_with_decisions_and_findings(
    cast: Cast, api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = engine.run(cast, engine.stage("build", "DE", gate=engine.gate(("DS", 2))))
    engine.perform()
    gate = engine.gate_of(run)
    address, client = f"/api/v1/gates/{gate.pk}", api(cast.amara)
    client.get(address)
    with django_assert_num_queries(7):
        client.get(address)
    conditions = [{**CONDITION, "days": day} for day in (3, 5, 7)]
    engine.decide(cast.sofia, gate, "approve_with_conditions", conditions=conditions)
    engine.decide(cast.noor, gate, "approve_with_conditions", conditions=conditions)
    with django_assert_num_queries(7):
        assert len(client.get(address).json()["findings"]) == 6
    client.get("/api/v1/findings")
    with django_assert_num_queries(3):
        assert len(client.get("/api/v1/findings").json()["results"]) == 6
