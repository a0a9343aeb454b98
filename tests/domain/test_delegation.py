"""Delegation: who decides and works for whom, from when until when, and what that never permits."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from personas.errors import DomainError, Gone, Invalid
from personas.models import Event, User
from pipelines.runs.actions import findings, handoffs, items, stages
from pipelines.runs.models import Decision, Finding, Run, WorkItem
from pipelines.runs.queries.inbox import inbox, waiting_for
from pipelines.usecases.actions import Wish, delegate, end_delegation, give_seat
from pipelines.usecases.models import Delegation, UseCase
from pipelines.usecases.policies import visible
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


@pytest.fixture
def now() -> datetime:
    """The host's clock, which in these tests the database's began with."""
    return timezone.now()


def lend(
    giver: User, deputy: User | None, persona: str | None = None, *, by: User | None = None,
    days: int = 7, starts: int = -1, use_case: UseCase | None = None,
) -> Delegation:  # fmt: skip
    """Let a deputy act for a person from `starts` days from now, for some days."""
    since = timezone.now() + timedelta(days=starts)
    wish = Wish(
        giver=giver, deputy=deputy, persona=persona, use_case=use_case,
        since=since, until=since + timedelta(days=days), reason="holiday",
    )  # fmt: skip
    answer = delegate(actor=acting(by or giver), wish=wish)
    return Delegation.objects.get(pk=answer.data["delegation"])


def reviewed(cast: Cast, *rules: Any, by: User | None = None, **more: Any) -> Run:
    """A run whose first stage, Dmitri's, is under review; noor has no seat on its use case."""
    within = f.use_case(cast, without=("iris", "noor"))
    run = f.run(
        cast,
        f.stage("build", "DE", steps=[f.step("work", params={"message": uuid4().hex})],
                gate=f.gate(*(rules or ("DS",)), **more)),
        on=within,
    )  # fmt: skip
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"))
    f.settle(f.claim())
    return run


def refused(call: Any, *args: Any, **more: Any) -> DomainError:
    """The error that the call ends with."""
    with pytest.raises(DomainError) as error:
        call(*args, **more)
    return error.value


def seat(cast: Cast, run: Run, user: User, persona: str) -> None:
    """Give a person one more persona, and its seat here."""
    user.personas.add(persona)
    give_seat(actor=acting(cast.amara), use_case=run.use_case, user=user, persona=persona)


# --- deciding ------------------------------------------------------------------------------------


def test_a_deputy_decides_and_both_are_named(cast: Cast) -> None:
    run = reviewed(cast)
    assert refused(f.decide, cast.noor, f.gate_of(run)).code == "gate.persona"
    assert not visible(cast.noor).filter(pk=run.use_case_id).exists()
    lend(cast.sofia, cast.noor, "DS")
    assert visible(cast.noor).filter(pk=run.use_case_id).exists()
    assert refused(f.decide, cast.noor, f.gate_of(run)).code == "gate.persona"
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    decision = Decision.objects.get()
    assert (decision.user, decision.on_behalf_of) == (cast.noor, cast.sofia)
    assert decision.who == "Noor Haddad for Sofia Reyes"
    assert decision.personas == ["DS"]  # noor is a business analyst, too, but not here
    assert f.gate_of(run).state == "APPROVED"
    told = next(event for event in f.events_of(run) if event.type == "decision.decide")
    assert (told.actor, told.data["for"]) == (cast.noor, "Sofia Reyes")


def test_what_a_deputy_decided_names_both_in_the_inbox(cast: Cast) -> None:
    run = reviewed(cast)
    lend(cast.sofia, cast.noor, "DS")
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    finished = next(part for part in inbox(cast.noor).sections if part.key == "done")
    [done] = [row for row in finished.rows if row.noun == "gate"]
    assert done.why == "Noor Haddad for Sofia Reyes"


def test_it_holds_between_its_dates_only(cast: Cast, later: Later) -> None:
    run = reviewed(cast)
    lend(cast.sofia, cast.noor, "DS", starts=2, days=3)
    deputy = {"on_behalf_of": cast.sofia}
    assert refused(f.decide, cast.noor, f.gate_of(run), **deputy).code == "delegation.none"
    later(days=6)
    assert refused(f.decide, cast.noor, f.gate_of(run), **deputy).code == "delegation.none"
    later(days=-3)
    f.decide(cast.noor, f.gate_of(run), **deputy)


def test_it_ends_with_the_seat_the_persona_or_a_word(cast: Cast) -> None:
    run = reviewed(cast)
    given = lend(cast.sofia, cast.noor, "DS")
    deputy = {"on_behalf_of": cast.sofia}

    def code() -> str:
        return refused(f.decide, cast.noor, f.gate_of(run), seen="0" * 64, **deputy).code

    assert code() == "superseded_subject"  # so far it stands
    cast.noor.personas.remove("DS")
    assert code() == "delegation.none"
    cast.noor.personas.add("DS")
    User.objects.filter(pk=cast.sofia.pk).update(is_active=False)
    assert code() == "delegation.none"
    User.objects.filter(pk=cast.sofia.pk).update(is_active=True)
    seats = run.use_case.seats.filter(user=cast.sofia)
    seats.update(until="2020-01-01T00:00Z")
    assert code() == "delegation.none"
    seats.update(until=None)
    assert refused(end_delegation, actor=acting(cast.kenji), delegation=given).code == (
        "delegation.giver"
    )
    end_delegation(actor=acting(cast.noor), delegation=given)
    assert code() == "delegation.none"
    assert isinstance(refused(end_delegation, actor=acting(cast.sofia), delegation=given), Gone)


def test_it_may_be_for_one_use_case(cast: Cast) -> None:
    here, there = reviewed(cast), reviewed(cast)
    lend(cast.sofia, cast.noor, "DS", use_case=here.use_case)
    error = refused(f.decide, cast.noor, f.gate_of(there), on_behalf_of=cast.sofia)
    assert error.code == "delegation.none"
    f.decide(cast.noor, f.gate_of(here), on_behalf_of=cast.sofia)


def test_four_eyes_bind_both(cast: Cast) -> None:
    run = reviewed(cast, "DE", "DS")
    cast.noor.personas.add("DE")
    lend(cast.dmitri, cast.noor, "DE")  # the author's deputy
    error = refused(f.decide, cast.noor, f.gate_of(run), on_behalf_of=cast.dmitri)
    assert error.code == "sod.subject_author"
    cast.dmitri.personas.add("DS")
    lend(cast.sofia, cast.dmitri, "DS")  # the author as deputy
    error = refused(f.decide, cast.dmitri, f.gate_of(run), on_behalf_of=cast.sofia)
    assert error.code == "sod.subject_author"
    assert "Dmitri Volkov" in error.message


def test_the_initiator_is_excluded_through_a_deputy_too(cast: Cast) -> None:
    run = reviewed(cast, "BA", exclude=["subject_author", "run_initiator"])
    lend(cast.amara, cast.noor, "BA")
    error = refused(f.decide, cast.noor, f.gate_of(run), on_behalf_of=cast.amara)
    assert error.code == "sod.run_initiator"


def test_who_decided_before_is_excluded_on_both_sides(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    exclude = ["subject_author", "earlier_deciders"]
    run = f.run(
        cast,
        f.stage("one", "DE", gate=f.gate("DS")),
        f.stage("two", "DE", needs=["one"], gate=f.gate("DS", "BA", exclude=exclude)),
        on=within,
    )
    f.perform()
    lend(cast.sofia, cast.noor, "DS")
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    f.perform()
    assert refused(f.decide, cast.sofia, f.gate_of(run)).code == "sod.earlier_decider"
    error = refused(f.decide, cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    assert error.code == "sod.earlier_decider"


def test_a_deputy_is_no_second_person(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    seat(cast, run, cast.kenji, "DS")
    lend(cast.sofia, cast.kenji, "DS")
    f.decide(cast.kenji, f.gate_of(run))
    error = refused(f.decide, cast.kenji, f.gate_of(run), on_behalf_of=cast.sofia)
    assert error.code == "two_hats"
    f.decide(cast.kenji, f.gate_of(run), "withdraw")
    f.decide(cast.kenji, f.gate_of(run), on_behalf_of=cast.sofia)
    assert refused(f.decide, cast.kenji, f.gate_of(run)).code == "two_hats"
    assert f.gate_of(run).state == "OPEN"


def test_the_giver_comes_back_and_decides_anew(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    lend(cast.sofia, cast.noor, "DS")
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    f.decide(cast.sofia, f.gate_of(run), "abstain")
    rows = Decision.objects.order_by("id").values_list("user__username", "state")
    assert list(rows) == [("noor", "VOIDED"), ("sofia", "IN_FORCE")]
    error = refused(f.decide, cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    assert error.code == "two_hats"
    f.decide(cast.sofia, f.gate_of(run), "withdraw")
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    f.decide(cast.sofia, f.gate_of(run), "withdraw")
    assert not Decision.objects.filter(state="IN_FORCE").exists()


def test_who_comes_too_late_is_told_though_a_deputy_said_the_same(cast: Cast) -> None:
    run = reviewed(cast)
    lend(cast.sofia, cast.noor, "DS")
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    error = refused(f.decide, cast.sofia, f.gate_of(run))
    assert (error.code, error.data["by"]) == ("already_decided", "Noor Haddad")


def test_a_sealed_verdict_does_not_leak_through_a_refusal(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2), blind=True, expires="P4D")
    lend(cast.sofia, cast.noor, "DS")
    f.decide(cast.sofia, f.gate_of(run), "reject", reason="a secret doubt")
    error = refused(f.decide, cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    assert error.code == "two_hats"
    assert "reject" not in f"{error.message} {error.data}"


def test_what_was_lent_is_not_lent_on(cast: Cast) -> None:
    run = reviewed(cast)
    lend(cast.sofia, cast.noor, "DS")
    cast.kenji.personas.add("DS")
    lend(cast.noor, cast.kenji, "DS")
    for giver in (cast.noor, cast.sofia):
        error = refused(f.decide, cast.kenji, f.gate_of(run), on_behalf_of=giver)
        assert error.code == "delegation.none"


def test_a_carried_approval_keeps_both_names_while_it_is_lent(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    given = lend(cast.sofia, cast.noor, "DS")
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)

    def again() -> list[str]:
        stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"), reason="again")
        f.perform()
        return [decision.who for decision in f.gate_of(run).decisions.all()]

    assert again() == ["Noor Haddad for Sofia Reyes"]
    end_delegation(actor=acting(cast.sofia), delegation=given)
    assert again() == []


# --- working -------------------------------------------------------------------------------------


def test_a_deputy_works_and_both_are_authors(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    run = f.run(
        cast, f.stage("build", "BA", items=[f.form("brief")], gate=f.gate("BA", "DS")), on=within
    )
    item = f.item_of(run, "brief")
    assert item.holder == cast.amara
    assert refused(f.fill, cast.noor, item).code == "item.persona"
    lend(cast.amara, cast.noor, "BA")
    f.fill(cast.noor, item)
    item = WorkItem.objects.get(pk=item.pk)
    assert (item.completed_by, item.completed_for) == (cast.noor, cast.amara)
    assert {cast.amara.pk, cast.noor.pk} <= set(f.gate_of(run).author_ids)


def test_who_fills_in_for_another_makes_both_authors(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    items = [f.form("brief", persona="BA")]
    run = f.run(cast, f.stage("build", "DE", items=items, gate=f.gate("BA", "DS")), on=within)
    lend(cast.amara, cast.noor, "BA")
    f.fill(cast.noor, f.item_of(run, "brief"))
    assert f.gate_of(run).author_ids == sorted([cast.amara.pk, cast.noor.pk])
    assert refused(f.decide, cast.amara, f.gate_of(run)).code == "sod.subject_author"


def test_a_deputy_who_takes_a_stage_makes_the_giver_an_author(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    run = f.run(cast, f.stage("build", "DS", gate=f.gate("DS", "BA")), on=within)
    lend(cast.sofia, cast.noor, "DS")
    stages.take(actor=acting(cast.noor), stage=f.stage_of(run, "build"))
    f.perform()
    assert refused(f.decide, cast.sofia, f.gate_of(run)).code == "sod.subject_author"


def test_a_deputy_who_accepts_makes_the_giver_an_author(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    run = f.run(
        cast,
        f.stage("give", "DE"),
        f.stage("take", "DS", needs=["give"], gate=f.gate("DS", "BA")),
        on=within,
    )
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "give"))
    f.perform()
    lend(cast.sofia, cast.noor, "DS")
    handoffs.accept(actor=acting(cast.noor), hand_off=f.hand_off_of(run))
    assert f.stage_of(run, "take").owner == cast.noor
    assert f.hand_off_of(run).answered_for == cast.sofia
    f.perform()
    assert refused(f.decide, cast.sofia, f.gate_of(run)).code == "sod.subject_author"


def test_no_sender_accepts_through_a_deputy(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    run = f.run(cast, f.stage("give", "DE"), f.stage("take", "DS", needs=["give"]), on=within)
    seat(cast, run, cast.dmitri, "DS")
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "give"))
    f.perform()
    lend(cast.dmitri, cast.noor, "DS")
    error = refused(handoffs.accept, actor=acting(cast.noor), hand_off=f.hand_off_of(run))
    assert error.code == "sod.hand_off_sender"


def test_a_deputy_resolves_a_finding_by_both_names(cast: Cast) -> None:
    run = reviewed(cast)
    asked = [{"text": "say why", "persona": "BA", "days": 9}]
    f.decide(cast.sofia, f.gate_of(run), "approve_with_conditions", conditions=asked)
    lend(cast.amara, cast.noor, "BA")
    findings.resolve(actor=acting(cast.noor), finding=Finding.objects.get(), evidence="said")
    found = Finding.objects.get()
    assert (found.resolved_by, found.resolved_for) == (cast.noor, cast.amara)


def test_the_inbox_of_a_deputy_shows_what_is_lent(cast: Cast) -> None:
    run = reviewed(cast)
    assert inbox(cast.noor).waiting == waiting_for(cast.noor) == 0
    lend(cast.sofia, cast.noor, "DS")
    [row] = next(part.rows for part in inbox(cast.noor).sections if part.key == "decide")
    assert row.pk == f.gate_of(run).pk
    assert "for Sofia Reyes" in row.why
    assert inbox(cast.noor).waiting == waiting_for(cast.noor) == 1
    f.decide(cast.noor, f.gate_of(run), on_behalf_of=cast.sofia)
    assert inbox(cast.noor).waiting == waiting_for(cast.noor) == 0


def test_a_deputy_sees_what_the_giver_holds(cast: Cast) -> None:
    within = f.use_case(cast, without=("iris", "noor"))
    run = f.run(cast, f.stage("build", "BA", items=[f.form("brief")]), on=within)
    lend(cast.amara, cast.noor, "BA")
    [row] = next(part.rows for part in inbox(cast.noor).sections if part.key == "mine")
    assert row.pk == f.item_of(run, "brief").pk
    assert "for Amara Osei" in row.why
    items.unclaim(actor=acting(cast.noor), item=f.item_of(run, "brief"))
    assert inbox(cast.noor).waiting == waiting_for(cast.noor) == 1


# --- giving --------------------------------------------------------------------------------------


def test_every_bad_field_is_named(cast: Cast, now: datetime) -> None:
    def fields(**changes: Any) -> set[str]:
        given = {"giver": cast.sofia, "deputy": cast.noor, "persona": "DS",
                 "since": now, "until": now + timedelta(days=3), **changes}  # fmt: skip
        error = refused(delegate, actor=acting(cast.sofia), wish=Wish(**given))
        assert isinstance(error, Invalid)
        return set(error.fields)

    assert fields(until=now - timedelta(days=1), reason="x" * 201) == {"until", "reason"}
    assert fields(until=now + timedelta(days=93)) == {"until"}
    assert fields(since=now - timedelta(days=3), until=now - timedelta(days=1)) == {"until"}
    assert fields(deputy=cast.sofia) == {"deputy"}
    assert fields(deputy=cast.kenji) == {"deputy"}  # no data scientist
    assert fields(persona="BA") == {"persona"}  # not hers to give
    assert fields(persona=None) == {"persona"}
    assert fields(deputy=None, persona="DS") == {"persona"}
    User.objects.filter(pk=cast.noor.pk).update(is_active=False)
    cast.noor.refresh_from_db()
    assert fields() == {"deputy"}


def test_nobody_takes_another_ones_place(cast: Cast) -> None:
    error = refused(lend, cast.sofia, cast.noor, "DS", by=cast.noor)
    assert error.code == "delegation.self"
    error = refused(lend, cast.sofia, cast.noor, "DS", by=cast.kenji)
    assert error.code == "delegation.giver"
    cast.priya.personas.add("DS")
    error = refused(lend, cast.sofia, cast.priya, "DS", by=cast.priya)
    assert error.code == "delegation.self"
    made = lend(
        cast.sofia, cast.noor, "DS", by=cast.priya
    )  # who manages people, for one who is ill
    assert (made.giver, made.created_by) == (cast.sofia, cast.priya)
    told = Event.objects.get(type="delegation.given")
    assert (told.stream.kind, told.stream.key) == ("person", str(cast.sofia.pk))


def test_one_place_has_one_deputy_at_a_time(cast: Cast) -> None:
    lend(cast.sofia, cast.noor, "DS")
    cast.kenji.personas.add("DS")
    assert refused(lend, cast.sofia, cast.kenji, "DS").code == "delegated_already"
    lend(cast.sofia, cast.kenji, "DS", starts=7)


def test_an_absence_without_a_deputy_lends_nothing(cast: Cast) -> None:
    run = reviewed(cast)
    lend(cast.sofia, None)
    f.decide(cast.sofia, f.gate_of(run))  # who comes back early may decide
    assert Event.objects.filter(type="absence.noted").exists()


def test_a_delegation_cannot_be_rewritten(cast: Cast) -> None:
    lend(cast.sofia, cast.noor, "DS")
    with pytest.raises(Exception, match="Cannot update"):
        Delegation.objects.update(deputy=cast.kenji)
