"""Verdicts beyond yes and no: blind gates, overrides, and approvals that hold for their content."""

from typing import Any
from uuid import uuid4

import pytest

from personas.errors import Conflict, DomainError, Gone, Invalid, NotAllowed
from personas.models import Event, User
from pipelines.blueprints.parse import digest
from pipelines.runs import blind as sight
from pipelines.runs.actions import blind, overrides, runs, stages, verdicts
from pipelines.runs.models import Decision, Gate, Override, Run
from pipelines.runs.sweeper import Sweeper
from pipelines.usecases.actions import give_seat
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def reviewed(cast: Cast, *rules: Any, **more: Any) -> Run:
    """A run whose first stage, Dmitri's, is under review."""
    run = f.run(
        cast,
        f.stage("build", "DE", steps=[f.step("work", params={"message": uuid4().hex})],
                gate=f.gate(*rules, **more)),
        f.stage("use", "DE", needs=["build"]),
    )  # fmt: skip
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"))
    f.settle(f.claim())
    return run


def sealed(cast: Cast, **more: Any) -> Run:
    """A run at a blind gate that asks two data scientists and a business analyst."""
    given = {"blind": True, "expires": "P4D", "on_reject": "end_rejected", **more}
    return reviewed(cast, ("DS", 2), "BA", **given)


def refused(call: Any, *args: Any, **more: Any) -> DomainError:
    """The error that the call ends with; no decision is added by it."""
    before = Decision.objects.count()
    with pytest.raises(DomainError) as error:
        call(*args, **more)
    assert Decision.objects.count() == before
    return error.value


def sweep() -> None:
    """What the engine does by the clock."""
    Sweeper(poke=lambda queue, pk: True, stopping=None).sweep()  # type: ignore[arg-type]


def ruler(user: User) -> User:
    """Give a person the capability to override."""
    user.capabilities = ["gate.override"]
    user.save()
    return user


def seen(user: User, gate: Gate) -> list[str]:
    """The verdicts a person may see in a gate."""
    rows = gate.decisions.filter(state="IN_FORCE").order_by("id")
    return [decision.verdict for decision in sight.seen_by(user, gate, rows)]


# --- blind gates ---------------------------------------------------------------------------------


def test_nobody_sees_the_others_before_all_have_decided(cast: Cast) -> None:
    run = sealed(cast)
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.noor, f.gate_of(run), "reject", reason="I doubt it")
    gate = f.gate_of(run)
    assert gate.sealed
    assert gate.state == "OPEN"  # a first rejection would have closed any other gate
    assert (seen(cast.sofia, gate), seen(cast.noor, gate)) == (["approve"], ["reject"])
    assert seen(cast.amara, gate) == seen(cast.priya, gate) == []


def test_the_ledger_tells_a_sealed_verdict_at_the_reveal(cast: Cast) -> None:
    run = sealed(cast)
    f.decide(cast.sofia, f.gate_of(run), reason="a fine secret")
    f.decide(cast.noor, f.gate_of(run))
    told = [str(event.data) for event in f.events_of(run)]
    assert not any("a fine secret" in text or "'approve'" in text for text in told)
    f.decide(cast.amara, f.gate_of(run))
    revealed = [event.data for event in f.events_of(run) if event.type == "decision.revealed"]
    assert [data["by"] for data in revealed] == ["Sofia Reyes", "Noor Haddad", "Amara Osei"]
    assert revealed[0]["reason"] == "a fine secret"


def test_all_confirm_and_the_tally_runs(cast: Cast) -> None:
    run = sealed(cast)
    for user in (cast.sofia, cast.noor, cast.amara):
        f.decide(user, f.gate_of(run))
    gate = f.gate_of(run)
    assert (gate.state, gate.sealed) == ("OPEN", False)
    assert seen(cast.amara, gate) == ["approve"] * 3
    for user in (cast.sofia, cast.noor, cast.amara):
        assert f.gate_of(run).state == "OPEN"
        blind.confirm(actor=acting(user), gate=gate)
    assert f.gate_of(run).state == "APPROVED"
    assert f.states(run) == {"build": "DONE", "use": "ACTIVE"}


def test_each_changes_once_after_the_reveal(cast: Cast) -> None:
    run = sealed(cast)
    for user in (cast.sofia, cast.noor, cast.amara):
        f.decide(user, f.gate_of(run))
    f.decide(cast.noor, f.gate_of(run), "reject", reason="now that I read you")
    assert f.gate_of(run).state == "OPEN"  # two have not confirmed
    error = refused(f.decide, cast.noor, f.gate_of(run))
    assert error.code == "changed_once"
    blind.confirm(actor=acting(cast.sofia), gate=f.gate_of(run))
    blind.confirm(actor=acting(cast.amara), gate=f.gate_of(run))
    run.refresh_from_db()
    assert (f.gate_of(run).state, run.state) == ("REJECTED", "REJECTED")


def test_half_the_time_reveals_and_reveal_counts(cast: Cast, later: Later) -> None:
    run = sealed(cast, reveal="PT6H")
    f.decide(cast.sofia, f.gate_of(run))
    later(days=1, hours=23)
    sweep()
    assert f.gate_of(run).sealed
    later(hours=2)
    sweep()
    gate = f.gate_of(run)
    assert (gate.sealed, gate.state) == (False, "OPEN")
    f.decide(cast.noor, gate)
    f.decide(cast.amara, gate)
    assert f.gate_of(run).state == "OPEN"  # Sofia thinks again
    later(hours=7)
    sweep()
    assert f.gate_of(run).state == "APPROVED"


def test_after_its_time_a_blind_gate_is_like_any_other(cast: Cast, later: Later) -> None:
    run = sealed(cast, on_reject="end_rejected")
    f.decide(cast.sofia, f.gate_of(run))
    later(days=2, hours=1)
    sweep()
    later(hours=5)
    sweep()
    assert f.gate_of(run).state == "OPEN"  # one of three
    before = Event.objects.count()
    sweep()
    assert Event.objects.count() == before  # the sweeper does not come back for ever
    f.decide(cast.noor, f.gate_of(run), "reject")
    assert f.gate_of(run).state == "REJECTED"


def test_a_pause_stops_the_clock_of_a_blind_gate(cast: Cast, later: Later) -> None:
    run = sealed(cast)
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    later(days=3)
    sweep()
    runs.resume(actor=acting(cast.priya), run=run)
    sweep()
    assert f.gate_of(run).sealed


def test_confirming_needs_a_reveal_and_a_decision(cast: Cast) -> None:
    run = sealed(cast)
    f.decide(cast.sofia, f.gate_of(run))
    call = {"actor": acting(cast.sofia), "gate": f.gate_of(run)}
    assert refused(blind.confirm, **call).code == "not_revealed"
    f.decide(cast.noor, f.gate_of(run))
    f.decide(cast.amara, f.gate_of(run))
    call["actor"] = acting(cast.kenji)
    assert refused(blind.confirm, **call).code == "nothing_to_confirm"


def test_who_lost_the_seat_confirms_nothing(cast: Cast) -> None:
    run = sealed(cast)
    for user in (cast.sofia, cast.noor, cast.amara):
        f.decide(user, f.gate_of(run))
    run.use_case.seats.filter(user=cast.sofia).update(until="2020-01-01T00:00Z")
    error = refused(blind.confirm, actor=acting(cast.sofia), gate=f.gate_of(run))
    assert error.code == "gate.persona"


def test_a_withdrawal_after_the_reveal_lets_the_tally_go_on(cast: Cast) -> None:
    run = sealed(cast)
    f.decide(cast.sofia, f.gate_of(run), "reject", reason="no")
    f.decide(cast.noor, f.gate_of(run))
    f.decide(cast.amara, f.gate_of(run))
    blind.confirm(actor=acting(cast.noor), gate=f.gate_of(run))
    blind.confirm(actor=acting(cast.amara), gate=f.gate_of(run))
    f.decide(cast.sofia, f.gate_of(run), "withdraw")
    assert f.gate_of(run).state == "OPEN"  # two of three, none against
    f.decide(cast.sofia, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


# --- overrides -----------------------------------------------------------------------------------


def overrule(user: User, run: Run, verdict: str = "approve", **more: Any) -> Any:
    gate = f.gate_of(run)
    given = {"seen": gate.subject_digest, "reason": "the plant stands still", **more}
    return overrides.override(actor=acting(user), gate=gate, verdict=verdict, **given)


def test_an_override_closes_the_gate_and_stays_visible(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    overrule(ruler(cast.priya), run)
    gate = f.gate_of(run)
    assert (gate.state, gate.overridden, gate.closed_by) == ("APPROVED", True, cast.priya)
    assert f.states(run)["build"] == "DONE"
    told = next(e for e in f.events_of(run) if e.type == "gate.overridden")
    assert (told.data["by"], told.data["reason"]) == ("Priya Nair", "the plant stands still")
    assert "gate.override_approve" in f.events(run)


def test_an_override_rejects_as_the_blueprint_says(cast: Cast) -> None:
    run = reviewed(cast, "DS", on_reject="end_rejected")
    overrule(ruler(cast.priya), run, "reject")
    run.refresh_from_db()
    assert (f.gate_of(run).state, run.state) == ("REJECTED", "REJECTED")
    other = reviewed(cast, "DS")
    overrule(cast.priya, other, "reject")
    fresh = f.stage_of(other, "build")
    assert (fresh.round, fresh.return_reason) == (2, "the plant stands still")


def test_an_override_passes_over_red_checks(cast: Cast) -> None:
    run = reviewed(cast, "DS", checks=[{"name": "target_met"}])
    assert refused(f.decide, cast.sofia, f.gate_of(run)).code == "check_red"
    overrule(ruler(cast.priya), run)
    assert f.gate_of(run).state == "APPROVED"
    assert f.attention(run) == []


def test_who_may_override_and_who_not(cast: Cast) -> None:
    run = reviewed(cast, "DS")
    assert refused(overrule, cast.priya, run).code == "gate.override"
    assert refused(overrule, ruler(cast.dmitri), run).code == "sod.subject_author"
    assert refused(overrule, ruler(cast.sofia), run).code == "sod.decider"
    robot = ruler(cast.lena)
    User.objects.filter(pk=robot.pk).update(is_service=True)
    robot.refresh_from_db()
    assert refused(overrule, robot, run).code == "sod.service_account"
    cast.priya.is_superuser = True
    cast.priya.save()
    assert refused(overrule, cast.priya, run).code == "gate.override"
    assert f.gate_of(run).state == "OPEN"


def test_the_initiator_overrides_nothing_where_excluded(cast: Cast) -> None:
    run = reviewed(cast, "DS", exclude=["subject_author", "run_initiator"])
    assert refused(overrule, ruler(cast.amara), run).code == "sod.run_initiator"


def test_an_override_names_what_it_lacks(cast: Cast) -> None:
    run = reviewed(cast, "DS")
    ruler(cast.priya)
    error = refused(overrule, cast.priya, run, "abstain", reason=" ")
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"verdict", "reason"}
    assert refused(overrule, cast.priya, run, seen="0" * 64).code == "superseded_subject"
    f.decide(cast.sofia, f.gate_of(run))
    error = refused(overrule, cast.priya, run)
    assert isinstance(error, Conflict)
    assert error.data["by"] == "Sofia Reyes"


def test_two_people_override_where_the_blueprint_asks_two(cast: Cast) -> None:
    run = reviewed(cast, "DS", override="two")
    overrule(ruler(cast.priya), run)
    assert f.gate_of(run).state == "OPEN"
    assert refused(overrule, cast.priya, run).code == "override_asked"
    assert refused(overrule, ruler(cast.lena), run, "reject").code == "override_asked"
    overrule(cast.lena, run, reason="I saw it, too")
    assert (f.gate_of(run).state, f.gate_of(run).overridden) == ("APPROVED", True)
    both = Override.objects.get()
    assert (both.by, both.seconded_by, both.second_reason) == (
        cast.priya, cast.lena, "I saw it, too",
    )  # fmt: skip


def test_a_gate_may_refuse_overrides(cast: Cast) -> None:
    run = reviewed(cast, "DS", override="never")
    assert refused(overrule, ruler(cast.priya), run).code == "gate.override_never"


def test_time_goes_before_an_override(cast: Cast, later: Later) -> None:
    run = reviewed(cast, "DS", expires="P1D", on_expire="hold")
    later(days=2)
    with pytest.raises(Gone):
        overrule(ruler(cast.priya), run)
    assert f.gate_of(run).state == "EXPIRED"


def test_a_paused_run_is_not_overridden(cast: Cast) -> None:
    run = reviewed(cast, "DS")
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    assert refused(overrule, ruler(cast.priya), run).code == "run_paused"


def test_an_override_ends_the_secret(cast: Cast) -> None:
    run = sealed(cast)
    f.decide(cast.sofia, f.gate_of(run), "reject", reason="no")
    overrule(ruler(cast.priya), run)
    gate = f.gate_of(run)
    assert gate.state == "APPROVED"
    assert seen(cast.amara, gate) == ["reject"]


def test_an_override_cannot_be_rewritten(cast: Cast) -> None:
    run = reviewed(cast, "DS")
    overrule(ruler(cast.priya), run)
    with pytest.raises(Exception, match="Cannot update"):
        Override.objects.update(reason="because")


# --- the rest of the six -------------------------------------------------------------------------


def test_plain_digests_stay_as_they_were() -> None:
    plain = f.plan(f.stage("build", "DE", gate=f.gate("DS")))
    given = f.gate("DS", blind=False, reveal="PT4H", conditions=True, override="one")
    stage = f.stage("build", "DE", gate=given)
    assert digest({**plain, "stages": [stage]}) == digest(plain)
    stage["gate"]["override"] = "never"
    assert digest({**plain, "stages": [stage]}) != digest(plain)


def test_an_approval_is_carried_over_to_the_same_content(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run))
    stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"), reason="again")
    f.perform()
    carried = f.gate_of(run).decisions.get()
    assert (carried.user, carried.carried_from.gate_id) == (cast.sofia, f.gate_of(run).pk - 1)
    with pytest.raises(NotAllowed):
        f.decide(cast.dmitri, f.gate_of(run))
    f.decide(cast.noor, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"


def test_abstentions_that_leave_too_few_ask_the_owner(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.noor, f.gate_of(run), "abstain")
    assert f.gate_of(run).state == "OPEN"
    assert f.attention(run) == ["gate_stuck"]
    f.decide(cast.sofia, f.gate_of(run), "abstain")
    assert f.attention(run) == ["gate_stuck"]  # asked once
    cast.kenji.personas.add("DS")
    give_seat(actor=acting(cast.amara), use_case=run.use_case, user=cast.kenji, persona="DS")
    f.decide(cast.kenji, f.gate_of(run))
    f.decide(cast.noor, f.gate_of(run))
    assert (f.gate_of(run).state, f.attention(run)) == ("APPROVED", [])


def test_an_abstention_with_others_left_asks_nobody(cast: Cast) -> None:
    run = reviewed(cast, "DS")
    f.decide(cast.noor, f.gate_of(run), "abstain")
    assert f.attention(run) == []


def test_gates_names_all_six() -> None:
    assert set(verdicts.VERDICTS) == {
        "approve", "approve_with_conditions", "request_changes", "reject", "abstain", "withdraw",
    }  # fmt: skip
