"""Predictions over real HTTP, from a real process."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from personas.actions import issue_token
from personas.ledger import ENGINE, Actor
from pipelines.operations.packages.loaded import load_package, plain_rows
from pipelines.operations.tables import read_table
from pipelines.registry import actions
from pipelines.registry.models import Deployment
from pipelines.serving.models import Prediction
from tests.release import cause, gate_of, person, release
from tests.serve.conftest import Asking

pytestmark = pytest.mark.django_db(transaction=True)


def sent_rows(asking: Asking, count: int = 30) -> list[dict[str, Any]]:
    loaded = load_package(asking.release.packaged.package)
    frame = read_table(asking.release.packaged.holdout)[list(loaded.signature.names)]
    return [dict(row) for row in plain_rows(frame.iloc[:count], loaded.signature)]


def until(holds: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    """Whether it comes to hold in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def go_live(asking: Asking) -> None:
    made = asking.release
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    assert until(lambda: asking.predict(sent_rows(asking, 1)).status_code == 200)


def test_a_live_version_answers_with_its_approval_and_is_logged(asking: Asking) -> None:
    go_live(asking)
    rows = sent_rows(asking)
    keys = [f"k{index}" for index in range(len(rows))]
    times = ["2013-11-01T05:00:00"] * len(rows)
    answer = asking.predict(rows, keys=keys, event_times=times)
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    loaded = load_package(asking.release.packaged.package)
    assert [one["score"] for one in found] == loaded.predict(rows).scores
    gate = Deployment.objects.get(mode="live").approval_id
    assert {(o["version"], o["approval"], o["served_by"], o["mode"]) for o in found} == {
        (1, gate, "model", "live")
    }
    assert until(lambda: Prediction.objects.filter(key__in=keys).count() == len(rows))
    logged = Prediction.objects.get(key="k3")
    assert logged.inputs == rows[3]
    assert logged.event_time is not None
    assert logged.event_time.isoformat() == "2013-11-01T05:00:00+00:00"
    assert logged.score == found[3]["score"]
    assert logged.asked_by is not None
    assert logged.asked_by.username == "cleo"


def test_large_batches_score_as_single_rows(asking: Asking) -> None:
    go_live(asking)
    rows = sent_rows(asking, 300)
    whole = [one["score"] for one in asking.predict(rows).json()["predictions"]]
    single = [asking.predict([row]).json()["predictions"][0]["score"] for row in rows[:20]]
    assert whole[:20] == single


def test_open_inference_protocol(asking: Asking) -> None:
    go_live(asking)
    rows = sent_rows(asking, 4)
    name = asking.release.model.name
    columns = list(rows[0])
    body = {
        "id": "abc",
        "inputs": [
            {"name": c, "shape": [4], "datatype": "BYTES", "data": [row[c] for row in rows]}
            for c in columns
        ],
        "parameters": {"keys": ["a", "b", "c", "d"]},
    }
    answer = asking.http.post(f"/v2/models/{name}/infer", json=body).json()
    assert (answer["id"], answer["model_version"]) == ("abc", "1")
    outputs = {one["name"]: one for one in answer["outputs"]}
    expected = [one["score"] for one in asking.predict(rows).json()["predictions"]]
    assert outputs["score"] == {
        "name": "score", "shape": [4], "datatype": "FP64", "data": expected,
    }  # fmt: skip
    about = asking.http.get(f"/v2/models/{name}").json()
    assert [one["name"] for one in about["inputs"]] == columns
    assert about["parameters"]["deployed"][0]["mode"] == "live"
    body["inputs"][0]["shape"] = [9]
    assert asking.http.post(f"/v2/models/{name}/infer", json=body).status_code == 422


def test_nothing_deployed_and_unknown_models_are_told_apart(asking: Asking) -> None:
    refused = asking.predict(sent_rows(asking, 1))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_deployed")
    assert refused.json()["fallback"] == "Nobody is rebooked."
    assert refused.headers["content-type"] == "application/problem+json"
    assert asking.http.post("/v1/models/none/predict", json={"rows": [{}]}).status_code == 404


def test_a_stranger_learns_of_no_model(asking: Asking) -> None:
    for name in (asking.release.model.name, "nothing"):
        answer = asking.http.post(
            f"/v1/models/{name}/predict",
            json={"rows": [{}]},
            headers={"Authorization": "Bearer baton_guess"},
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        assert "fallback" not in answer.json()


def test_bad_rows_are_refused_with_row_column_rule_and_value(asking: Asking) -> None:
    go_live(asking)
    rows = sent_rows(asking, 3)
    rows[1] = {**rows[1], "place": "XXX"}
    rows[2] = {name: value for name, value in rows[2].items() if name != "wind"} | {"more": 1}
    answer = asking.predict(rows)
    assert answer.status_code == 422
    found = {(one["row"], one["column"], one["rule"]) for one in answer.json()["rows"]}
    # Strange columns are told first: without them the rest may be a misspelling.
    assert found == {(2, "more", "extra")}
    del rows[2]["more"]
    rows[0] = {**rows[0], "wind": "strong"}
    found = {(o["row"], o["column"], o["rule"]) for o in asking.predict(rows).json()["rows"]}
    assert found == {(0, "wind", "type"), (1, "place", "category"), (2, "wind", "missing")}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[1]", 400),
        (b'{"rows": [{"wind": NaN}]}', 400),
        (b'{"rows": [{"wind": 1e999}]}', 400),
        (b'{"rows": [{"place": "\\ud83d"}]}', 400),
        (b'{"rows": [{"place": "\\ud83d\\ude00"}]}', 422),
        (b'{"rows": [{"wind": 1111111111111111111111}]}', 400),
        (b'{"rows": [{"place": "a\\u0000"}]}', 400),
        (b'{"rows": []}', 422),
        (b'{"rows": [1]}', 422),
        (b'{"rows": [{}], "keys": []}', 422),
        (b'{"rows": [{}], "event_times": ["soon"]}', 422),
        (b'{"rows": [{}], "colour": 1}', 422),
        (b"x" * (8 * 1024 * 1024 + 1), 413),
    ],
)
def test_unreadable_requests(asking: Asking, body: bytes, status: int) -> None:
    go_live(asking)
    path = f"/v1/models/{asking.release.model.name}/predict"
    assert asking.http.post(path, content=body).status_code == status


def test_who_may_ask(asking: Asking) -> None:
    go_live(asking)
    path = f"/v1/models/{asking.release.model.name}/predict"
    body = {"rows": sent_rows(asking, 1)}
    none = httpx.post(f"{asking.http.base_url}{path}", json=body)
    assert none.status_code == 401
    assert none.headers["www-authenticate"].startswith("Bearer")
    wrong = asking.http.post(path, json=body, headers={"Authorization": "Bearer baton_no"})
    assert wrong.status_code == 401
    for name, scope, seat in (("Una", "read", "DS"), ("Uma", "predict", "")):
        user = person(name, use_case=asking.release.case, persona=seat)
        from datetime import timedelta

        _, secret = issue_token(
            actor=ENGINE, user=user, name="t", scopes=[scope], lifetime=timedelta(hours=1)
        )
        bearer = {"Authorization": f"Bearer {secret}"}
        assert asking.http.post(path, json=body, headers=bearer).status_code == 403


def test_a_canary_answers_its_share_and_the_fallback_the_rest(asking: Asking) -> None:
    made = asking.release
    made.run.parameters = {"canary_share": 0.3}
    made.run.save(update_fields=["parameters"])
    cause("deploy_canary", made.run)
    assert until(lambda: asking.predict(sent_rows(asking, 1)).status_code == 200)
    rows = sent_rows(asking, 400)
    keys = [f"flight-{index}" for index in range(len(rows))]
    first = asking.predict(rows, keys=keys).json()
    again = asking.predict(rows, keys=keys).json()
    sides = [one["served_by"] for one in first["predictions"]]
    assert sides == [one["served_by"] for one in again["predictions"]]
    assert 0.2 < sides.count("model") / len(sides) < 0.4
    assert first["fallback"] == "Nobody is rebooked."
    others = [one for one in first["predictions"] if one["served_by"] == "fallback"]
    assert {(one["score"], one["version"]) for one in others} == {(None, None)}


def test_a_shadow_scores_unseen(asking: Asking) -> None:
    cause("deploy_shadow", asking.release.run)
    assert until(lambda: asking.predict(sent_rows(asking, 1)).status_code == 200)
    keys = ["s1", "s2", "s3"]
    answer = asking.predict(sent_rows(asking, 3), keys=keys).json()
    assert {one["served_by"] for one in answer["predictions"]} == {"fallback"}
    seen = Prediction.objects.filter(key__in=keys, mode="shadow", score__isnull=False)
    assert until(lambda: seen.count() == 3)
    assert Prediction.objects.filter(key__in=keys, mode="fallback").count() == 3


def test_a_change_is_followed_without_a_restart(asking: Asking) -> None:
    go_live(asking)
    row = sent_rows(asking, 1)
    second = release(asking.release.case, family="linear")
    cause("go_live", second.run, gate=gate_of(second.run, "deploy"))
    assert until(lambda: asking.predict(row).json()["predictions"][0]["version"] == 2)
    ops = person("Olu", use_case=asking.release.case, persona="OPS")
    actions.roll_back(actor=Actor.person(ops), model=asking.release.model, reason="slow")
    assert until(lambda: asking.predict(row).json()["predictions"][0]["version"] == 1)


def test_a_retired_version_is_refused(asking: Asking) -> None:
    go_live(asking)
    type(asking.release.version).objects.update(state="RETIRED")
    row = sent_rows(asking, 1)
    assert until(lambda: asking.predict(row).status_code == 409)


def test_a_live_version_whose_approval_lapsed_goes_on_answering(asking: Asking) -> None:
    go_live(asking)
    row = sent_rows(asking, 1)
    type(asking.release.version).objects.update(state="LAPSED")
    time.sleep(1.5)  # the process looks every half second
    assert asking.predict(row).status_code == 200


def test_health(asking: Asking) -> None:
    assert asking.http.get("/v2/health/live").json() == {"live": True}
    assert asking.http.get("/v2/health/ready").json()["ready"] is True
    assert asking.http.get("/v3/health").status_code == 404
    assert asking.http.put("/v2/health/live").status_code == 405
