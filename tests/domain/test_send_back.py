"""Send-backs, reruns and rounds."""

from typing import Any

import pytest

from personas.errors import Conflict, Invalid, NotAllowed
from pipelines.runs.actions import stages
from pipelines.runs.models import Attempt
from tests.cast import Cast, acting
from tests.domain import engine as f


def stage(key: str, persona: str = "DE", **more: Any) -> dict[str, Any]:
    """A stage with a form: its next round waits for a person, where steps come from the cache."""
    steps = [f.step("work", after=["note"], params={"message": key})]
    return f.stage(key, persona, items=[f.form("note")], steps=steps, **more)


def diamond(cast: Cast, **gate: object):
    """source -> (left, right) -> join, joined under review."""
    return f.run(
        cast,
        stage("source"),
        stage("left", needs=["source"]),
        stage("right", needs=["source"]),
        stage("join", needs=["left", "right"],
                gate=f.gate("DS", send_back_to=["left", "source"], **gate)),
    )  # fmt: skip


def test_only_what_depends_on_the_target_starts_over(cast: Cast) -> None:
    run = diamond(cast)
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run), "request_changes", target="left")
    assert f.states(run) == {
        "source": "DONE", "left": "ACTIVE", "right": "DONE", "join": "PENDING",
    }  # fmt: skip
    rounds = dict(run.stages.filter(current=True).values_list("key", "round"))
    assert rounds == {"source": 1, "left": 2, "right": 1, "join": 2}
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run))
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"


def test_without_a_target_the_first_named_is_meant(cast: Cast) -> None:
    run = diamond(cast)
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    assert f.stage_of(run, "left").round == 2


def test_a_branch_under_way_is_left_alone_or_stopped(cast: Cast) -> None:
    """A parallel branch goes on; what depends on the target is stopped, running or queued."""
    run = f.run(
        cast,
        stage("source"),
        stage("check", needs=["source"], gate=f.gate("DS", send_back_to=["source"])),
        f.stage("other", "BA"),
        f.stage("slow", "DE", needs=["source"], steps=[f.step("slow")]),
        f.stage("end", "DE", needs=["check", "other", "slow"]),
    )
    other = f.claim()
    f.fill(cast.dmitri, f.item_of(run, "note"))
    f.settle(f.claim())
    slow = f.claim()
    f.fill(cast.dmitri, f.item_of(run, "note"))
    f.settle(f.claim())
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    states = f.states(run)
    assert (states["source"], states["slow"], states["other"]) == ("ACTIVE", "PENDING", "ACTIVE")
    assert Attempt.objects.get(pk=slow.id).cancel_requested
    assert not Attempt.objects.get(pk=other.id).cancel_requested
    f.settle(slow)  # an old round's result is not taken
    assert Attempt.objects.get(pk=slow.id).state == "CANCELLED"
    f.settle(other)
    f.work(cast, run)
    states = f.states(run)
    assert (states["check"], states["slow"], states["other"]) == ("IN_REVIEW", "DONE", "DONE")
    assert run.stages.get(key="slow", round=1).state == "SUPERSEDED"
    assert f.step_of(run, "slow").stage.round == 2


def test_loops_are_bounded(cast: Cast) -> None:
    stage = f.stage("build", "DE", max_rounds=3, gate=f.gate("DS"))
    run = f.run(cast, stage)
    for round_ in (2, 3):
        f.perform()
        f.decide(cast.sofia, f.gate_of(run), "request_changes")
        assert f.stage_of(run, "build").round == round_
    f.perform()
    with pytest.raises(Conflict) as error:
        f.decide(cast.sofia, f.gate_of(run), "request_changes")
    assert error.value.code == "max_rounds"
    assert f.gate_of(run).state == "OPEN"
    f.decide(cast.sofia, f.gate_of(run), "reject")  # as the end: no round is left
    run.refresh_from_db()
    assert run.state == "REJECTED"


def test_reruns_are_not_counted(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "DE", max_rounds=2, gate=f.gate("DS")))
    for _ in range(3):
        f.perform()
        stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"), reason="again")
    f.perform()
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    assert f.stage_of(run, "build").round == 5


def test_the_last_answers_are_where_the_form_starts(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "DE", items=[f.form("brief")], gate=f.gate("DS")))
    f.fill(cast.dmitri, f.item_of(run, "brief"), text="first words")
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    item = f.item_of(run, "brief")
    assert (item.state, item.draft) == ("ASSIGNED", {"text": "first words"})
    assert item.holder == cast.dmitri


def test_a_target_without_its_owner_goes_to_the_persona(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "DE", items=[f.form("brief")], gate=f.gate("DS")))
    f.fill(cast.dmitri, f.item_of(run, "brief"))
    run.use_case.seats.filter(user=cast.dmitri).update(until="2020-01-01T00:00Z")
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    assert f.stage_of(run, "build").owner is None
    assert f.item_of(run, "brief").state == "OPEN"


def failed(cast: Cast):
    """A run whose second stage has failed."""
    run = f.run(
        cast,
        stage("one"),
        f.stage("two", "DE", needs=["one"], steps=[f.step("breaks")],
                gate=f.gate("DS", send_back_to=["one"])),
    )  # fmt: skip
    f.fill(cast.dmitri, f.item_of(run, "note"))
    f.settle(f.claim())
    f.fail(f.claim())
    return run


def test_the_owner_sends_a_failed_stage_back(cast: Cast) -> None:
    run = failed(cast)
    stage = f.stage_of(run, "two")
    assert (stage.state, f.attention(run)) == ("FAILED", ["step_failed"])
    stages.send_back(
        actor=acting(cast.dmitri), stage=stage, target="one", reason="bad", reason_code="quality"
    )
    assert f.states(run) == {"one": "ACTIVE", "two": "PENDING"}
    assert f.attention(run) == []


def test_a_send_back_is_refused_with_every_reason(cast: Cast) -> None:
    run = failed(cast)
    stage = f.stage_of(run, "two")

    def send(user: str = "dmitri", **more: str) -> None:
        given = {"target": "one", "reason": "bad", "reason_code": "quality", **more}
        stages.send_back(actor=acting(getattr(cast, user)), stage=stage, **given)

    with pytest.raises(Invalid) as error:
        send(reason="", reason_code="")
    assert set(error.value.fields) == {"reason", "reason_code"}
    with pytest.raises(Invalid):
        send(target="two")
    with pytest.raises(NotAllowed):
        send("sofia")
    stage = f.stage_of(run, "one")
    with pytest.raises(Conflict) as late:
        send()
    assert late.value.code == "not_failed"


def test_a_rerun_starts_over_what_follows(cast: Cast) -> None:
    run = diamond(cast)
    f.work(cast, run)
    stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "source"), reason="new data")
    assert f.states(run) == {
        "source": "ACTIVE", "left": "PENDING", "right": "PENDING", "join": "PENDING",
    }  # fmt: skip
    assert f.gate_of(run).state == "SUPERSEDED"


def test_what_waits_or_is_skipped_is_not_rerun(cast: Cast) -> None:
    run = diamond(cast)
    with pytest.raises(Conflict) as error:
        stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "join"), reason="why not")
    assert error.value.code == "not_rerunnable"
