"""What a plan says in named situations."""

from dataclasses import replace

from pipelines.blueprints import moves
from pipelines.blueprints.graph import affected, graph, hand_off_edges, upstream
from pipelines.blueprints.parse import parse
from pipelines.blueprints.plan import HandOffView, RunView, StageView, plan
from pipelines.blueprints.spec import Blueprint
from tests.unit.blueprints.bodies import good

GOOD = parse(good())
DONE, PENDING = StageView("DONE"), StageView("PENDING")
STEPS = [{"key": "proof", "operation": "noop"}]


def diamond() -> Blueprint:
    """a -> b, c -> d, where only the last edge from c changes the persona."""
    return parse(
        {
            "key": "diamond",
            "title": "Diamond",
            "stages": [
                {"key": "a", "persona": "DS"},
                {"key": "b", "persona": "DS", "needs": ["a"], "when": "facts.a.s.go > 0"},
                {"key": "c", "persona": "DE", "needs": ["a"]},
                {"key": "d", "persona": "DS", "needs": ["b", "c"]},
            ],
        }
    )


def view(**stages: StageView) -> RunView:
    return RunView(stages=stages)


def test_a_run_starts_with_all_its_stages() -> None:
    assert plan(GOOD, RunView()) == (
        moves.CreateStage("frame", 1),
        moves.CreateStage("source", 1),
        moves.CreateStage("tune", 1),
    )


def test_nothing_moves_unless_the_run_does() -> None:
    for state in ("PENDING", "PAUSED", "CANCELLING", "FAILED", "SUCCEEDED"):
        assert plan(GOOD, RunView(state=state)) == ()


def test_only_the_first_stage_begins() -> None:
    now = view(frame=PENDING, source=PENDING, tune=PENDING)
    assert plan(GOOD, now) == (moves.ActivateStage("frame"),)


def test_an_active_stage_opens_its_items_and_then_is_done() -> None:
    active = StageView("ACTIVE")
    assert plan(GOOD, view(frame=active, source=PENDING, tune=PENDING)) == (
        moves.OpenItem("frame", "brief"),
    )
    done = replace(active, items={"brief": "COMPLETED"})
    assert plan(GOOD, view(frame=done, source=PENDING, tune=PENDING)) == (
        moves.FinishStage("frame"),
    )


def test_the_persona_changes_so_a_hand_off_is_prepared_offered_and_accepted() -> None:
    now = view(frame=DONE, source=PENDING, tune=PENDING)
    assert plan(GOOD, now) == (moves.PrepareHandOff("frame", "source"),)
    edge = ("frame", "source")
    now = replace(now, hand_offs={edge: HandOffView("PREPARING", 1)})
    assert plan(GOOD, now) == (moves.OfferHandOff(*edge),)
    now = replace(now, hand_offs={edge: HandOffView("OFFERED", 1)})
    assert plan(GOOD, now) == (moves.ReadyStage("source"),)
    ready = replace(now, stages={**now.stages, "source": StageView("READY")})
    assert plan(GOOD, ready) == ()
    accepted = replace(ready, hand_offs={edge: HandOffView("ACCEPTED", 1)})
    assert plan(GOOD, accepted) == (moves.ActivateStage("source"),)


def test_the_contract_runs_before_the_offer() -> None:
    edge = ("source", "tune")
    now = RunView(
        stages={"frame": DONE, "source": StageView("DONE"), "tune": PENDING},
        hand_offs={
            ("frame", "source"): HandOffView("ACCEPTED", 1),
            edge: HandOffView("PREPARING", 1),
        },
    )

    def with_hand_off(one: HandOffView) -> RunView:
        return replace(now, hand_offs={**now.hand_offs, edge: one})

    assert plan(GOOD, now) == (moves.QueueContractStep(*edge, "again"),)
    one = HandOffView("PREPARING", 1, {"again": "RUNNING"})
    assert plan(GOOD, with_hand_off(one)) == ()
    one = replace(one, steps={"again": "SUCCEEDED"})
    assert plan(GOOD, with_hand_off(one)) == (moves.JudgeContract(*edge),)
    assert plan(GOOD, with_hand_off(replace(one, green=False))) == ()
    assert plan(GOOD, with_hand_off(replace(one, green=True))) == (moves.OfferHandOff(*edge),)


def test_a_checklist_that_asks_a_person_waits_for_one() -> None:
    body = good()
    body["stages"][0]["hand_off"] = {"checklist": [{"key": "gaps", "label": "Gaps"}]}
    now = RunView(
        stages={"frame": DONE, "source": PENDING, "tune": PENDING},
        hand_offs={("frame", "source"): HandOffView("PREPARING", 1)},
    )
    assert plan(parse(body), now) == ()


def test_a_hand_off_may_be_accepted_by_itself() -> None:
    body = good()
    body["stages"][0]["hand_off"] = {"accept": "auto"}
    now = RunView(
        stages={"frame": DONE, "source": PENDING, "tune": PENDING},
        hand_offs={("frame", "source"): HandOffView("OFFERED", 1)},
    )
    assert plan(parse(body), now) == (
        moves.AutoAcceptHandOff("frame", "source"),
        moves.ReadyStage("source"),
    )


def accepted_up_to_tune(tune: StageView, facts: dict[str, dict[str, int]] | None = None) -> RunView:
    edges = {("frame", "source"), ("source", "tune")}
    return RunView(
        stages={"frame": DONE, "source": DONE, "tune": tune},
        hand_offs={edge: HandOffView("ACCEPTED", 1) for edge in edges},
        facts=dict(facts or {}),
    )


def test_an_item_waits_for_the_step_it_comes_after() -> None:
    assert plan(GOOD, accepted_up_to_tune(StageView("ACTIVE"))) == (moves.QueueStep("tune", "fit"),)
    running = StageView("ACTIVE", steps={"fit": "RUNNING"})
    assert plan(GOOD, accepted_up_to_tune(running)) == ()
    done = StageView("ACTIVE", steps={"fit": "SUCCEEDED"})
    assert plan(GOOD, accepted_up_to_tune(done)) == (moves.OpenItem("tune", "look"),)


def test_a_step_that_failed_for_good_fails_the_stage() -> None:
    failed = StageView("ACTIVE", steps={"fit": "FAILED"})
    assert plan(GOOD, accepted_up_to_tune(failed)) == (moves.FailStage("tune", "fit"),)
    assert plan(GOOD, accepted_up_to_tune(StageView("FAILED"))) == ()


def test_a_failed_stage_fails_the_run_where_the_blueprint_says_so() -> None:
    body = good()
    body["stages"][2]["on_fail"] = "fail_run"
    now = accepted_up_to_tune(StageView("FAILED"))
    assert plan(parse(body), now) == (moves.FailRun("tune"),)


def test_the_gate_is_asked_unless_its_condition_is_false() -> None:
    worked = StageView("ACTIVE", steps={"fit": "SUCCEEDED"}, items={"look": "COMPLETED"})
    for alerts, expected in ((2, moves.SubmitStage("tune")), (0, moves.FinishStage("tune"))):
        now = accepted_up_to_tune(worked, {"tune.fit": {"alerts": alerts}})
        assert plan(GOOD, now) == (expected,)
    assert plan(GOOD, accepted_up_to_tune(worked)) == (moves.SubmitStage("tune"),)


def test_a_review_ends_only_with_an_approved_gate() -> None:
    for gate in ("OPEN", "REJECTED", "EXPIRED", "CHANGES_REQUESTED", "SUPERSEDED"):
        assert plan(GOOD, accepted_up_to_tune(StageView("IN_REVIEW", gate=gate))) == ()
    # Its gate was superseded when the run moved to a version with other rules.
    assert plan(GOOD, accepted_up_to_tune(StageView("IN_REVIEW"))) == (moves.OpenGate("tune"),)
    approved = StageView("IN_REVIEW", gate="APPROVED")
    assert plan(GOOD, accepted_up_to_tune(approved)) == (moves.FinishStage("tune"),)


def test_the_run_ends_when_every_stage_has() -> None:
    assert plan(GOOD, accepted_up_to_tune(DONE)) == (moves.FinishRun(),)
    assert plan(GOOD, accepted_up_to_tune(StageView("SKIPPED"))) == (moves.FinishRun(),)


def test_a_stage_whose_condition_is_false_is_skipped() -> None:
    blueprint = diamond()
    now = view(a=DONE, b=PENDING, c=PENDING, d=PENDING)
    skipped = replace(now, facts={"a.s": {"go": 0}})
    assert plan(blueprint, skipped) == (
        moves.PrepareHandOff("a", "c"),
        moves.SkipStage("b"),
    )
    assert moves.ActivateStage("b") in plan(blueprint, now)


def test_what_is_on_its_way_to_a_stage_that_is_left_out_is_withdrawn() -> None:
    """Whatever it would do next, be it to accept itself: it does nothing more."""
    stages = [
        {"key": "a", "persona": "DS", "hand_off": {"accept": "auto", "steps": STEPS}},
        {"key": "b", "persona": "DE", "needs": ["a"], "when": "facts.a.s.go > 0"},
    ]
    blueprint = parse({"key": "any", "title": "Any", "stages": stages})
    now = replace(view(a=DONE, b=PENDING), facts={"a.s": {"go": 0}})
    for state in ("PREPARING", "OFFERED", "ESCALATED"):
        coming = replace(now, hand_offs={("a", "b"): HandOffView(state, 1)})
        assert plan(blueprint, coming) == (
            moves.WithdrawHandOff("a", "b"),
            moves.SkipStage("b"),
        )
    for state in ("WITHDRAWN", "ACCEPTED"):
        gone = replace(now, hand_offs={("a", "b"): HandOffView(state, 1)})
        assert plan(blueprint, gone) == (moves.SkipStage("b"),)


def test_a_skipped_stage_hands_nothing_off() -> None:
    blueprint = diamond()
    now = view(a=DONE, b=StageView("SKIPPED"), c=StageView("SKIPPED"), d=PENDING)
    assert plan(blueprint, now) == (moves.ActivateStage("d"),)


def test_rounds_that_are_gone_come_again() -> None:
    for state in ("SUPERSEDED", "SENT_BACK", "CANCELLED"):
        now = view(
            frame=StageView("ACTIVE", 2, items={"brief": "OPEN"}),
            source=StageView(state, 1),
            tune=PENDING,
        )
        assert plan(GOOD, now) == (moves.CreateStage("source", 2),)


def test_a_hand_off_counts_for_the_round_that_sent_it() -> None:
    stages = {"frame": StageView("DONE", 2), "source": StageView("PENDING", 2), "tune": PENDING}
    old = RunView(stages=stages, hand_offs={("frame", "source"): HandOffView("ACCEPTED", 1)})
    assert plan(GOOD, old) == (moves.PrepareHandOff("frame", "source"),)


def test_an_accepted_hand_off_outlives_a_new_round_of_its_receiver() -> None:
    stages = {"frame": DONE, "source": StageView("PENDING", 2), "tune": PENDING}
    now = RunView(stages=stages, hand_offs={("frame", "source"): HandOffView("ACCEPTED", 1)})
    assert plan(GOOD, now) == (moves.ReadyStage("source"),)


def test_a_withdrawn_hand_off_is_prepared_again() -> None:
    now = RunView(
        stages={"frame": DONE, "source": PENDING, "tune": PENDING},
        hand_offs={("frame", "source"): HandOffView("WITHDRAWN", 1)},
    )
    assert plan(GOOD, now) == (moves.PrepareHandOff("frame", "source"),)


def test_what_a_send_back_affects() -> None:
    blueprint = diamond()
    assert affected(blueprint, "a") == {"b", "c", "d"}
    assert affected(blueprint, "b") == {"d"}
    assert affected(blueprint, "d") == frozenset()
    assert upstream(blueprint, "d") == {"a", "b", "c"}
    assert hand_off_edges(blueprint) == (("a", "c"), ("c", "d"))


def test_order_is_that_of_the_file_where_needs_leave_a_choice() -> None:
    assert graph(diamond()).order == ("a", "b", "c", "d")
