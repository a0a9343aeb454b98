"""The smallest relay from question to end: sent back once, handed over, everything recorded."""

import pytest

from portal.demo.desk import Refused
from tests.flows.baton import Baton, until


def test_three_people_pass_the_baton(baton: Baton) -> None:
    people = baton.desks
    key = baton.frame("Hello from a flow", "hello")
    run = baton.run(key, parameters={"message": "who is late?", "seconds": 0})

    gate = _gate(baton, run)
    with pytest.raises(Refused) as own:
        people["DE"].post(f"gates/{gate['id']}/decisions", _verdict(gate, "approve"))
    assert (own.value.status, own.value.code) == (403, "gate.persona")
    back = _verdict(gate, "request_changes", reason="Rows are missing.", target="prepare")
    with pytest.raises(Refused) as bare:
        people["DS"].post(f"gates/{gate['id']}/decisions", back)
    assert "reason_code" in bare.value.problem["fields"]
    people["DS"].post(f"gates/{gate['id']}/decisions", back | {"reason_code": "incomplete"})

    second = _gate(baton, run)
    assert (second["round"], second["id"] != gate["id"]) == (2, True)
    with pytest.raises(Refused) as late:
        people["DS"].post(f"gates/{gate['id']}/decisions", _verdict(gate, "approve"))
    assert (late.value.status, late.value.code) == (409, "already_decided")
    people["DS"].post(f"gates/{second['id']}/decisions", _verdict(second, "approve"))

    waiting = people["DE"].get("inbox")
    assert "hand_off" in {row["noun"] for part in waiting["sections"] for row in part["rows"]}
    (hand_off,) = people["DE"].all("hand-offs", run=run, state="PREPARING")
    people["DE"].post(f"hand-offs/{hand_off['id']}/offer", {"answers": {"gaps": "none known"}})
    with pytest.raises(Refused) as other:
        people["MLE"].post(f"hand-offs/{hand_off['id']}/accept")
    assert (other.value.status, other.value.code) == (403, "hand_off.persona")
    people["DS"].post(f"hand-offs/{hand_off['id']}/accept")

    done = baton.wait(run, lambda now: now["state"] != "RUNNING" and now)
    assert done["state"] == "SUCCEEDED"
    assert [(s["key"], s["round"], s["state"]) for s in done["stages"]] == [
        ("ask", 1, "DONE"),
        ("prepare", 2, "DONE"),
        ("answer", 1, "DONE"),
    ]
    steps = people["DS"].all(f"runs/{run}/steps")
    assert [(s["key"], s["round"], s["cached"]) for s in steps if s["stage_key"] == "prepare"] == [
        ("fetch", 1, False),
        ("arrange", 1, False),
        ("fetch", 2, True),
        ("arrange", 2, True),
    ]
    assert steps[-1]["facts"]["message"] == "who is late?"
    kinds = [event["type"] for event in people["BA"].all(f"runs/{run}/events")]
    assert {"run.create", "stage.returned", "decision.decide", "hand_off.accept"} <= set(kinds)
    assert "hold" in baton.manage("verify_ledger")


def _gate(baton: Baton, run: int) -> dict:
    """The run's open gate, as soon as its pack is frozen."""

    def look() -> dict | None:
        found = baton.desks["DS"].all("gates", run=run, state="OPEN")
        return found[0] if found else None

    return until(look, what="a gate is open")


def _verdict(gate: dict, verdict: str, **more: str) -> dict:
    return {"verdict": verdict, "seen": gate["subject_digest"], **more}
