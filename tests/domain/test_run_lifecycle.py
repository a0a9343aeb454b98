"""Creating, starting, pausing, resuming, cancelling and giving up runs."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from personas.errors import Conflict, Invalid, NotAllowed
from pipelines.runs.actions import runs
from pipelines.runs.models import Attempt, Gate, Run
from pipelines.usecases.models import BlueprintVersion
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later

END = f.stage("end", "BA", needs=["one", "two"])


def test_a_run_goes_through_all_its_stages(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"), f.stage("two", "BA", needs=["one"]))
    assert f.states(run) == {"one": "ACTIVE", "two": "PENDING"}
    assert f.perform() == 2
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    assert run.finished_at is not None
    assert f.states(run) == {"one": "DONE", "two": "DONE"}
    assert f.events(run)[:2] == ["run.create", "run.version_pinned"]
    assert f.events(run)[-1] == "run.succeed"


def test_numbers_count_per_use_case(cast: Cast) -> None:
    first = f.run(cast, f.stage("one", "BA"))
    second = f.run(cast, f.stage("one", "BA"), on=first.use_case)
    other = f.run(cast, f.stage("one", "BA"))
    assert [first.number, second.number, other.number] == [1, 2, 1]


def test_creating_with_a_key_twice_makes_one(cast: Cast) -> None:
    use_case, version = f.use_case(cast), f.publish(f.plan(f.stage("one", "BA")))
    answers = [
        runs.create(actor=acting(cast.amara), use_case=use_case, version=version, key="k1")
        for _ in range(2)
    ]
    assert answers[0].data == answers[1].data
    assert [answer.replayed for answer in answers] == [False, True]
    assert Run.objects.count() == 1
    with pytest.raises(Invalid) as refused:
        runs.create(actor=acting(cast.amara), use_case=use_case, version=version, seed=1, key="k1")
    assert "Idempotency-Key" in refused.value.fields


def test_every_bad_field_is_named_at_once(cast: Cast) -> None:
    stage = f.stage("one", "BA")
    with pytest.raises(Invalid) as refused:
        f.run(
            cast,
            stage,
            plan_has={
                "parameters": [{"key": "goal", "kind": "int", "title": "Goal", "required": True}],
                "inputs": [{"key": "table", "title": "Table", "media": ["csv"]}],
            },
            parameters={"what": 1},
            inputs={"other": []},
        )
    assert {"parameters.goal", "parameters.what", "inputs.table", "inputs.other"} <= set(
        refused.value.fields
    )
    assert not Run.objects.exists()


def test_unknown_artefacts_are_refused(cast: Cast) -> None:
    part = {"name": "a", "digest": "0" * 64, "media": "csv"}
    with pytest.raises(Invalid) as refused:
        f.run(
            cast,
            f.stage("one", "BA"),
            plan_has={"inputs": [{"key": "table", "title": "Table", "media": ["csv"]}]},
            inputs={"table": [part]},
        )
    assert "there is no artefact" in str(refused.value.fields)


def test_a_retired_version_starts_no_run(cast: Cast) -> None:
    plan = f.plan(f.stage("one", "BA"))
    old = f.publish(plan)
    f.publish({**plan, "title": "Another title"})
    with pytest.raises(Conflict) as refused:
        runs.create(
            actor=acting(cast.amara),
            use_case=f.use_case(cast),
            version=BlueprintVersion.objects.get(pk=old.pk),
        )
    assert refused.value.code == "version_retired"


def test_who_holds_no_seat_starts_no_run(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        f.run(cast, f.stage("one", "BA"), by=cast.iris, on=f.use_case(cast))


def test_start_once(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"), start=False)
    assert run.state == "PENDING"
    assert not run.stages.exists()
    runs.start(actor=acting(cast.amara), run=run)
    assert f.states(run) == {"one": "ACTIVE"}
    with pytest.raises(Conflict):
        runs.start(actor=acting(cast.amara), run=run)


def test_a_pause_stops_claims_and_moves_deadlines(cast: Cast, later: Later) -> None:
    gated = f.stage("one", "BA", gate=f.gate("DS", expires="P7D", due="P2D"))
    run = f.run(cast, gated, f.stage("two", "BA"), END)
    held = f.claim()
    f.settle(held)
    before = f.gate_of(run)
    runs.pause(actor=acting(cast.priya), run=run, reason="holidays")
    assert f.maybe_claim() is None
    with pytest.raises(Conflict) as refused:
        f.decide(cast.sofia, before)
    assert refused.value.code == "run_paused"
    later(days=30)
    runs.resume(actor=acting(cast.priya), run=run)
    after = Gate.objects.get(pk=before.pk)
    assert after.expires_at - before.expires_at == timedelta(days=30)
    assert after.due_at - before.due_at == timedelta(days=30)
    assert f.maybe_claim() is not None


def test_what_runs_in_a_pause_is_recorded_and_goes_on_later(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"), f.stage("two", "BA", needs=["one"]))
    held = f.claim()
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    f.settle(held)
    assert f.step_of(run, "work").state == "SUCCEEDED"
    assert f.states(run) == {"one": "ACTIVE", "two": "PENDING"}
    runs.resume(actor=acting(cast.priya), run=run)
    assert f.states(run) == {"one": "DONE", "two": "ACTIVE"}


def test_only_managers_pause_and_they_say_why(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"))
    with pytest.raises(NotAllowed):
        runs.pause(actor=acting(cast.amara), run=run, reason="mine")
    with pytest.raises(Invalid):
        runs.pause(actor=acting(cast.priya), run=run, reason=" ")
    with pytest.raises(Conflict):
        runs.resume(actor=acting(cast.priya), run=run)


def test_cancel_closes_all_that_is_open(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("one", "BA", gate=f.gate("DS")),
        f.stage("two", "BA", items=[f.form("brief")]),
        f.stage("three", "BA"),
        f.stage("end", "BA", needs=["one", "two", "three"]),
    )
    held = f.claim()
    f.settle(held)
    running = f.claim()
    runs.cancel(actor=acting(cast.amara), run=run, reason="no longer wanted")
    run.refresh_from_db()
    assert run.state == "CANCELLING"
    assert f.gate_of(run).state == "CLOSED_UNDECIDED"
    assert f.item_of(run, "brief").state == "CANCELLED"
    assert Attempt.objects.get(pk=running.id).cancel_requested
    f.settle(running)  # too late: its result is not taken
    run.refresh_from_db()
    assert run.state == "CANCELLED"
    assert Attempt.objects.get(pk=running.id).state == "CANCELLED"
    assert set(f.states(run).values()) == {"CANCELLED"}
    with pytest.raises(Conflict):
        runs.cancel(actor=acting(cast.amara), run=run, reason="again")


def test_cancelling_with_nothing_running_is_done_at_once(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"))
    runs.cancel(actor=acting(cast.amara), run=run, reason="no longer wanted")
    run.refresh_from_db()
    assert (run.state, run.reason) == ("CANCELLED", "no longer wanted")
    assert f.maybe_claim() is None


def test_giving_up_keeps_what_failed(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"), f.stage("two", "DE", needs=["one"]))
    f.fail(f.claim())
    assert f.states(run)["one"] == "FAILED"
    runs.give_up(actor=acting(cast.amara), run=run, reason="hopeless")
    run.refresh_from_db()
    assert run.state == "FAILED"
    assert f.states(run) == {"one": "FAILED", "two": "CANCELLED"}


def test_a_failed_stage_may_end_the_run(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA", on_fail="fail_run"))
    f.fail(f.claim())
    run.refresh_from_db()
    assert run.state == "FAILED"


def test_the_row_of_an_ended_run_never_changes(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"))
    f.perform()
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(reason="changed")
