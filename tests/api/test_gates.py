"""Deciding over the API: what is decided, and every way it is refused."""

from tests import factories
from tests.api.conftest import Client, Play
from tests.cast import Cast


def decisions(play: Play) -> str:
    return f"/api/v1/gates/{play.gate.pk}/decisions"


def approval(play: Play, **changes: object) -> dict[str, object]:
    return {"verdict": "approve", "seen": play.gate.subject_digest, **changes}


def test_it_approves_and_the_baton_passes(cast: Cast, api: Client, play: Play) -> None:
    answer = api(cast.sofia).post(decisions(play), approval(play))
    assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED")
    assert answer.json()["closed_by"] == "Sofia Reyes"
    play.gate.refresh_from_db()
    assert play.gate.state == "APPROVED"
    assert factories.open_hand_off(play.run).target.key == "answer"


def test_it_answers_a_replay_with_the_same_body(cast: Cast, api: Client, play: Play) -> None:
    client, headers = api(cast.sofia), {"Idempotency-Key": "once"}
    first = client.post(decisions(play), approval(play), headers=headers)
    again = client.post(decisions(play), approval(play), headers=headers)
    assert first.json() == again.json()
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert play.gate.decisions.count() == 1


def test_it_refuses_the_author(cast: Cast, api: Client, play: Play) -> None:
    answer = api(cast.dmitri).post(decisions(play), approval(play))
    assert answer.status_code == 403
    assert answer.json()["code"] == "sod.subject_author"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_it_refuses_who_saw_something_else(cast: Cast, api: Client, play: Play) -> None:
    answer = api(cast.sofia).post(decisions(play), approval(play, seen="0" * 64))
    assert answer.status_code == 409
    assert answer.json()["code"] == "superseded_subject"
    assert answer.json()["state"] == "OPEN"


def test_it_names_every_field(cast: Cast, api: Client, play: Play) -> None:
    bad = {"verdict": "request_changes", "seen": "x", "reson": "typo", "target": "nowhere"}
    answer = api(cast.sofia).post(decisions(play), bad)
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["reson"]
    del bad["reson"]
    answer = api(cast.sofia).post(decisions(play), bad)
    assert set(answer.json()["fields"]) == {"reason", "reason_code", "target"}


def test_it_says_who_was_first(cast: Cast, api: Client, play: Play) -> None:
    api(cast.sofia).post(decisions(play), approval(play))
    answer = api(cast.sofia).post(decisions(play), approval(play, verdict="abstain"))
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["by"]) == ("already_decided", "Sofia Reyes")
    assert problem["at"]
    assert problem["state"] == "APPROVED"


def test_it_sends_back_with_a_reason(cast: Cast, api: Client, play: Play) -> None:
    verdict = {"verdict": "request_changes", "reason": "two rows only", "reason_code": "quality"}
    answer = api(cast.sofia).post(decisions(play), approval(play, **verdict))
    assert answer.json()["state"] == "CHANGES_REQUESTED"
    stage = factories.stage_of(play.run, "prepare")
    assert (stage.round, stage.return_code) == (2, "quality")


def test_it_says_whether_i_may(cast: Cast, api: Client, play: Play) -> None:
    address = f"/api/v1/gates/{play.gate.pk}"
    assert api(cast.sofia).get(address).json()["forbidden"]["decide"] is None
    told = api(cast.dmitri).get(address).json()["forbidden"]["decide"]
    assert told["code"] == "sod.subject_author"


def test_it_finds_gates_by_state(cast: Cast, api: Client, play: Play) -> None:
    client = api(cast.sofia)
    assert [g["id"] for g in client.get("/api/v1/gates?state=OPEN").json()["results"]] == [
        play.gate.pk
    ]
    assert client.get("/api/v1/gates?state=APPROVED").json()["results"] == []
    refused = client.get("/api/v1/gates?state=open")
    assert refused.status_code == 422
    assert "state" in refused.json()["fields"]
