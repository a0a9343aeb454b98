"""Decisions in gates: verdicts, four-eyes, evidence, checks, quorum, deadlines, replay."""

from typing import Any
from uuid import uuid4

import pytest

from personas.errors import Conflict, DomainError, Gone, Invalid, NotAllowed
from personas.models import User
from pipelines import catalogue
from pipelines.checks.contract import CheckResult, Facts, Params
from pipelines.runs.actions import gates, runs, stages
from pipelines.runs.models import Check, Decision, Gate, Run
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def green(facts: Facts, params: Params) -> CheckResult:
    """Green where a step's facts say so."""
    good = bool((facts.get("build.work") or {}).get("good"))
    return CheckResult("pass" if good else "fail", "good" if good else "not good")


@pytest.fixture(autouse=True)
def _check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.CHECKS, "green", f"{__name__}.green")


def reviewed(cast: Cast, *rules: Any, facts: dict[str, Any] | None = None, **more: Any) -> Run:
    """A run whose first stage, Dmitri's, is under review."""
    run = f.run(
        cast,
        f.stage("build", "DE", items=[f.form("brief")],
                steps=[f.step("work", after=["brief"], params={"message": uuid4().hex})],
                gate=f.gate(*(rules or ("DS",)), **more)),
        f.stage("use", "DE", needs=["build"]),
    )  # fmt: skip
    f.fill(cast.dmitri, f.item_of(run, "brief"))
    f.settle(f.claim(), **(facts or {}))
    return run


def refused(user: User, run: Run, verdict: str = "approve", **more: Any) -> DomainError:
    """The error with which a decision is refused; nothing is written."""
    before = Decision.objects.count(), len(f.events(run))
    with pytest.raises(DomainError) as error:
        f.decide(user, f.gate_of(run), verdict, **more)
    assert (Decision.objects.count(), len(f.events(run))) == before
    return error.value


def test_an_approval_closes_the_gate_and_opens_what_follows(cast: Cast) -> None:
    run = reviewed(cast)
    assert f.states(run) == {"build": "IN_REVIEW", "use": "PENDING"}
    answer = f.decide(cast.sofia, f.gate_of(run), reason="fine")
    gate = f.gate_of(run)
    assert answer.data["state"] == gate.state == "APPROVED"
    assert (gate.closed_by, gate.closing_reason) == (cast.sofia, "fine")
    assert f.states(run) == {"build": "DONE", "use": "ACTIVE"}
    assert f.stage_of(run, "use").owner == cast.dmitri
    decided = f.events(run)
    assert decided.index("decision.decide") < decided.index("gate.approve")


def test_requested_changes_open_the_next_round(cast: Cast) -> None:
    run = reviewed(cast)
    f.decide(cast.sofia, f.gate_of(run), "request_changes", reason="redo", reason_code="leakage")
    assert f.gate_of(run).state == "CHANGES_REQUESTED"
    fresh = f.stage_of(run, "build")
    assert (fresh.round, fresh.state, fresh.owner) == (2, "ACTIVE", cast.dmitri)
    assert (fresh.return_reason, fresh.return_code) == ("redo", "leakage")
    assert fresh.returned_by == cast.sofia
    assert run.stages.get(key="build", round=1).state == "SENT_BACK"


@pytest.mark.parametrize(
    ("on_reject", "ends"),
    [("end_rejected", "REJECTED"), ("fail_run", "FAILED"), ("send_back", "RUNNING")],
)
def test_a_rejection_does_what_the_blueprint_says(cast: Cast, on_reject: str, ends: str) -> None:
    run = reviewed(cast, on_reject=on_reject)
    f.decide(cast.sofia, f.gate_of(run), "reject", reason="no")
    run.refresh_from_db()
    assert (f.gate_of(run).state, run.state) == ("REJECTED", ends)
    wanted = {"build": "ACTIVE", "use": "PENDING"}
    ended = {"build": "FAILED", "use": "CANCELLED"}
    assert f.states(run) == (wanted if ends == "RUNNING" else ended)


def test_an_abstention_never_counts(cast: Cast) -> None:
    run = reviewed(cast)
    f.decide(cast.noor, f.gate_of(run), "abstain")
    assert f.gate_of(run).state == "OPEN"
    f.decide(cast.sofia, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


def test_who_withdraws_may_decide_again(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.sofia, f.gate_of(run), "withdraw")
    f.decide(cast.noor, f.gate_of(run))
    assert f.gate_of(run).state == "OPEN"
    f.decide(cast.sofia, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"
    assert sorted(Decision.objects.values_list("state", flat=True)) == [
        "IN_FORCE", "IN_FORCE", "VOIDED",
    ]  # fmt: skip
    assert refused(cast.kenji, run, "withdraw").code == "gate.persona"


def test_a_changed_mind_keeps_both(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run), "abstain")
    f.decide(cast.sofia, f.gate_of(run))
    rows = Decision.objects.order_by("id").values_list("verdict", "state")
    assert list(rows) == [("abstain", "VOIDED"), ("approve", "IN_FORCE")]


def test_the_author_is_refused(cast: Cast) -> None:
    run = reviewed(cast, "DE", "DS")
    assert refused(cast.dmitri, run).code == "sod.subject_author"


def test_who_filled_in_an_item_is_an_author(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("build", "DE", items=[f.form("words", persona="DS")], gate=f.gate("DS")),
    )
    f.fill(cast.sofia, f.item_of(run, "words"))
    assert refused(cast.sofia, run).code == "sod.subject_author"
    f.decide(cast.noor, f.gate_of(run))


def test_an_administrator_is_bound_too(cast: Cast) -> None:
    run = reviewed(cast, "DE", "DS")
    cast.dmitri.is_superuser = True
    cast.dmitri.capabilities = list(cast.priya.capabilities)
    cast.dmitri.save()
    assert refused(cast.dmitri, run).code == "sod.subject_author"


def test_a_service_account_never_decides(cast: Cast) -> None:
    run = reviewed(cast)
    User.objects.filter(pk=cast.sofia.pk).update(is_service=True)
    robot = User.objects.get(pk=cast.sofia.pk)
    assert refused(robot, run).code == "sod.service_account"


@pytest.mark.parametrize("login", ["kenji", "iris", "priya"])
def test_only_the_personas_asked_decide(cast: Cast, login: str) -> None:
    error = refused(getattr(cast, login), reviewed(cast))
    assert isinstance(error, NotAllowed)
    assert error.code == "gate.persona"


def test_who_lost_the_seat_is_refused(cast: Cast) -> None:
    run = reviewed(cast)
    run.use_case.seats.filter(user=cast.sofia).update(until="2020-01-01T00:00Z")
    assert refused(cast.sofia, run).code == "gate.persona"


def test_initiator_and_earlier_deciders_may_be_excluded(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("one", "DE", gate=f.gate("DS")),
        f.stage("two", "DE", needs=["one"], gate=f.gate(
            "DS", "BA", exclude=["subject_author", "run_initiator", "earlier_deciders"])),
    )  # fmt: skip
    f.perform()
    f.decide(cast.sofia, f.gate_of(run))
    f.perform()
    assert refused(cast.sofia, run).code == "sod.earlier_decider"
    assert refused(cast.amara, run).code == "sod.run_initiator"


def test_stale_evidence_is_refused(cast: Cast) -> None:
    run = reviewed(cast)
    error = refused(cast.sofia, run, seen="0" * 64)
    assert isinstance(error, Conflict)
    assert error.code == "superseded_subject"
    assert error.data["subject_digest"] == f.gate_of(run).subject_digest


def test_every_bad_field_is_named(cast: Cast) -> None:
    run = reviewed(cast)
    error = refused(cast.sofia, run, "request_changes", reason="", reason_code="", target="use")
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"reason", "reason_code", "target"}
    error = refused(cast.sofia, run, "shrug", reason="x" * 10_001)
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"verdict", "reason"}


def test_red_checks_refuse_approval_but_not_changes(cast: Cast) -> None:
    run = reviewed(cast, checks=[{"name": "green"}])
    assert f.attention(run) == ["checks_red"]
    error = refused(cast.sofia, run)
    assert (error.code, error.data["checks"]) == ("check_red", ["green"])
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    assert f.stage_of(run, "build").round == 2
    assert f.attention(run) == []


def test_green_checks_alone_close_a_gate_without_rules(cast: Cast) -> None:
    steps = [f.step("work")]
    stage = f.stage("build", "DE", steps=steps, gate={"checks": [{"name": "green"}]})
    run = f.run(cast, stage)
    f.settle(f.claim(), good=True)
    run.refresh_from_db()
    gate = f.gate_of(run)
    assert (gate.state, gate.closed_by, run.state) == ("APPROVED", None, "SUCCEEDED")


def test_an_advisory_check_blocks_nothing(cast: Cast) -> None:
    run = reviewed(cast, checks=[{"name": "green", "blocking": False}])
    f.decide(cast.sofia, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


def test_a_waiver_has_a_name_a_reason_and_an_end(cast: Cast, later: Later) -> None:
    run = reviewed(cast, checks=[{"name": "green"}])
    check = Check.objects.get()
    with pytest.raises(NotAllowed):
        gates.waive(actor=acting(cast.sofia), check=check, reason="fine", days=7)
    with pytest.raises(Invalid) as error:
        gates.waive(actor=acting(cast.priya), check=check, reason="", days=91)
    assert set(error.value.fields) == {"reason", "days"}
    gates.waive(actor=acting(cast.priya), check=check, reason="known", days=7)
    later(days=8)
    assert refused(cast.sofia, run).code == "check_red"
    gates.waive(actor=acting(cast.priya), check=check, reason="still known", days=7)
    f.decide(cast.sofia, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


def test_a_waiver_can_close_a_gate_that_asks_nobody(cast: Cast) -> None:
    stage = f.stage("build", "DE", steps=[f.step("work")], gate={"checks": [{"name": "green"}]})
    run = f.run(cast, stage)
    f.perform()
    assert f.gate_of(run).state == "OPEN"
    gates.waive(actor=acting(cast.priya), check=Check.objects.get(), reason="known", days=7)
    run.refresh_from_db()
    assert (f.gate_of(run).state, run.state) == ("APPROVED", "SUCCEEDED")


def test_two_of_one_and_one_of_another_are_three_people(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2), "BA")
    f.decide(cast.noor, f.gate_of(run))  # holds both, fills one place
    f.decide(cast.amara, f.gate_of(run))
    assert f.gate_of(run).state == "OPEN"
    f.decide(cast.sofia, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


def test_places_may_be_shared_where_the_blueprint_says_so(cast: Cast) -> None:
    run = reviewed(cast, "DS", "BA", allow_shared=True)
    f.decide(cast.noor, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


def test_the_first_refusal_closes(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2), on_reject="end_rejected")
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.noor, f.gate_of(run), "reject")
    assert f.gate_of(run).state == "REJECTED"


def test_too_late_says_who_and_when(cast: Cast) -> None:
    run = reviewed(cast)
    gate = f.gate_of(run)
    f.decide(cast.sofia, gate)
    error = refused(cast.noor, run, "reject")
    assert isinstance(error, Conflict)
    assert error.code == "already_decided"
    assert error.data["by"] == str(cast.sofia)
    assert error.data["at"] == Gate.objects.get(pk=gate.pk).closed_at


def test_a_second_click_changes_nothing(cast: Cast) -> None:
    run = reviewed(cast)
    gate = f.gate_of(run)
    first = f.decide(cast.sofia, gate, key="k")
    count = len(f.events(run))
    again = f.decide(cast.sofia, gate, key="k")
    assert (again.data, again.replayed) == (first.data, True)
    other = f.decide(cast.sofia, gate, key="another")
    assert (other.data, other.replayed) == (first.data, False)
    assert len(f.events(run)) == count
    assert Decision.objects.count() == 1
    with pytest.raises(Invalid):
        f.decide(cast.sofia, gate, "reject", key="k")


def test_a_refusal_leaves_the_key_free(cast: Cast) -> None:
    run = reviewed(cast)
    refused(cast.sofia, run, seen="0" * 64, key="k")
    f.decide(cast.sofia, f.gate_of(run), key="k2")
    assert f.gate_of(run).state == "APPROVED"


# --- deadlines -----------------------------------------------------------------------------------


def test_silence_is_not_consent(cast: Cast, later: Later) -> None:
    """Under every policy: whatever the deadline does, it does not approve."""
    for on_expire in ("escalate", "reject", "hold"):
        run = reviewed(cast, expires="P1D", on_expire=on_expire)
        for _ in range(5):
            later(days=2)
            gates.expire(gate_id=f.gate_of(run).pk)
        assert not Gate.objects.filter(run=run, state="APPROVED").exists()
        assert f.states(run)["use"] in ("PENDING", "CANCELLED")


def test_escalation_extends_twice_and_then_holds(cast: Cast, later: Later) -> None:
    run = reviewed(cast, expires="P1D", on_expire="escalate")
    for count in (1, 2):
        later(days=2)
        gates.expire(gate_id=f.gate_of(run).pk)
        assert (f.gate_of(run).state, f.gate_of(run).escalations) == ("OPEN", count)
    later(days=2)
    gates.expire(gate_id=f.gate_of(run).pk)
    assert f.gate_of(run).state == "EXPIRED"
    assert f.states(run)["build"] == "IN_REVIEW"
    assert f.attention(run) == ["gate_expired"]


def test_a_late_decision_applies_the_deadline_first(cast: Cast, later: Later) -> None:
    run = reviewed(cast, expires="P1D", on_expire="hold")
    later(days=2)
    with pytest.raises(Gone) as error:
        f.decide(cast.sofia, f.gate_of(run), key="k")
    assert error.value.code == "gate_expired"
    assert f.gate_of(run).state == "EXPIRED"  # though the sweeper was never there
    assert not Decision.objects.exists()
    with pytest.raises(Gone):
        f.decide(cast.sofia, f.gate_of(run), key="k")


def test_a_late_decision_counts_where_time_escalates(cast: Cast, later: Later) -> None:
    run = reviewed(cast, expires="P1D", on_expire="escalate")
    later(days=2)
    f.decide(cast.sofia, f.gate_of(run))
    assert (f.gate_of(run).state, f.gate_of(run).escalations) == ("APPROVED", 1)


def test_time_rejects_where_the_blueprint_says_so(cast: Cast, later: Later) -> None:
    run = reviewed(cast, expires="P1D", on_expire="reject", on_reject="end_rejected")
    later(days=2)
    gates.expire(gate_id=f.gate_of(run).pk)
    run.refresh_from_db()
    assert (f.gate_of(run).state, run.state) == ("EXPIRED", "REJECTED")


def test_a_gate_of_a_round_that_is_over_is_not_reopened(cast: Cast) -> None:
    """The stage is done again, and its new round has no gate yet: that is told, and no defect."""
    run = f.run(cast, f.stage("one", "DE", items=[f.form("note")], gate=f.gate("DS")))
    f.fill(cast.dmitri, f.item_of(run, "note"), text="done")
    old = f.gate_of(run)
    f.decide(cast.sofia, old, "request_changes", reason="again", reason_code="quality")
    assert not f.stage_of(run, "one").gates.exists()
    old.refresh_from_db()
    with pytest.raises(Conflict) as refused:
        gates.reopen(actor=acting(cast.dmitri), gate=old, reason="go on")
    assert (refused.value.code, refused.value.data["state"]) == (
        "superseded_subject", "CHANGES_REQUESTED",
    )  # fmt: skip


def test_a_held_gate_is_reopened_on_the_same_evidence(cast: Cast, later: Later) -> None:
    run = reviewed(cast, expires="P1D", on_expire="hold")
    old = f.gate_of(run)
    later(days=2)
    gates.expire(gate_id=old.pk)
    with pytest.raises(NotAllowed):
        gates.reopen(actor=acting(cast.kenji), gate=old, reason="go on")
    gates.reopen(actor=acting(cast.dmitri), gate=old, reason="go on")
    fresh = f.gate_of(run)
    assert fresh.pk != old.pk
    assert fresh.subject_digest == old.subject_digest
    f.decide(cast.sofia, fresh)
    assert f.states(run)["build"] == "DONE"


# --- carrying over -------------------------------------------------------------------------------


def test_an_approval_of_equal_content_is_carried_over(cast: Cast) -> None:
    run = reviewed(cast, "DS", "BA")
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.amara, f.gate_of(run), "request_changes")
    f.fill(cast.dmitri, f.item_of(run, "brief"))
    f.perform()
    gate = f.gate_of(run)
    copy = Decision.objects.get(gate=gate)
    assert (copy.user, copy.carried_from.gate.stage.round) == (cast.sofia, 1)
    assert gate.state == "OPEN"
    f.decide(cast.amara, gate)
    assert f.gate_of(run).state == "APPROVED"


def test_other_content_is_looked_at_anew(cast: Cast) -> None:
    run = reviewed(cast, "DS", "BA")
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.amara, f.gate_of(run), "request_changes")
    f.fill(cast.dmitri, f.item_of(run, "brief"), text="something else")
    f.perform()
    assert not Decision.objects.filter(gate=f.gate_of(run)).exists()


def test_who_lost_the_seat_carries_nothing_over(cast: Cast) -> None:
    run = reviewed(cast, "DS", "BA")
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.amara, f.gate_of(run), "request_changes")
    run.use_case.seats.filter(user=cast.sofia).update(until="2020-01-01T00:00Z")
    f.fill(cast.dmitri, f.item_of(run, "brief"))
    f.perform()
    assert not Decision.objects.filter(gate=f.gate_of(run)).exists()


def test_a_rerun_supersedes_the_gate(cast: Cast) -> None:
    run = reviewed(cast)
    old = f.gate_of(run)
    stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"), reason="newer data")
    with pytest.raises(Conflict) as error:
        f.decide(cast.sofia, old)
    assert error.value.code == "superseded_subject"


def test_a_cancelled_run_answers_gone(cast: Cast) -> None:
    run = reviewed(cast)
    runs.cancel(actor=acting(cast.amara), run=run, reason="stop")
    assert isinstance(refused(cast.sofia, run), Gone)
