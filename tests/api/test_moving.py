"""A run's move to another version over the API."""

from typing import Any

from pipelines.runs.actions import runs
from pipelines.runs.models import Run
from tests.api.conftest import Client
from tests.cast import Cast, acting
from tests.domain import engine as f

Body = dict[str, Any]


def stages(**more: Any) -> list[Body]:
    usual: Body = {"steps": [f.step("work")], "items": [f.form("brief")], "gate": f.gate("DS")}
    return [f.stage("one", "DE", **{**usual, **more})]


def paused(cast: Cast) -> tuple[Run, Body]:
    body = f.plan(*stages())
    answer = runs.create(
        actor=acting(cast.amara), use_case=f.use_case(cast), version=f.publish(body)
    )
    run = Run.objects.get(pk=answer.data["run"])
    runs.pause(actor=acting(cast.priya), run=run, reason="a new version")
    return run, body


def test_a_look_and_then_the_move(cast: Cast, api: Client) -> None:
    run, body = paused(cast)
    f.publish({**body, "stages": stages(gate=f.gate("DS", "BA"))})
    client = api(cast.priya)
    seen = client.get(f"/api/v1/runs/{run.pk}/move").json()
    assert (seen["from_version"], seen["to_version"], seen["possible"]) == (1, 2, True)
    assert seen["changes"] == [
        {"noun": "gate", "name": "one", "change": "changed", "fields": ["rules"]}
    ]
    assert client.get(f"/api/v1/runs/{run.pk}").json()["blueprint_version"] == 1
    answer = client.post(
        f"/api/v1/runs/{run.pk}/move", {"version": 2, "seen": seen["seen"], "reason": "two eyes"}
    )
    assert (answer.status_code, answer.json()["version"], answer.json()["state"]) == (
        200,
        2,
        "PAUSED",
    )
    assert client.get(f"/api/v1/runs/{run.pk}").json()["blueprint_version"] == 2
    events = client.get(f"/api/v1/runs/{run.pk}/events").json()["results"]
    assert [event["type"] for event in events[:2]] == ["run.version_pinned", "run.migrate"]


def test_a_refusal_names_all_that_has_no_place(cast: Cast, api: Client) -> None:
    run, body = paused(cast)
    f.publish({**body, "stages": stages(steps=[f.step("else")], items=[])})
    client = api(cast.priya)
    seen = client.get(f"/api/v1/runs/{run.pk}/move", {"version": 2}).json()
    assert sorted(seen["problems"]) == ["item.one.brief", "step.one.work"]
    answer = client.post(
        f"/api/v1/runs/{run.pk}/move", {"version": 2, "seen": seen["seen"], "reason": "why"}
    )
    assert answer.status_code == 422
    assert answer.json()["fields"] == seen["problems"]
    again = client.get(f"/api/v1/runs/{run.pk}/move", {"version": 2, "redo": "one"}).json()
    assert (again["possible"], again["may_redo"]) == (True, ["one"])


def test_what_was_not_seen_is_not_done(cast: Cast, api: Client) -> None:
    run, body = paused(cast)
    f.publish({**body, "title": "Better"})
    client = api(cast.priya)
    answer = client.post(
        f"/api/v1/runs/{run.pk}/move", {"version": 2, "seen": "0" * 64, "reason": "why"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_plan")
    assert client.get(f"/api/v1/runs/{run.pk}/move", {"version": 9}).status_code == 404
    assert (
        client.get(f"/api/v1/runs/{run.pk}/move", {"version": 1}).json()["code"] == "same_version"
    )
    assert client.get(f"/api/v1/runs/{run.pk}/move", {"parameters": "[1]"}).status_code == 422
    assert client.get(f"/api/v1/runs/{run.pk}/move", {"parameters": "{"}).status_code == 422
    given = client.get(f"/api/v1/runs/{run.pk}/move", {"parameters": '{"no": 1}'}).json()
    assert list(given["problems"]) == ["parameters.no"]
    assert api(cast.amara).get(f"/api/v1/runs/{run.pk}/move").status_code == 403
    assert api(cast.iris).get(f"/api/v1/runs/{run.pk}/move").status_code == 404
