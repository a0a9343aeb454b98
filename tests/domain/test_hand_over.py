"""Hand-offs: offer, accept, return, withdraw, and the receiver's contract."""

from typing import Any

import pytest

from personas.errors import Conflict, DomainError, Invalid, NotAllowed
from pipelines import catalogue
from pipelines.checks.contract import CheckResult, Facts, Params
from pipelines.runs.actions import handoffs, steps
from pipelines.runs.models import Run
from pipelines.runs.queries.hand_off import checklist_of
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def sound(facts: Facts, params: Params) -> CheckResult:
    """Green where the contract's step says so."""
    good = bool((facts.get("make.probe") or {}).get("good"))
    return CheckResult("pass" if good else "fail", "good" if good else "not good")


@pytest.fixture(autouse=True)
def _check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.CHECKS, "sound", f"{__name__}.sound")


CONTRACT = {"steps": [f.step("probe")], "contract": [{"name": "sound"}]}
ASKS = {"checklist": [{"key": "gaps", "label": "Known gaps"}]}


def made(cast: Cast, **hand_off: Any) -> Run:
    """Dmitri's stage is done, and passes to a data scientist."""
    run = f.run(
        cast,
        f.stage("make", "DE", items=[f.form("note")], max_rounds=2, hand_off=hand_off),
        f.stage("take", "DS", needs=["make"], items=[f.form("note")]),
    )
    f.fill(cast.dmitri, f.item_of(run, "note"))
    return run


def test_it_offers_itself_where_nobody_is_asked(cast: Cast) -> None:
    run = made(cast)
    passing = f.hand_off_of(run)
    assert (passing.state, passing.offered_by) == ("OFFERED", cast.dmitri)
    assert f.states(run) == {"make": "DONE", "take": "READY"}
    handoffs.accept(actor=acting(cast.sofia), hand_off=passing)
    assert f.stage_of(run, "take").owner == cast.sofia
    assert f.item_of(run, "note").holder == cast.sofia


def test_between_the_same_persona_nothing_is_handed_over(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE"), f.stage("two", "DE", needs=["one"]))
    f.perform()
    assert not run.hand_offs.exists()


def test_a_plan_may_accept_by_itself(cast: Cast) -> None:
    run = made(cast, accept="auto")
    assert f.hand_off_of(run).state == "AUTO_ACCEPTED"
    assert f.stage_of(run, "take").state == "ACTIVE"
    assert f.stage_of(run, "take").owner is None


def test_a_checklist_asks_the_sender(cast: Cast) -> None:
    run = made(cast, **ASKS)
    passing = f.hand_off_of(run)
    assert (passing.state, f.attention(run)) == ("PREPARING", ["offer"])
    with pytest.raises(Invalid) as error:
        handoffs.offer(actor=acting(cast.dmitri), hand_off=passing, answers={"what": "x"})
    assert set(error.value.fields) == {"answers.gaps", "answers.what"}
    with pytest.raises(NotAllowed):
        handoffs.offer(actor=acting(cast.sofia), hand_off=passing, answers={"gaps": "x"})
    handoffs.offer(actor=acting(cast.dmitri), hand_off=passing, answers={"gaps": "none"}, note="hi")
    passing.refresh_from_db()
    assert (passing.state, passing.note) == ("OFFERED", "hi")
    assert passing.checklist == {"gaps": "none"}
    assert f.attention(run) == []


def refused_accept(cast: Cast, run: Run, login: str) -> DomainError:
    with pytest.raises(DomainError) as error:
        handoffs.accept(actor=acting(getattr(cast, login)), hand_off=f.hand_off_of(run))
    return error.value


def test_only_the_receivers_persona_accepts_and_never_the_sender(cast: Cast) -> None:
    run = made(cast)
    assert refused_accept(cast, run, "kenji").code == "hand_off.persona"
    assert refused_accept(cast, run, "dmitri").code == "hand_off.persona"
    passing = f.hand_off_of(run)
    passing.offered_by = cast.noor
    passing.save()
    assert refused_accept(cast, run, "noor").code == "sod.hand_off_sender"


def test_the_second_to_accept_hears_of_the_first(cast: Cast) -> None:
    run = made(cast)
    first = handoffs.accept(actor=acting(cast.sofia), hand_off=f.hand_off_of(run))
    error = refused_accept(cast, run, "noor")
    assert isinstance(error, Conflict)
    assert (error.code, error.data["by"]) == ("hand_off_moved_on", str(cast.sofia))
    again = handoffs.accept(actor=acting(cast.sofia), hand_off=f.hand_off_of(run))
    assert again.data == first.data


def test_a_return_opens_the_senders_next_round(cast: Cast) -> None:
    run = made(cast)
    passing = f.hand_off_of(run)
    with pytest.raises(Invalid) as error:
        handoffs.return_(actor=acting(cast.sofia), hand_off=passing, reason="", reason_code="")
    assert set(error.value.fields) == {"reason", "reason_code"}
    handoffs.return_(
        actor=acting(cast.sofia), hand_off=passing, reason="columns miss", reason_code="incomplete"
    )
    fresh = f.stage_of(run, "make")
    assert (fresh.round, fresh.state, fresh.owner) == (2, "ACTIVE", cast.dmitri)
    assert (fresh.return_reason, fresh.return_code) == ("columns miss", "incomplete")
    assert f.stage_of(run, "take").state == "PENDING"
    f.fill(cast.dmitri, f.item_of(run, "note"))
    assert f.hand_off_of(run).pk != passing.pk
    with pytest.raises(Conflict) as bounded:
        handoffs.return_(
            actor=acting(cast.sofia), hand_off=f.hand_off_of(run), reason="x", reason_code="other"
        )
    assert bounded.value.code == "max_rounds"
    assert f.hand_off_of(run).state == "OFFERED"
    handoffs.accept(actor=acting(cast.sofia), hand_off=f.hand_off_of(run))


def test_the_sender_takes_an_offer_back(cast: Cast) -> None:
    run = made(cast)
    passing = f.hand_off_of(run)
    with pytest.raises(NotAllowed):
        handoffs.withdraw(actor=acting(cast.sofia), hand_off=passing, reason="mine")
    handoffs.withdraw(actor=acting(cast.dmitri), hand_off=passing, reason="a mistake")
    passing.refresh_from_db()
    assert passing.state == "WITHDRAWN"
    assert f.states(run) == {"make": "ACTIVE", "take": "PENDING"}


def test_an_accepted_hand_off_is_not_taken_back(cast: Cast) -> None:
    run = made(cast)
    passing = f.hand_off_of(run)
    handoffs.accept(actor=acting(cast.sofia), hand_off=passing)
    with pytest.raises(Conflict):
        handoffs.withdraw(actor=acting(cast.dmitri), hand_off=passing, reason="too late")


def test_a_red_contract_keeps_the_package_with_the_sender(cast: Cast) -> None:
    run = made(cast, **CONTRACT)
    assert f.hand_off_of(run).state == "PREPARING"
    f.settle(f.claim(), good=False)
    assert (f.hand_off_of(run).state, f.attention(run)) == ("PREPARING", ["contract_red"])
    with pytest.raises(Conflict) as error:
        handoffs.offer(actor=acting(cast.dmitri), hand_off=f.hand_off_of(run), answers={})
    assert (error.value.code, error.value.data["checks"]) == ("contract_red", ["sound"])
    assert f.stage_of(run, "take").state == "PENDING"


def test_a_contract_is_computed_again_and_not_from_the_cache(cast: Cast) -> None:
    run = made(cast, **CONTRACT)
    f.settle(f.claim(), good=False)
    handoffs.rerun_contract(actor=acting(cast.dmitri), hand_off=f.hand_off_of(run))
    assert f.attention(run) == []
    with pytest.raises(Conflict) as busy:
        handoffs.rerun_contract(actor=acting(cast.dmitri), hand_off=f.hand_off_of(run))
    assert busy.value.code == "contract_running"
    f.settle(f.claim(), good=True)
    assert f.hand_off_of(run).state == "OFFERED"
    assert f.states(run)["take"] == "READY"


def test_a_failed_contract_step_asks_the_sender_who_tries_again(cast: Cast) -> None:
    run = made(cast, **CONTRACT)
    f.fail(f.claim())
    assert f.attention(run) == ["contract_failed"]
    steps.retry(actor=acting(cast.dmitri), step=f.step_of(run, "probe"))
    f.settle(f.claim(), good=True)
    assert f.hand_off_of(run).state == "OFFERED"
    assert f.attention(run) == []


def test_an_offer_nobody_accepts_is_escalated_and_can_still_be_accepted(
    cast: Cast, later: Later
) -> None:
    run = made(cast, due="P1D")
    handoffs.escalate(hand_off_id=f.hand_off_of(run).pk)
    assert f.hand_off_of(run).state == "OFFERED"
    later(days=2)
    handoffs.escalate(hand_off_id=f.hand_off_of(run).pk)
    assert f.hand_off_of(run).state == "ESCALATED"
    handoffs.accept(actor=acting(cast.sofia), hand_off=f.hand_off_of(run))
    assert f.stage_of(run, "take").state == "ACTIVE"


# --- How far giver and receiver stand apart ------------------------------------------------------


def far(cast: Cast, **hand_off: Any) -> Run:
    """An analyst's stage passes to an ML researcher: 74 points apart in machine learning."""
    run = f.run(
        cast,
        f.stage("make", "BA", items=[f.form("note")], hand_off=hand_off),
        f.stage("take", "MLR", needs=["make"], items=[f.form("note")]),
    )
    f.fill(cast.amara, f.item_of(run, "note"))
    return run


def test_a_wide_gap_asks_for_a_walk_through(cast: Cast) -> None:
    run = far(cast)
    passing = f.hand_off_of(run)
    assert (passing.gap, passing.state, f.attention(run)) == (74, "PREPARING", ["offer"])
    with pytest.raises(Invalid) as error:
        handoffs.offer(actor=acting(cast.amara), hand_off=passing, answers={})
    assert set(error.value.fields) == {"answers.walk_through"}
    said = {"walk_through": "2024-03-04, Amara and Kenji"}
    handoffs.offer(actor=acting(cast.amara), hand_off=passing, answers=said)
    passing.refresh_from_db()
    assert (passing.state, passing.checklist) == ("OFFERED", said)


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ("Monday, Amara and Kenji", "must name the day"),
        ("2024-13-45, Amara and Kenji", "must name the day"),
        ("2999-01-01, Amara and Kenji", "yet to come"),
        ("2024-03-04", "must name who took part"),
        ("2024-03-04, Amara", "must name who took part"),
    ],
)
def test_a_walk_through_is_told_with_its_day_and_names(cast: Cast, said: str, lacks: str) -> None:
    run = far(cast)
    with pytest.raises(Invalid) as error:
        handoffs.offer(
            actor=acting(cast.amara), hand_off=f.hand_off_of(run), answers={"walk_through": said}
        )
    assert lacks in error.value.fields["answers.walk_through"][0]
    assert f.hand_off_of(run).state == "PREPARING"


DETAILED = {
    "checklist": [
        {"key": "gaps", "label": "Known gaps", "value": "item.make.note.text"},
        {"key": "origin", "label": "Origin", "value": "item.make.note.text", "detail": True},
    ]
}


def test_those_who_stand_close_get_the_short_checklist(cast: Cast) -> None:
    close = f.hand_off_of(made(cast, **DETAILED))
    assert (close.gap, [one.key for one in checklist_of(close)]) == (0, ["gaps"])
    wide = f.hand_off_of(far(cast, **DETAILED))
    assert [one.key for one in checklist_of(wide)] == ["gaps", "origin", "walk_through"]


def test_a_wide_gap_asks_after_a_green_contract_too(cast: Cast) -> None:
    run = far(cast, **CONTRACT)
    f.settle(f.claim(), good=True)
    assert (f.hand_off_of(run).state, f.attention(run)) == ("PREPARING", ["offer"])
    f.hand_over(cast.amara, cast.kenji, run, answers=["walk_through"])
    assert f.states(run) == {"make": "DONE", "take": "ACTIVE"}


def test_what_passes_by_itself_asks_for_no_walk_through(cast: Cast) -> None:
    assert f.hand_off_of(far(cast, accept="auto")).state == "AUTO_ACCEPTED"


def test_a_missing_walk_through_is_a_reason_to_return(cast: Cast) -> None:
    run = far(cast)
    claimed = {"walk_through": "2024-03-04, Amara and Kenji"}
    handoffs.offer(actor=acting(cast.amara), hand_off=f.hand_off_of(run), answers=claimed)
    handoffs.return_(
        actor=acting(cast.kenji),
        hand_off=f.hand_off_of(run),
        reason="Nobody showed me.",
        reason_code="no_walk_through",
    )
    assert f.stage_of(run, "make").return_code == "no_walk_through"
