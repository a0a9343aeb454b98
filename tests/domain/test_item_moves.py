"""Work items that change hands or wait: start, hold, delegate, resolve, assign, skip, escalate."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest

from personas.actions import set_active
from personas.errors import Conflict, DomainError, Invalid, NotAllowed
from personas.models import User
from pipelines.runs.actions import item_moves as moves
from pipelines.runs.actions import items, runs
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.queries.clock import now
from pipelines.runs.queries.inbox import inbox, waiting_for
from pipelines.runs.sweeper import Sweeper
from pipelines.usecases.actions import end_seat
from pipelines.usecases.models import Seat
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


@pytest.fixture
def run(cast: Cast) -> Run:
    """A data scientist's form that Sofia took, one more, and a gate for the analyst."""
    brief = f.form("brief", skippable=True)
    made = f.run(cast, f.stage("look", "DS", items=[brief, f.form("other")], gate=f.gate("BA")))
    items.claim(actor=acting(cast.sofia), item=f.item_of(made, "brief"))
    return made


def item(run: Run) -> WorkItem:
    return f.item_of(run, "brief")


def refused(act: Any, user: User, run: Run, **more: Any) -> DomainError:
    with pytest.raises(DomainError) as error:
        act(actor=acting(user), item=item(run), **more)
    return error.value


def sweep() -> None:
    Sweeper(poke=lambda queue, hint: True, stopping=threading.Event()).sweep()


def in_days(days: int) -> date:
    return now().date() + timedelta(days=days)


def section(user: User, key: str) -> list[str]:
    (found,) = [part for part in inbox(user).sections if part.key == key]
    return [row.asked for row in found.rows]


def test_start_once_by_its_holder(cast: Cast, run: Run) -> None:
    assert refused(moves.start, cast.noor, run).code == "claimed_by_other"
    first = moves.start(actor=acting(cast.sofia), item=item(run))
    assert moves.start(actor=acting(cast.sofia), item=item(run)).data == first.data
    assert item(run).state == "IN_PROGRESS"
    assert f.events(run).count("work_item.start") == 1


def test_hold_hides_it_until_its_date_and_the_deadline_keeps_running(
    cast: Cast, later: Later
) -> None:
    run = f.run(cast, f.stage("look", "DS", target="P9D", items=[f.form("brief")]))
    items.claim(actor=acting(cast.sofia), item=item(run))
    due, waiting = item(run).due_at, waiting_for(cast.sofia)
    moves.hold(
        actor=acting(cast.sofia), item=item(run), follow_up=in_days(2), reason="waits for a list"
    )
    held = item(run)
    assert (held.state, held.due_at, held.hold_reason) == ("ON_HOLD", due, "waits for a list")
    assert section(cast.sofia, "mine") == []
    assert section(cast.sofia, "hold") == ["Brief"]
    assert waiting_for(cast.sofia) == waiting - 1
    sweep()
    assert item(run).state == "ON_HOLD"
    later(days=2)
    sweep()
    assert (item(run).state, item(run).follow_up_at) == ("IN_PROGRESS", None)
    assert item(run).holder == cast.sofia
    assert section(cast.sofia, "mine") == ["Brief"]


def test_a_held_item_is_not_filled_in_but_resumed_first(cast: Cast, run: Run) -> None:
    moves.hold(actor=acting(cast.sofia), item=item(run), follow_up=in_days(3))
    fill = {"data": {"text": "x"}, "version": item(run).version}
    assert refused(items.complete, cast.sofia, run, **fill).code == "illegal_move"
    assert refused(moves.resume, cast.noor, run).code == "claimed_by_other"
    moves.resume(actor=acting(cast.sofia), item=item(run))
    f.fill(cast.sofia, item(run))


def test_a_day_begins_where_its_holder_lives(cast: Cast, run: Run) -> None:
    cast.sofia.time_zone = "Asia/Tokyo"
    cast.sofia.save()
    moves.hold(actor=acting(cast.sofia), item=item(run), follow_up=in_days(3))
    at = item(run).follow_up_at
    assert at is not None
    assert at.isoformat() == f"{in_days(2)}T15:00:00+00:00"


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_hold_ends_on_a_later_day_of_this_year(cast: Cast, run: Run, days: int) -> None:
    error = refused(moves.hold, cast.sofia, run, follow_up=in_days(days))
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"follow_up"}


def test_a_paused_run_wakes_nobody(cast: Cast, run: Run, later: Later) -> None:
    moves.hold(actor=acting(cast.sofia), item=item(run), follow_up=in_days(1))
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    later(days=2)
    sweep()
    assert item(run).state == "ON_HOLD"
    assert refused(moves.resume, cast.sofia, run).code == "run_paused"
    runs.resume(actor=acting(cast.priya), run=run)
    sweep()
    assert item(run).state == "IN_PROGRESS"


# --- Delegation ----------------------------------------------------------------------------------


def test_who_delegates_stays_accountable_and_gets_it_back(cast: Cast, run: Run) -> None:
    data = {"text": "half"}
    items.save_draft(actor=acting(cast.sofia), item=item(run), data=data, version=item(run).version)
    moves.delegate(actor=acting(cast.sofia), item=item(run), to=cast.noor, reason="I am away")
    passed = item(run)
    assert (passed.state, passed.holder, passed.delegated_by) == (
        "ASSIGNED", cast.noor, cast.sofia,
    )  # fmt: skip
    assert passed.draft == data
    assert section(cast.noor, "mine") == ["Brief"]
    assert refused(moves.resolve, cast.sofia, run).code == "claimed_by_other"
    moves.resolve(actor=acting(cast.noor), item=item(run), note="done my part")
    back = item(run)
    assert (back.holder, back.delegated_by, back.draft) == (cast.sofia, None, data)
    assert refused(moves.resolve, cast.sofia, run).code == "not_delegated"


def test_both_of_a_delegation_are_authors(cast: Cast, run: Run) -> None:
    """Separation of duties looks at the whole chain: noor is an analyst, too, but may not judge."""
    moves.delegate(actor=acting(cast.sofia), item=item(run), to=cast.noor)
    f.fill(cast.noor, item(run))
    f.fill(cast.sofia, f.item_of(run, "other"))
    gate = f.gate_of(run)
    assert {cast.noor.pk, cast.sofia.pk} <= set(gate.author_ids)
    with pytest.raises(NotAllowed) as error:
        f.decide(cast.noor, gate)
    assert error.value.code == "sod.subject_author"
    f.decide(cast.amara, gate)


def test_who_delegated_an_item_of_anothers_stage_does_not_decide_on_it(cast: Cast) -> None:
    asks = [f.form("brief", persona="DS")]
    run = f.run(cast, f.stage("look", "MLR", items=asks, gate=f.gate("DS")))
    items.claim(actor=acting(cast.sofia), item=item(run))
    moves.delegate(actor=acting(cast.sofia), item=item(run), to=cast.noor)
    f.fill(cast.noor, item(run))
    with pytest.raises(NotAllowed) as error:
        f.decide(cast.sofia, f.gate_of(run))
    assert error.value.code == "sod.subject_author"


def test_who_may_be_delegated_to(cast: Cast, run: Run) -> None:
    for somebody in (cast.sofia, cast.amara, cast.iris):
        error = refused(moves.delegate, cast.sofia, run, to=somebody)
        assert isinstance(error, Invalid)
        assert set(error.fields) == {"to"}
    assert refused(moves.delegate, cast.noor, run, to=cast.noor).code == "claimed_by_other"
    moves.delegate(actor=acting(cast.sofia), item=item(run), to=cast.noor)
    error = refused(moves.delegate, cast.noor, run, to=cast.sofia)
    assert (error.code, error.data["by"]) == ("delegated_already", str(cast.sofia))


def test_what_asks_for_attention_is_not_delegated(cast: Cast) -> None:
    run = f.run(cast, f.stage("look", "DS", steps=[f.step("work")]))
    f.fail(f.claim())
    asked = f.item_of(run, "failed_work")
    items.claim(actor=acting(cast.sofia), item=asked)
    with pytest.raises(Conflict) as error:
        moves.delegate(actor=acting(cast.sofia), item=asked, to=cast.noor)
    assert error.value.code == "attention"


# --- What managers do ----------------------------------------------------------------------------


def test_managers_assign_and_say_why_they_take_away(cast: Cast, run: Run) -> None:
    assert refused(moves.assign, cast.sofia, run, to=cast.noor, reason="x").code == "run.manage"
    assert isinstance(refused(moves.assign, cast.priya, run, to=cast.noor), Invalid)
    assert isinstance(refused(moves.assign, cast.priya, run, to=cast.kenji, reason="x"), Invalid)
    before = item(run).version
    moves.assign(actor=acting(cast.priya), item=item(run), to=cast.noor, reason="holidays")
    assert (item(run).holder, item(run).state) == (cast.noor, "ASSIGNED")
    assert item(run).version == before + 1
    items.unclaim(actor=acting(cast.priya), item=item(run))
    moves.assign(actor=acting(cast.priya), item=item(run), to=cast.sofia)
    assert item(run).holder == cast.sofia


def test_managers_leave_out_what_the_blueprint_lets_them(cast: Cast, run: Run) -> None:
    assert refused(moves.skip, cast.sofia, run, reason="x").code == "run.manage"
    assert isinstance(refused(moves.skip, cast.priya, run, reason=" "), Invalid)
    with pytest.raises(Conflict) as error:
        moves.skip(actor=acting(cast.priya), item=f.item_of(run, "other"), reason="no need")
    assert error.value.code == "not_skippable"
    f.fill(cast.sofia, f.item_of(run, "other"))
    moves.skip(actor=acting(cast.priya), item=item(run), reason="no need")
    assert item(run).state == "SKIPPED"
    assert f.states(run) == {"look": "IN_REVIEW"}


def test_escalation_widens_who_may_take_it(cast: Cast) -> None:
    helper = f.form("brief", persona="MLE")
    sign = {"key": "sign", "kind": "attestation", "title": "Sign", "persona": "MLE"}
    run = f.run(
        cast,
        f.stage("look", "DS", items=[helper, sign], gate=f.gate("BA")),
        f.stage("next", "SWE", needs=["look"]),
    )
    assert refused(moves.escalate, cast.lena, run, reason="x").code == "item.escalate"
    for level, wider in ((1, ["MLE", "DS"]), (2, ["MLE", "DS", "BA", "SWE"])):
        moves.escalate(actor=acting(cast.priya), item=item(run), reason="nobody moves")
        assert (item(run).escalations, item(run).candidates) == (level, wider)
    items.claim(actor=acting(cast.tomas), item=item(run))
    moves.escalate(actor=acting(cast.priya), item=item(run), reason="again")
    assert item(run).holder == cast.tomas  # who holds it keeps it
    statement = f.item_of(run, "sign")
    moves.escalate(actor=acting(cast.priya), item=statement, reason="sign, please")
    statement.refresh_from_db()
    assert (statement.escalations, statement.candidates) == (1, ["MLE"])


def test_an_old_copy_does_not_overwrite_what_moved(cast: Cast, run: Run) -> None:
    seen = item(run).version
    moves.start(actor=acting(cast.sofia), item=item(run))
    fill = {"data": {"text": "x"}, "version": seen}
    assert refused(items.complete, cast.sofia, run, **fill).code == "stale_version"


def test_the_same_key_moves_once(cast: Cast, run: Run) -> None:
    give = {"actor": acting(cast.sofia), "item": item(run), "to": cast.noor, "key": "k1"}
    first = moves.delegate(**give)
    again = moves.delegate(**give)
    assert (again.replayed, again.data) == (True, first.data)
    with pytest.raises(Invalid):
        moves.delegate(**{**give, "reason": "another request"})


# --- People who leave ----------------------------------------------------------------------------


def test_a_deactivated_persons_items_go_back_with_their_drafts(cast: Cast, run: Run) -> None:
    data = {"text": "half"}
    items.save_draft(actor=acting(cast.sofia), item=item(run), data=data, version=item(run).version)
    moves.hold(actor=acting(cast.sofia), item=item(run), follow_up=in_days(3))
    sweep()
    assert item(run).holder == cast.sofia
    set_active(actor=acting(cast.priya), user=cast.sofia, active=False)
    sweep()
    left = item(run)
    assert (left.state, left.holder, left.draft) == ("OPEN", None, data)
    assert left.follow_up_at is None
    (event,) = [e for e in f.events_of(run) if e.type == "work_item.unclaim"]
    assert event.data["reason"] == "Sofia Reyes was deactivated"
    sweep()
    assert f.events(run).count("work_item.unclaim") == 1


def test_an_ended_seats_items_go_back(cast: Cast, run: Run) -> None:
    seat = Seat.objects.get(use_case=run.use_case, user=cast.sofia)
    end_seat(actor=acting(cast.amara), seat=seat)
    sweep()
    assert (item(run).state, item(run).holder) == ("OPEN", None)
    items.claim(actor=acting(cast.noor), item=item(run))
    elsewhere = Seat.objects.get(use_case=run.use_case, user=cast.noor, persona="BA")
    end_seat(actor=acting(cast.amara), seat=elsewhere)
    sweep()
    assert item(run).holder == cast.noor  # that seat was for something else


def test_a_delegates_item_goes_back_to_who_is_accountable(cast: Cast, run: Run) -> None:
    moves.delegate(actor=acting(cast.sofia), item=item(run), to=cast.noor)
    set_active(actor=acting(cast.priya), user=cast.noor, active=False)
    sweep()
    assert (item(run).state, item(run).holder, item(run).delegated_by) == (
        "ASSIGNED", cast.sofia, None,
    )  # fmt: skip


def test_an_active_stage_is_free_again_and_its_results_stay_their_authors(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("look", "DS", steps=[f.step("work")], items=[f.form("brief")], gate=f.gate("BA")),
        by=cast.sofia,
    )
    f.perform()
    assert f.stage_of(run, "look").owner == cast.sofia
    end_seat(
        actor=acting(cast.amara), seat=Seat.objects.get(use_case=run.use_case, user=cast.sofia)
    )
    sweep()
    stage = f.stage_of(run, "look")
    assert (stage.owner, stage.state, stage.author_ids) == (None, "ACTIVE", [cast.sofia.pk])
    assert item(run).holder is None
    sweep()
    assert f.events(run).count("stage.assign") == 1
    items.claim(actor=acting(cast.noor), item=item(run))
    assert f.stage_of(run, "look").owner == cast.noor
