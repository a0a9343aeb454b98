"""Models, labels and alerts over the API."""

from typing import Any

import pytest

from tests.api import world
from tests.api.conftest import Client
from tests.cast import Cast


@pytest.fixture
def things(cast: Cast) -> dict[str, dict[str, Any]]:
    """One thing of every kind: among them a live model and an alert."""
    return world.make(cast)


def test_a_model_says_what_answers(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    name = things["models"]["name"]
    client = api(cast.lena)
    found = client.get(f"/api/v1/models/{name}").json()
    (deployed,) = found["deployed"]
    assert (deployed["mode"], deployed["version"]) == ("live", 1)
    assert deployed["approval"] is not None
    (version,) = client.get(f"/api/v1/models/{name}/versions").json()["results"]
    assert (version["number"], version["state"]) == (1, "APPROVED")
    (move,) = client.get(f"/api/v1/models/{name}/aliases").json()["results"]
    assert (move["name"], move["version"]) == ("champion", 1)


def test_labels_are_taken_once(cast: Cast, api: Client, things: dict[str, dict[str, Any]]) -> None:
    address = f"/api/v1/models/{things['models']['name']}/labels"
    labels = {"labels": [{"key": "a", "value": True}, {"key": "b", "value": 0}]}
    client = api(cast.lena)
    assert client.post(address, labels).json()["taken"] == 2
    client.post(address, labels)
    assert len(client.get(address).json()["results"]) == 2
    other = client.post(address, {"labels": [{"key": "a", "value": False}]}).json()
    assert other["contradiction_count"] == 1
    bad = client.post(address, {"labels": [{"key": "", "value": None}]})
    assert bad.json()["fields"].keys() == {"labels.0.key", "labels.0.value"}


def test_rolling_back_takes_ops_or_mle(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    address = f"/api/v1/models/{things['models']['name']}/rollback"
    refused = api(cast.sofia).post(address, {"reason": "odd"})
    assert (refused.status_code, refused.json()["code"]) == (403, "model.roll_back")
    assert api(cast.lena).post(address, {"reason": "odd"}).json()["deployed"] == []
    again = api(cast.lena).post(address, {"reason": "odd"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_deployed")


def test_an_alert_is_acknowledged_and_resolved(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    address = f"/api/v1/alerts/{things['alerts']['pk']}"
    refused = api(cast.tomas).post(f"{address}/acknowledge")
    assert (refused.status_code, refused.json()["code"]) == (403, "alert.answer")
    client = api(cast.sofia)
    assert client.post(f"{address}/acknowledge").json()["state"] == "ACKNOWLEDGED"
    assert client.post(f"{address}/resolve", {}).json()["fields"].keys() == {"resolution"}
    done = client.post(f"{address}/resolve", {"resolution": "new station"})
    assert done.json()["state"] == "RESOLVED"
    assert client.get(address).json()["resolution"] == "new station"
    assert client.get("/api/v1/alerts?state=RESOLVED").json()["results"] != []


def test_retiring_takes_the_model_along(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    case = things["use-cases"]["key"]
    answer = api(cast.amara).post(f"/api/v1/use-cases/{case}/retire", {"reason": "replaced"})
    assert (answer.status_code, answer.json()["key"]) == (200, case)
    model = api(cast.amara).get(f"/api/v1/models/{things['models']['name']}").json()
    assert model["deployed"] == []


def test_readiness_is_computed_from_evidence(
    cast: Cast, api: Client, things: dict[str, dict[str, Any]]
) -> None:
    case = things["use-cases"]["key"]
    found = api(cast.amara).get(f"/api/v1/use-cases/{case}/readiness").json()
    assert (len(found["tests"]), len(found["worries"]), len(found["sections"])) == (28, 26, 4)
    assert found["score"] == min(section["points"] for section in found["sections"])
    assert found["next_test"] in {test["id"] for test in found["tests"]}
    assert found["run"] is not None
    assert all(test["next"] for test in found["tests"] if test["points"] < 1)
