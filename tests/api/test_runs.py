"""Runs over the API: created, looked at, paused, given up; stages, steps, items."""

from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from pipelines.runs.models import Run
from tests import factories
from tests.api.conftest import Client, Play
from tests.cast import Cast


def create(client: Any, key: str, **body: Any) -> Any:
    return client.post(f"/api/v1/use-cases/{key}/runs", body)


def test_it_creates_and_starts(cast: Cast, api: Client) -> None:
    case = factories.use_case(cast)
    client = api(cast.amara)
    answer = create(client, case.key, parameters={"seconds": 0})
    assert (answer.status_code, answer.json()["label"], answer.json()["state"]) == (
        201,
        "Run 1",
        "RUNNING",
    )
    found = client.get(answer.headers["Location"]).json()
    assert found["parameters"] == {"message": "hello", "seconds": 0}
    assert [(s["key"], s["title"], s["state"]) for s in found["stages"]] == [
        ("ask", "Ask", "ACTIVE"),
        ("prepare", "Prepare", "PENDING"),
        ("answer", "Answer", "PENDING"),
    ]


def test_what_is_missing_comes_from_the_use_case(cast: Cast, api: Client) -> None:
    case = factories.use_case(cast)
    client = api(cast.amara)
    client.patch(f"/api/v1/use-cases/{case.key}", {"parameters": {"message": "late?"}})
    run = create(client, case.key, start=False).json()
    assert run["state"] == "PENDING"
    assert Run.objects.get(pk=run["run"]).parameters["message"] == "late?"
    assert client.post(f"/api/v1/runs/{run['run']}/start").json()["state"] == "RUNNING"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parameters": {"secs": 1}}, "parameters.secs"),
        ({"parameters": {"seconds": 61}}, "parameters.seconds"),
        ({"inputs": {"tables": []}}, "inputs.tables"),
        ({"blueprint": "nothing"}, "blueprint"),
        ({"seed": -1}, "seed"),
    ],
)
def test_it_names_the_field(cast: Cast, api: Client, body: dict[str, Any], field: str) -> None:
    case = factories.use_case(cast)
    answer = create(api(cast.amara), case.key, **body)
    assert answer.status_code == 422
    assert field in answer.json()["fields"]
    assert not Run.objects.exists()


def test_pausing_takes_a_manager_and_a_reason(cast: Cast, api: Client, play: Play) -> None:
    address = f"/api/v1/runs/{play.run.pk}"
    refused = api(cast.sofia).post(f"{address}/pause", {"reason": "lunch"})
    assert (refused.status_code, refused.json()["code"]) == (403, "run.manage")
    client = api(cast.priya)
    assert client.post(f"{address}/pause", {}).json()["fields"].keys() == {"reason"}
    assert client.post(f"{address}/pause", {"reason": "lunch"}).json()["state"] == "PAUSED"
    decision = {"verdict": "approve", "seen": play.gate.subject_digest}
    paused = api(cast.sofia).post(f"/api/v1/gates/{play.gate.pk}/decisions", decision)
    assert (paused.status_code, paused.json()["code"]) == (409, "run_paused")
    assert client.post(f"{address}/resume").json()["state"] == "RUNNING"
    again = client.post(f"{address}/resume")
    assert (again.status_code, again.json()["state"]) == (409, "RUNNING")


def test_cancelling_closes_the_gate(cast: Cast, api: Client, play: Play) -> None:
    answer = api(cast.amara).post(f"/api/v1/runs/{play.run.pk}/cancel", {"reason": "moot"})
    assert answer.json()["state"] == "CANCELLED"
    decision = {"verdict": "approve", "seen": play.gate.subject_digest}
    late = api(cast.sofia).post(f"/api/v1/gates/{play.gate.pk}/decisions", decision)
    assert (late.status_code, late.json()["code"]) == (410, "gate_closed")


def test_runs_are_found_by_use_case_state_and_kind(cast: Cast, api: Client, play: Play) -> None:
    client = api(cast.sofia)
    for query, count in (
        (f"use_case={play.use_case.key}", 1),
        ("use_case=another", 0),
        ("state=RUNNING", 1),
        ("state=FAILED", 0),
        ("kind=main", 1),
        ("kind=watch", 0),
    ):
        found = client.get(f"/api/v1/runs?{query}").json()["results"]
        assert (query, len(found)) == (query, count)


def test_a_failed_step_is_retried_by_its_owner(cast: Cast, api: Client) -> None:
    case = factories.use_case(cast)
    run = factories.run_of(cast, case)
    factories.work_off(most=1)
    step = run.steps.get(key="state")
    refused = api(cast.amara).post(f"/api/v1/steps/{step.pk}/retry", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_failed")
    found = api(cast.amara).get(f"/api/v1/steps/{step.pk}").json()
    assert (found["state"], found["facts"]["message"]) == ("SUCCEEDED", "hello")
    attempt = api(cast.amara).get(f"/api/v1/attempts/{found['result']}").json()
    assert (attempt["params"]["message"], attempt["log"]) == ("hello", "hello")


def test_a_stage_is_taken_once(cast: Cast, api: Client) -> None:
    run = factories.hello_run(cast)
    factories.work_off(most=1)
    stage = factories.stage_of(run, "prepare")
    refused = api(cast.sofia).post(f"/api/v1/stages/{stage.pk}/take")
    assert (refused.status_code, refused.json()["code"]) == (403, "stage.persona")
    assert api(cast.dmitri).post(f"/api/v1/stages/{stage.pk}/take").json()["owner"] == (
        "Dmitri Volkov"
    )
    assign = {"owner": "sofia", "reason": "ill"}
    wrong = api(cast.priya).post(f"/api/v1/stages/{stage.pk}/assign", assign)
    assert wrong.json()["fields"].keys() == {"owner"}


def test_a_work_item_is_drafted_and_completed(cast: Cast, api: Client) -> None:
    run = factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    item = run.items.get(key="go")
    address, client = f"/api/v1/items/{item.pk}", api(cast.amara)
    found = client.get(address).json()
    assert [field["key"] for field in found["fields"]] == ["decision", "reason"]
    claimed = client.post(f"{address}/claim").json()
    draft = {"data": {"reason": "soon"}, "version": claimed["version"]}
    saved = client.post(f"{address}/draft", draft).json()
    stale = client.post(f"{address}/draft", draft)
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (
        409,
        "stale_version",
        saved["version"],
    )
    wrong = {"data": {"decision": "maybe"}, "version": saved["version"]}
    assert client.post(f"{address}/complete", wrong).json()["fields"].keys() == {"data.decision"}
    right = {"data": {"decision": "go"}, "version": saved["version"]}
    assert client.post(f"{address}/complete", right).json()["state"] == "COMPLETED"
    mine = client.get("/api/v1/items?mine=true&state=COMPLETED").json()["results"]
    assert [row["id"] for row in mine] == [item.pk]


def test_a_hand_off_is_offered_returned_and_accepted(cast: Cast, api: Client, play: Play) -> None:
    decision = {"verdict": "approve", "seen": play.gate.subject_digest}
    api(cast.sofia).post(f"/api/v1/gates/{play.gate.pk}/decisions", decision)
    hand_off = factories.open_hand_off(play.run)
    address = f"/api/v1/hand-offs/{hand_off.pk}"
    found = api(cast.dmitri).get(address).json()
    assert [entry["key"] for entry in found["checklist"]] == ["gaps"]
    assert found["forbidden"]["offer"] is None
    assert found["forbidden"]["accept"]["code"] == "hand_off.persona"
    empty = api(cast.dmitri).post(f"{address}/offer", {})
    assert empty.json()["fields"].keys() == {"answers.gaps"}
    offer = {"answers": {"gaps": "none"}, "note": "all yours"}
    assert api(cast.dmitri).post(f"{address}/offer", offer).json()["state"] == "OFFERED"
    bad = api(cast.sofia).post(f"{address}/return", {"reason": "?", "reason_code": "mood"})
    assert bad.json()["fields"].keys() == {"reason_code"}
    accepted = api(cast.sofia).post(f"{address}/accept").json()
    assert (accepted["state"], accepted["from"], accepted["to"]) == (
        "ACCEPTED",
        "prepare",
        "answer",
    )


def test_it_says_who_holds_the_baton(cast: Cast, api: Client, play: Play) -> None:
    (holder,) = api(cast.amara).get(f"/api/v1/runs/{play.run.pk}/baton").json()["holders"]
    assert (holder["personas"], holder["noun"], holder["id"]) == (["DS"], "gate", play.gate.pk)
    assert holder["waiting"] is True


def test_the_inbox_says_what_waits(cast: Cast, api: Client, play: Play) -> None:
    found = api(cast.sofia).get("/api/v1/inbox").json()
    (row,) = next(s for s in found["sections"] if s["key"] == "decide")["rows"]
    assert (row["noun"], row["id"]) == ("gate", play.gate.pk)
    assert found["waiting"] == 1
    assert api(cast.iris).get("/api/v1/inbox").json()["waiting"] == 0


def test_the_ledger_of_a_run_is_for_those_who_see_it(cast: Cast, api: Client, play: Play) -> None:
    stream = f"run:{play.run.pk}"
    events = api(cast.sofia).get(f"/api/v1/ledger?stream={stream}").json()["results"]
    assert {event["stream"] for event in events} == {stream}
    same = api(cast.sofia).get(f"/api/v1/runs/{play.run.pk}/events").json()["results"]
    assert [event["digest"] for event in same] == [event["digest"] for event in events]
    assert api(cast.iris).get(f"/api/v1/ledger?stream={stream}").status_code == 404
    mine = api(cast.iris).get("/api/v1/ledger").json()["results"]
    assert {event["stream"] for event in mine} <= {f"person:{cast.iris.pk}"}
    everything = api(cast.sofia).get("/api/v1/ledger?page_size=200").json()["results"]
    assert stream in {event["stream"] for event in everything}
    assert api(cast.sofia).get("/api/v1/ledger/verify").status_code == 403
    cast.iris.capabilities = ["read_all"]
    cast.iris.save()
    assert api(cast.iris).get("/api/v1/ledger/verify").json() == {
        "holds": True,
        "first_break": None,
    }


def test_looks_take_a_fixed_number_of_queries(
    cast: Cast, api: Client, play: Play, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Session and person are two of each; a second run and more rows add none."""
    run, gate = play.run.pk, play.gate.pk
    counts = {
        "/api/v1/runs": 3,
        f"/api/v1/runs/{run}": 4,
        f"/api/v1/runs/{run}/stages": 4,
        f"/api/v1/runs/{run}/steps": 4,
        f"/api/v1/runs/{run}/attempts": 4,
        f"/api/v1/runs/{run}/events": 4,
        f"/api/v1/runs/{run}/baton": 10,
        "/api/v1/gates": 3,
        f"/api/v1/gates/{gate}": 7,
        f"/api/v1/gates/{gate}/decisions": 4,
        "/api/v1/items": 3,
        "/api/v1/hand-offs": 3,
        "/api/v1/inbox": 16,
    }
    client = api(cast.sofia)
    for _ in range(2):
        client.get("/api/v1/inbox")  # remembers the blueprint's titles
        for address, count in counts.items():
            with django_assert_num_queries(count, info=address):
                assert client.get(address).status_code == 200
        factories.run_of(cast, play.use_case, parameters={"seconds": 0})
        factories.work_off()
