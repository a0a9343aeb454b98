"""Moving a paused run to another version of its blueprint."""

from typing import Any

import pytest

from personas.errors import Conflict, Invalid, NotAllowed
from personas.models import User
from pipelines import catalogue
from pipelines.blueprints.moving import ADDED, CARRIED, DROPPED, KEPT, LEFT_OUT, REDONE
from pipelines.runs.actions import gates, items, moving, runs, steps
from pipelines.runs.actions.moving import Look
from pipelines.runs.invariants import Scope, check_all
from pipelines.runs.models import Attempt, Decision, Gate, Run, Stage
from pipelines.usecases.models import BlueprintVersion
from tests.cast import Cast, acting
from tests.domain import engine as f

Body = dict[str, Any]


def one_gate(**more: Any) -> list[Body]:
    """A stage with a step and a form, reviewed by one data scientist; then another stage."""
    gate = more.pop("gate", f.gate("DS"))
    first = f.stage("one", "DE", steps=[f.step("work")], items=[f.form("brief")], gate=gate)
    return [{**first, **more}, f.stage("two", "DE", needs=["one"])]


def started(cast: Cast, *stages: Body, **more: Any) -> tuple[Run, Body]:
    """A run and the body of its version."""
    body = f.plan(*stages, **more)
    answer = runs.create(
        actor=acting(cast.amara), use_case=f.use_case(cast), version=f.publish(body)
    )
    return Run.objects.get(pk=answer.data["run"]), body


def version(body: Body, *stages: Body, **more: Any) -> BlueprintVersion:
    """Publish the next version."""
    return f.publish({**body, "stages": list(stages), **more})


def pause(cast: Cast, run: Run) -> None:
    runs.pause(actor=acting(cast.priya), run=run, reason="a new version is coming")
    run.refresh_from_db()


def resume(cast: Cast, run: Run) -> None:
    runs.resume(actor=acting(cast.priya), run=run)
    run.refresh_from_db()


def look(cast: Cast, run: Run, to: BlueprintVersion, **wish: Any) -> Look:
    run.refresh_from_db()
    return moving.look(actor=acting(cast.priya), run=run, version=to, **wish)


def go(cast: Cast, run: Run, to: BlueprintVersion, by: User | None = None, **wish: Any) -> Look:
    """Look, and then do what was seen."""
    seen = look(cast, run, to, **wish)
    moving.move_run(
        actor=acting(by or cast.priya), run=run, version=to, seen=seen.seen, reason="new", **wish
    )
    run.refresh_from_db()
    quiet()
    return seen


def quiet() -> None:
    """No invariant is violated, over all rows."""
    wrong = {one.code: one.offenders for one in check_all(Scope(full=True)) if not one.holds}
    wrong.pop("I24", None)  # another process's transaction
    assert not wrong


def fates(found: Look) -> dict[str, str]:
    return {f"{one.noun} {one.name}": one.fate for one in found.plan.fates}


def test_a_better_title_changes_nothing_but_the_version(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    f.work(cast, run)
    pause(cast, run)
    before = list(Stage.objects.filter(run=run).values("pk", "state", "round", "due_at"))
    to = version(body, *one_gate(), title="Better")
    found = go(cast, run, to)
    assert set(fates(found).values()) == {KEPT}
    assert list(Stage.objects.filter(run=run).values("pk", "state", "round", "due_at")) == before
    assert (run.version_id, run.state, len(run.earlier_version_ids)) == (to.pk, "PAUSED", 1)
    pinned = [e for e in f.events_of(run) if e.type == "run.version_pinned"]
    assert pinned[-1].data["digest"] == to.digest
    assert pinned[-1].data["from_digest"] == pinned[0].data["digest"]
    resume(cast, run)
    f.decide(cast.sofia, f.gate_of(run))
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_an_open_task_without_a_place_refuses_the_move_with_the_whole_list(cast: Cast) -> None:
    other = f.stage("other", "MLE", items=[f.form("note")])
    first, two = one_gate()
    run, body = started(cast, first, other, {**two, "needs": ["one", "other"]})
    pause(cast, run)
    to = version(body, f.stage("one", "DE", steps=[f.step("else")], items=[]))
    found = look(cast, run, to)
    missing = {"step.one.work", "item.one.brief", "stage.other"}
    assert missing <= set(found.problems)
    events = len(f.events_of(run))
    with pytest.raises(Invalid) as refused:
        moving.move_run(
            actor=acting(cast.priya), run=run, version=to, seen=found.seen, reason="new"
        )
    assert refused.value.fields == found.problems
    run.refresh_from_db()
    assert run.version_id != to.pk
    assert len(f.events_of(run)) == events
    quiet()


def test_looking_changes_nothing_and_needs_the_capability(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    to = version(body, *one_gate(), title="Better")
    with pytest.raises(Conflict, match="only a paused run"):
        look(cast, run, to)
    pause(cast, run)
    events = len(f.events_of(run))
    look(cast, run, to, redo=["one"])
    assert len(f.events_of(run)) == events
    for act in (cast.amara, cast.iris):
        with pytest.raises(NotAllowed):
            moving.look(actor=acting(act), run=run, version=to)
        with pytest.raises(NotAllowed):
            moving.move_run(actor=acting(act), run=run, version=to, seen="", reason="new")


def test_only_a_published_version_of_the_same_blueprint_will_do(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    pause(cast, run)
    with pytest.raises(Conflict, match="already"):
        look(cast, run, run.version)
    with pytest.raises(Invalid):
        look(cast, run, f.publish(f.plan(f.stage("one", "DE"))))
    retired = version(body, *one_gate(), title="Better")
    version(body, *one_gate(), title="Best")
    retired.refresh_from_db()
    with pytest.raises(Conflict, match="retired"):
        look(cast, run, retired)


def test_what_was_seen_must_still_be_so(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    pause(cast, run)
    to = version(body, *one_gate(), title="Better")
    seen = look(cast, run, to)
    item = f.item_of(run, "brief")
    resume(cast, run)
    items.claim(actor=acting(cast.dmitri), item=item)
    pause(cast, run)
    with pytest.raises(Conflict) as refused:
        moving.move_run(actor=acting(cast.priya), run=run, version=to, seen=seen.seen, reason="new")
    assert refused.value.code == "stale_plan"
    # What was decided belongs to what was seen.
    fresh = look(cast, run, to).seen
    with pytest.raises(Conflict):
        moving.move_run(
            actor=acting(cast.priya), run=run, version=to, seen=fresh, reason="n", redo=["one"]
        )


def test_a_queued_step_is_queued_anew_when_it_changed(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    pause(cast, run)
    old = f.attempt_of(run, "work")
    changed = one_gate(steps=[f.step("work", params={"message": "new"})])
    found = go(cast, run, version(body, *changed))
    assert fates(found)["step one.work"] == REDONE
    old.refresh_from_db()
    assert old.state == "CANCELLED"
    assert f.maybe_claim() is None
    resume(cast, run)
    assert f.attempt_of(run, "work").params["message"] == "new"
    assert Attempt.objects.filter(run=run, state="QUEUED").count() == 1
    f.work(cast, run)
    assert f.states(run)["one"] == "IN_REVIEW"
    quiet()


def test_an_open_form_keeps_its_holder_and_draft(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    item = f.item_of(run, "brief")
    items.claim(actor=acting(cast.dmitri), item=item)
    item.refresh_from_db()
    items.save_draft(
        actor=acting(cast.dmitri), item=item, data={"text": "half"}, version=item.version
    )
    pause(cast, run)
    form = f.form("brief")
    form["fields"].append({"key": "more", "label": "More", "kind": "text", "required": True})
    found = go(cast, run, version(body, *one_gate(items=[form])))
    assert fates(found)["item one.brief"] == CARRIED
    resume(cast, run)
    item.refresh_from_db()
    assert (item.holder, item.draft) == (cast.dmitri, {"text": "half"})
    with pytest.raises(Invalid) as refused:
        f.fill(cast.dmitri, item, text="done")
    assert "data.more" in refused.value.fields


def test_a_form_of_another_persona_has_no_place(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    pause(cast, run)
    to = version(body, *one_gate(items=[f.form("brief", persona="OPS")]))
    assert "item.one.brief" in look(cast, run, to).problems


def test_a_gate_stays_under_its_rules_unless_it_is_opened_anew(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    f.work(cast, run)
    gate = f.gate_of(run)
    pause(cast, run)
    to = version(body, *one_gate(gate=f.gate("DS", "BA")))
    found = look(cast, run, to)
    assert fates(found)["gate one"] == KEPT
    assert found.plan.may_rebind == ("one",)
    go(cast, run, to)
    resume(cast, run)
    f.decide(cast.sofia, gate)
    gate.refresh_from_db()
    assert gate.state == "APPROVED"
    quiet()


def test_a_gate_opened_anew_asks_again_under_the_new_rules(cast: Cast) -> None:
    run, body = started(cast, *one_gate(gate=f.gate("DS", "BA")))
    f.work(cast, run)
    gate = f.gate_of(run)
    f.decide(cast.sofia, gate)
    pause(cast, run)
    to = version(body, *one_gate(gate=f.gate("DS", "OPS")))
    found = go(cast, run, to, rebind=["one"])
    assert fates(found)["gate one"] == REDONE
    assert not Gate.objects.filter(run=run, state="OPEN").exists()
    resume(cast, run)
    fresh = f.gate_of(run)
    assert (fresh.pk != gate.pk, fresh.state) == (True, "OPEN")
    assert fresh.subject_digest == gate.subject_digest
    # Sofia's approval was given under other rules.
    assert not Decision.objects.filter(gate=fresh).exists()
    f.decide(cast.sofia, fresh)
    f.decide(cast.priya, fresh)
    fresh.refresh_from_db()
    assert fresh.state == "APPROVED"
    quiet()


def test_a_stage_done_again_keeps_approvals_of_equal_content(cast: Cast) -> None:
    run, body = started(cast, *one_gate(gate=f.gate("DS", "BA")))
    f.work(cast, run)
    first = f.gate_of(run)
    f.decide(cast.sofia, first)
    pause(cast, run)
    to = version(body, *one_gate(gate=f.gate("DS", "BA"), title="One, better"))
    found = go(cast, run, to, redo=["one"])
    assert fates(found)["stage one"] == REDONE
    assert f.states(run)["one"] == "PENDING"
    resume(cast, run)
    f.work(cast, run)
    fresh = f.gate_of(run)
    assert fresh.pk != first.pk
    assert fresh.subject_digest == first.subject_digest
    assert [d.user for d in fresh.decisions.all()] == [cast.sofia]
    assert f.stage_of(run, "one").round == 2
    quiet()


def test_what_is_done_is_not_judged_anew(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run))
    pause(cast, run)
    first = one_gate(
        steps=[f.step("work", params={"message": "new"}), f.step("extra")],
        gate=f.gate("DS", "BA"),
    )
    to = version(body, *first)
    found = go(cast, run, to)
    told = fates(found)
    assert told["stage one"] == KEPT
    assert told["step one.work"] == KEPT
    assert told["step one.extra"] == LEFT_OUT
    resume(cast, run)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_a_new_stage_before_a_done_one_needs_it_done_again(cast: Cast) -> None:
    run, body = started(cast, f.stage("one", "DE"), f.stage("two", "DE", needs=["one"]))
    f.perform()
    run.refresh_from_db()
    other, body = started(
        cast,
        f.stage("one", "DE"),
        f.stage("two", "DE", needs=["one"]),
        f.stage("three", "DE", needs=["two"], items=[f.form("brief")]),
    )
    f.perform()
    assert f.states(other) == {"one": "DONE", "two": "DONE", "three": "ACTIVE"}
    pause(cast, other)
    stages = [
        f.stage("one", "DE"),
        f.stage("between", "DE", needs=["one"]),
        f.stage("two", "DE", needs=["between"]),
        f.stage("three", "DE", needs=["two"], items=[f.form("brief")]),
    ]
    to = version(body, *stages)
    found = look(cast, other, to)
    assert list(found.problems) == ["stage.two"]
    found = go(cast, other, to, redo=["two"])
    assert fates(found) | {"stage between": ADDED, "stage three": REDONE} == fates(found)
    resume(cast, other)
    assert f.states(other) == {
        "one": "DONE",
        "between": "ACTIVE",
        "two": "PENDING",
        "three": "PENDING",
    }
    f.work(cast, other)
    other.refresh_from_db()
    assert other.state == "SUCCEEDED"
    quiet()


def test_a_done_stage_that_is_gone_stays_in_the_history(cast: Cast) -> None:
    tail = f.stage("two", "DE", items=[f.form("brief")])
    run, body = started(cast, f.stage("one", "DE"), {**tail, "needs": ["one"]})
    f.perform()
    pause(cast, run)
    found = go(cast, run, version(body, tail))
    assert fates(found)["stage one"] == DROPPED
    old = Stage.objects.get(run=run, key="one")
    assert (old.state, old.current) == ("SUPERSEDED", False)
    resume(cast, run)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_a_failed_step_is_retried_as_the_new_version_says(cast: Cast) -> None:
    run, body = started(cast, f.stage("one", "DE", steps=[f.step("work")]))
    f.fail(f.claim())
    pause(cast, run)
    better = f.stage("one", "DE", steps=[f.step("work", params={"message": "fixed"})])
    found = go(cast, run, version(body, better))
    assert fates(found)["step one.work"] == CARRIED
    resume(cast, run)
    steps.retry(actor=acting(cast.dmitri), step=f.step_of(run, "work"))
    assert f.attempt_of(run, "work").params["message"] == "fixed"
    f.perform()
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_no_run_moves_while_a_step_is_computed(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    held = f.claim()
    pause(cast, run)
    to = version(body, *one_gate(), title="Better")
    assert list(look(cast, run, to).problems) == ["step.one.work"]
    f.settle(held)
    go(cast, run, to)


def test_an_offer_goes_on_and_a_lost_edge_refuses(cast: Cast) -> None:
    stages = [f.stage("one", "DE"), f.stage("two", "DS", needs=["one"])]
    run, body = started(cast, *stages)
    f.perform()
    assert f.states(run) == {"one": "DONE", "two": "READY"}
    pause(cast, run)
    alone = version(body, f.stage("one", "DE"), f.stage("two", "DS"))
    assert "hand_off.one.two" in look(cast, run, alone).problems
    to = version(body, *stages, title="Better")
    go(cast, run, to)
    resume(cast, run)
    f.hand_over(cast.dmitri, cast.sofia, run)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_a_ready_stage_waits_for_a_second_sender(cast: Cast) -> None:
    stages = [f.stage("one", "DE"), f.stage("two", "DS", needs=["one"])]
    run, body = started(cast, *stages)
    f.perform()
    pause(cast, run)
    more = [stages[0], f.stage("also", "MLE"), {**stages[1], "needs": ["one", "also"]}]
    found = go(cast, run, version(body, *more))
    assert fates(found)["stage two"] == CARRIED
    assert f.states(run)["two"] == "PENDING"
    resume(cast, run)
    f.perform()
    assert f.states(run)["two"] == "READY"
    quiet()


def test_a_ready_stage_stays_ready_where_nothing_is_lacking(cast: Cast) -> None:
    """It goes on as the new version says; no hand-off was lost, and none is told as lost."""
    one, two = f.stage("one", "DE"), f.stage("two", "DS", needs=["one"])
    run, body = started(cast, one, two)
    f.perform()
    pause(cast, run)
    better = {**two, "title": "Two, better", "steps": [f.step("other")]}
    found = go(cast, run, version(body, one, better))
    assert fates(found)["stage two"] == CARRIED
    assert f.states(run)["two"] == "READY"
    assert "stage.hand_off_lost" not in f.events(run)
    resume(cast, run)
    f.hand_over(cast.dmitri, cast.sofia, run)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    assert f.step_of(run, "other").state == "SUCCEEDED"
    quiet()


@pytest.mark.parametrize(
    ("asks", "state"),
    [({}, "OFFERED"), ({"checklist": [{"key": "gaps", "label": "Known gaps"}]}, "PREPARING")],
)
def test_what_is_on_its_way_to_a_stage_that_is_left_out_is_withdrawn(
    cast: Cast, asks: Body, state: str
) -> None:
    """No run ends with an open hand-off, nor with somebody asked for one."""
    one = f.stage(
        "one",
        "DE",
        steps=[f.step("work", params={"rows": 3})],
        **({"hand_off": asks} if asks else {}),
    )
    also = f.stage("also", "MLE", items=[f.form("note")])
    two = f.stage("two", "DS", needs=["one", "also"])
    run, body = started(cast, one, also, two)
    f.settle(f.claim(), rows=3)
    assert f.hand_off_of(run).state == state
    assert f.states(run) == {"one": "DONE", "also": "ACTIVE", "two": "PENDING"}
    pause(cast, run)
    go(cast, run, version(body, one, also, {**two, "when": "facts.one.work.rows > 5"}))
    resume(cast, run)
    assert f.hand_off_of(run).state == state
    f.work(cast, run)
    run.refresh_from_db()
    assert (run.state, f.states(run)["two"]) == ("SUCCEEDED", "SKIPPED")
    assert run.hand_offs.get().state == "WITHDRAWN"
    assert f.attention(run) == []
    quiet()


def test_a_contract_that_nobody_waits_for_is_not_computed_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue.CHECKS, "sound", "tests.domain.test_hand_over.sound")
    proving = [f.step("proof", params={"message": "proof"})]
    proof = {"steps": proving, "contract": [{"name": "sound"}]}
    one = f.stage("one", "DE", steps=[f.step("work", params={"rows": 3})], hand_off=proof)
    also = f.stage("also", "MLE", items=[f.form("note")])
    two = f.stage("two", "DS", needs=["one", "also"])
    run, body = started(cast, one, also, two)
    f.settle(f.claim(), rows=3)
    assert f.attempt_of(run, "proof").state == "QUEUED"
    pause(cast, run)
    go(cast, run, version(body, one, also, {**two, "when": "facts.one.work.rows > 5"}))
    resume(cast, run)
    f.fill(cast.lena, f.item_of(run, "note"))
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    states = (f.step_of(run, "proof").state, f.attempt_of(run, "proof").state)
    assert states == ("CANCELLED", "CANCELLED")
    assert f.maybe_claim() is None
    quiet()


def test_a_new_parameter_may_be_given_and_an_old_one_not(cast: Cast) -> None:
    goal = {"key": "goal", "kind": "int", "title": "Goal", "default": 3}
    run, body = started(cast, *one_gate(), parameters=[goal])
    pause(cast, run)
    limit = {"key": "limit", "kind": "int", "title": "Limit", "required": True}
    to = version(body, *one_gate(), parameters=[goal, limit])
    assert list(look(cast, run, to).problems) == ["parameters.limit"]
    wrong = look(cast, run, to, parameters={"limit": 4, "goal": 5})
    assert list(wrong.problems) == ["parameters.goal"]
    go(cast, run, to, parameters={"limit": 4})
    assert run.parameters == {"goal": 3, "limit": 4}


def test_a_result_that_was_never_computed_is_missed_before_the_move(cast: Cast) -> None:
    run, body = started(cast, f.stage("one", "DE"), f.stage("two", "DE", needs=["one"]))
    held = f.claim()
    f.settle(held)
    pause(cast, run)
    stages = [
        f.stage("one", "DE", steps=[f.step("work", params={"message": "one"}), f.step("extra")]),
        f.stage(
            "two",
            "DE",
            needs=["one"],
            steps=[
                f.step("work", params={"message": "two"}),
                f.step("last", params={"message": {"ref": "facts.one.extra.message"}}),
            ],
        ),
    ]
    to = version(body, *stages)
    assert list(look(cast, run, to).problems) == ["step.two.last"]
    go(cast, run, to, redo=["one"])
    resume(cast, run)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_the_same_move_twice_under_one_key_is_one(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    pause(cast, run)
    to = version(body, *one_gate(), title="Better")
    seen = look(cast, run, to).seen
    answers = [
        moving.move_run(
            actor=acting(cast.priya), run=run, version=to, seen=seen, reason="new", key="k"
        )
        for _ in range(2)
    ]
    assert [answer.replayed for answer in answers] == [False, True]
    assert f.events(run).count("run.migrate") == 1


def test_a_moved_run_with_another_digest_is_found(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    pause(cast, run)
    first = run.version_id
    go(cast, run, version(body, *one_gate(), title="Better"))
    Run.objects.filter(pk=run.pk).update(version_id=first)
    wrong = {one.code: one.offenders for one in check_all(Scope(full=True)) if not one.holds}
    assert [row.id for row in wrong["I18"]] == [run.pk]


def test_a_gate_held_by_time_may_be_opened_in_the_new_version(cast: Cast) -> None:
    run, body = started(cast, *one_gate(gate=f.gate("DS", expires="P1D", on_expire="hold")))
    f.work(cast, run)
    gate = f.gate_of(run)
    Gate.objects.filter(pk=gate.pk).update(expires_at=gate.opened_at)
    gates.expire(gate_id=gate.pk)
    pause(cast, run)
    go(cast, run, version(body, *one_gate(gate=f.gate("BA"))))
    resume(cast, run)
    gates.reopen(actor=acting(cast.dmitri), gate=gate, reason="again")
    assert f.gate_of(run).policy["rules"][0]["persona"] == "BA"
    quiet()


def test_who_filled_in_a_form_that_is_gone_still_made_part_of_it(cast: Cast) -> None:
    """Four eyes outlast the version that asked for the form."""
    first, two = one_gate(items=[f.form("brief", persona="DS")])
    run, body = started(cast, first, two)
    f.fill(cast.sofia, f.item_of(run, "brief"))
    digest = f.item_of(run, "brief").data_digest
    pause(cast, run)
    go(cast, run, version(body, {**first, "items": []}, two))
    resume(cast, run)
    f.perform()
    gate = f.gate_of(run)
    assert cast.sofia.pk in gate.author_ids
    assert gate.pack["subject"]["items"] == {"brief": digest}
    with pytest.raises(NotAllowed) as refused:
        f.decide(cast.sofia, gate)
    assert refused.value.code == "sod.subject_author"
    quiet()


def test_a_stage_that_comes_back_with_a_later_move_begins_its_next_round(cast: Cast) -> None:
    one, two = f.stage("one", "DE"), f.stage("two", "DE", items=[f.form("brief")])
    run, body = started(cast, one, two)
    f.perform()
    assert f.states(run) == {"one": "DONE", "two": "ACTIVE"}
    pause(cast, run)
    go(cast, run, version(body, two))
    assert f.states(run) == {"two": "ACTIVE"}
    found = go(cast, run, version(body, one, two, title="With one again"))
    assert fates(found)["stage one"] == ADDED
    resume(cast, run)
    rounds = Stage.objects.filter(run=run, key="one").order_by("round")
    assert list(rounds.values_list("round", "current")) == [(1, False), (2, True)]
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_a_gate_opens_anew_although_one_before_it_expired(cast: Cast) -> None:
    """The latest gate counts, not the latest that was not superseded."""
    run, body = started(cast, *one_gate(gate=f.gate("DS", expires="P1D", on_expire="hold")))
    f.work(cast, run)
    first = f.gate_of(run)
    Gate.objects.filter(pk=first.pk).update(expires_at=first.opened_at)
    gates.expire(gate_id=first.pk)
    gates.reopen(actor=acting(cast.priya), gate=first, reason="again")
    second = f.gate_of(run)
    pause(cast, run)
    go(cast, run, version(body, *one_gate(gate=f.gate("BA"))), rebind=["one"])
    resume(cast, run)
    third = f.gate_of(run)
    states = [Gate.objects.get(pk=gate.pk).state for gate in (first, second, third)]
    assert states == ["EXPIRED", "SUPERSEDED", "OPEN"]
    f.decide(cast.amara, third)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    quiet()


def test_a_gate_that_is_to_open_anew_needs_a_place_in_the_next_version_too(cast: Cast) -> None:
    run, body = started(cast, *one_gate())
    f.work(cast, run)
    pause(cast, run)
    go(cast, run, version(body, *one_gate(gate=f.gate("BA"))), rebind=["one"])
    first, two = one_gate()
    first.pop("gate")
    assert list(look(cast, run, version(body, first, two)).problems) == ["gate.one"]
    go(cast, run, version(body, *one_gate(gate=f.gate("OPS"))))
    resume(cast, run)
    assert f.gate_of(run).policy["rules"][0]["persona"] == "OPS"
    quiet()
