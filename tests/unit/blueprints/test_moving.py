"""What becomes of a run's rows in another version of its blueprint."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipelines.blueprints.diff import ADDED, CHANGED, REMOVED, UNCHANGED, diff
from pipelines.blueprints.moving import (
    CARRIED,
    DROPPED,
    KEPT,
    REDONE,
    MovePlan,
    Wish,
    plan_move,
)
from pipelines.blueprints.parse import parse
from pipelines.blueprints.plan import HandOffView, RunView, StageView
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import STAGE, move
from tests.long import at_length
from tests.unit.blueprints.playing import Play, Stage, blueprints
from tests.unit.blueprints.test_plan_properties import finish

slowly = settings(
    deadline=None,
    max_examples=at_length(200, else_=60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
Body = dict[str, object]


def played(body: Body, data: st.DataObject) -> Play:
    """A run that has gone some way."""
    play = Play(parse(body))
    play.advance()
    for _ in range(data.draw(st.integers(0, 30), label="answers")):
        answers = play.answers()
        if not answers or play.state != "RUNNING":
            break
        data.draw(st.sampled_from(answers), label="answer")[1]()
        play.advance()
    assume(play.state == "RUNNING")
    return play


def test_a_diff_names_every_part_and_field() -> None:
    old = parse(
        {
            "key": "any",
            "title": "Any",
            "stages": [
                {"key": "a", "persona": "DS", "steps": [{"key": "s", "operation": "noop"}]},
                {"key": "b", "persona": "DE", "needs": ["a"]},
            ],
        }
    )
    new = parse(
        {
            "key": "any",
            "title": "Any",
            "stages": [
                {
                    "key": "a",
                    "persona": "MLR",
                    "steps": [{"key": "s", "operation": "other"}],
                    "gate": {"rules": [{"persona": "DS"}], "send_back_to": ["a"]},
                },
                {"key": "c", "persona": "DE", "needs": ["a"]},
            ],
        }
    )
    found = {(one.noun, one.name): (one.change, one.fields) for one in diff(old, new).real}
    assert found == {
        ("stage", "a"): (CHANGED, ("persona",)),
        ("step", "a.s"): (CHANGED, ("operation",)),
        ("gate", "a"): (ADDED, ()),
        ("stage", "b"): (REMOVED, ()),
        ("stage", "c"): (ADDED, ()),
    }


@slowly
@given(body=blueprints(), data=st.data())
def test_moving_to_an_identical_version_changes_nothing(body: Body, data: st.DataObject) -> None:
    play = played(body, data)
    view = replace(play.view(), state="PAUSED")
    found = plan_move(play.blueprint, parse(body), view)
    assert found.refused == ()
    assert found.redone == frozenset()
    assert {one.fate for one in found.fates} <= {KEPT}
    assert {one.change for one in found.changes.changes} == {UNCHANGED}


@pytest.mark.slow
@slowly
@given(body=blueprints(), other=blueprints(), data=st.data())
def test_a_run_that_may_move_comes_to_its_end_there(
    body: Body, other: Body, data: st.DataObject
) -> None:
    """Whatever the other version is: what is not refused leads, by its plan, to the end.

    Play asserts at each move that needs are met, edges exist and nothing is begun twice.
    """
    play = played(body, data)
    new = parse(other)
    wish = Wish(redo=frozenset(data.draw(st.sets(st.sampled_from(sorted(play.stages))))))
    view = replace(play.view(), state="PAUSED")
    found = plan_move(play.blueprint, new, view, wish)
    assume(not found.refused)
    apply(play, new, found)
    play.advance()
    finish(play)
    assert play.state == "SUCCEEDED"


def apply(play: Play, new: Blueprint, found: MovePlan) -> None:
    """Do to the rows in memory what the plan says."""
    for key in found.names("stage", DROPPED):
        del play.stages[key]
    for key in found.names("stage", REDONE):
        play.stages[key] = Stage(move(STAGE, "", "create"), play.stages[key].round + 1)
    for name in found.names("step", REDONE):
        stage, step = name.split(".")
        del play.stages[stage].steps[step]
    for key in found.waiting:
        play.stages[key].state = move(STAGE, play.stages[key].state, "hand_off_lost")
    for name in found.names("hand_off", CARRIED):
        source, target = name.split(".")
        play.hand_offs[source, target].steps.clear()
        play.hand_offs[source, target].green = None
    play.hand_offs = {
        (source, target): hand_off
        for (source, target), hand_off in play.hand_offs.items()
        if source in play.stages and source not in found.redone
    }
    old = play.blueprint
    play.move_to(new)
    for key, stage in play.stages.items():
        keep_what_is_done(play, old, key, stage)


def keep_what_is_done(play: Play, old: Blueprint, key: str, stage: Stage) -> None:
    """Play compares all of a round with its definition; what a round has besides is history."""
    known = {one.key for one in play.blueprint.stage(key).steps}
    stage.steps = {step: state for step, state in stage.steps.items() if step in known}
    items = {one.key for one in play.blueprint.stage(key).items}
    stage.items = {item: state for item, state in stage.items.items() if item in items}


# --- a condition that comes with the move --------------------------------------------------------


def joined(needs: list[str], when: str = "", **first: object) -> Body:
    """s0 and s1, each of which may hand off to s2."""
    last: Body = {"key": "s2", "persona": "DS", "needs": needs}
    stages: list[Body] = [
        {"key": "s0", "persona": "DE", "steps": [{"key": "t0", "operation": "noop"}]},
        {"key": "s1", "persona": "DE", **first},
        {**last, "when": when} if when else last,
    ]
    return {"key": "any", "title": "Any", "stages": stages}


def moved(body: Body, other: Body, accepted: tuple[str, str] | None = None) -> Play:
    """A run whose s0 is done, and then in the other version; there s2's condition is false."""
    play = Play(parse(body))
    play.advance()
    play.finish_step("s0", "t0", "SUCCEEDED")
    play.facts["s0.t0"] = {"n": 0}
    play.advance()
    if accepted:
        play.answer_hand_off(accepted, "accept")
        play.advance()
    new = parse(other)
    found = plan_move(play.blueprint, new, replace(play.view(), state="PAUSED"))
    assert not found.refused
    apply(play, new, found)
    play.advance()
    return play


def test_a_stage_that_is_ready_keeps_its_turn() -> None:
    """Found by hypothesis: it was made to wait, then left out, and the offer to it stayed open."""
    old, new = joined(["s0", "s1"]), joined(["s0"], "facts.s0.t0.n > 0")
    play = moved(old, new, ("s1", "s2"))
    assert play.stages["s2"].state == "READY"
    assert play.hand_offs["s0", "s2"].state == "OFFERED"
    finish(play)
    assert (play.state, play.stages["s2"].state) == ("SUCCEEDED", "DONE")


def test_an_offer_to_a_stage_that_is_left_out_is_withdrawn() -> None:
    look = [{"key": "look", "kind": "review"}]
    old = joined(["s0", "s1"], items=look)
    play = moved(old, joined(["s0", "s1"], "facts.s0.t0.n > 0", items=look))
    assert (play.stages["s2"].state, play.hand_offs["s0", "s2"].state) == ("PENDING", "OFFERED")
    finish(play)
    assert (play.state, play.stages["s2"].state) == ("SUCCEEDED", "SKIPPED")
    assert play.hand_offs["s0", "s2"].state == "WITHDRAWN"


# --- results that are missing --------------------------------------------------------------------


def two_stages(step: Body, wants: str, contract: list[Body] | None = None) -> Blueprint:
    first: Body = {"key": "a", "persona": "DE", "steps": [step]}
    if contract is not None:
        first["hand_off"] = {"steps": contract}
    steps = (
        [{"key": "t", "operation": "noop", "params": {"message": {"ref": wants}}}] if wants else []
    )
    second = {"key": "b", "persona": "DS", "needs": ["a"], "steps": steps}
    return parse({"key": "any", "title": "Any", "stages": [first, second]})


def passed(**steps: str) -> RunView:
    """`a` is done and handed over; `b` has just begun."""
    stages = {"a": StageView("DONE", steps={"s": "SUCCEEDED"}), "b": StageView("ACTIVE")}
    return RunView("PAUSED", stages, {("a", "b"): HandOffView("ACCEPTED", 1, steps)})


def refused(found: MovePlan) -> list[str]:
    return [one.name for one in found.refused]


def test_a_result_of_another_operation_will_not_do_whichever_version_left_it() -> None:
    """The step's own row says what computed it: the version before may already have had the new."""
    plain, other = {"key": "s", "operation": "noop"}, {"key": "s", "operation": "other"}
    new = two_stages(other, "facts.a.s.n")
    assert refused(plan_move(two_stages(plain, ""), new, passed())) == ["b.t"]
    between = two_stages(other, "")
    assert refused(plan_move(between, new, passed(), computed={"a.s": "noop"})) == ["b.t"]
    assert refused(plan_move(between, new, passed(), computed={"a.s": "other"})) == []


def test_a_contracts_result_is_missed_once_the_hand_off_has_passed_on() -> None:
    step = {"key": "s", "operation": "noop"}
    new = two_stages(step, "facts.a.proof.n", [{"key": "proof", "operation": "noop"}])
    old = two_stages(step, "")
    assert refused(plan_move(old, new, passed())) == ["b.t"]
    assert refused(plan_move(old, new, passed(proof="SUCCEEDED"))) == []
    assert refused(plan_move(old, new, passed(), Wish(redo=frozenset({"a"})))) == []
