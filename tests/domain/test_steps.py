"""Steps and attempts: cache, retries, waits, losses, fences, conditions, effects."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from personas.errors import Busy, Conflict, Invalid, NotAllowed
from pipelines import catalogue
from pipelines.runs import claims
from pipelines.runs.actions import attempts, runs, stages, steps
from pipelines.runs.actions.settling import Fenced
from pipelines.runs.claims import Claim
from pipelines.runs.effects import EffectContext
from pipelines.runs.lanes import Result
from pipelines.runs.models import Attempt, Run
from pipelines.runs.performance import Performance
from pipelines.runs.sweeper import settle as settle_run
from pipelines.runs.sweeper import unstick
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def one(cast: Cast, **more: Any) -> Run:
    """A run of one step."""
    params = {"message": uuid4().hex}
    return f.run(cast, f.stage("one", "BA", steps=[f.step("work", params=params, **more)]))


def states(run: Run) -> list[str]:
    """The states of all attempts of the step, in order."""
    return list(run.attempts.order_by("id").values_list("state", flat=True))


# --- cache ---------------------------------------------------------------------------------------

CHAIN = (
    f.stage("first", "BA", steps=[f.step("work", params={"message": {"ref": "run.text"}})]),
    f.stage("second", "BA", needs=["first"], steps=[
        f.step("same", params={"message": "same"}),
        f.step("after", inputs={"given": ["first.work.result"]}, params={"message": "fixed"}),
    ]),
)  # fmt: skip
TEXT = {"parameters": [{"key": "text", "kind": "str", "title": "Text", "default": "a"}]}


def test_only_what_depends_on_a_change_is_computed(cast: Cast) -> None:
    first = f.run(cast, *CHAIN, plan_has=TEXT)
    assert f.perform() == 3
    again = f.run(cast, *CHAIN, plan_has=TEXT, on=first.use_case)
    assert f.perform() == 0
    changed = f.run(cast, *CHAIN, plan_has=TEXT, on=first.use_case, parameters={"text": "b"})
    assert f.perform() == 2
    for run in (again, changed):
        run.refresh_from_db()
        assert run.state == "SUCCEEDED"
    reused = f.attempt_of(changed, "same")
    assert reused.cached_from == f.attempt_of(first, "same")
    assert reused.outputs == f.attempt_of(first, "same").outputs
    told = [e.data for e in f.events_of(changed) if e.type == "attempt.cache_hit"]
    assert [data["computed_in_run"] for data in told] == [first.pk]


def test_another_seed_is_another_computation(cast: Cast) -> None:
    first = f.run(cast, *CHAIN, plan_has=TEXT)
    f.perform()
    f.run(cast, *CHAIN, plan_has=TEXT, on=first.use_case, seed=7)
    assert f.perform() == 3


def test_the_cache_is_refused_when_asked(cast: Cast) -> None:
    run = f.run(
        cast, f.stage("one", "BA"), f.stage("two", "BA", needs=["one"], items=[f.form("x")])
    )
    f.perform()
    stages.rerun(actor=acting(cast.amara), stage=f.stage_of(run, "one"), reason="look")
    assert f.attempt_of(run, "work").cached_from is not None
    stages.rerun(
        actor=acting(cast.amara), stage=f.stage_of(run, "one"), reason="look", refuse_cache=True
    )
    assert f.attempt_of(run, "work").state == "QUEUED"
    assert f.perform() == 1


def test_a_failed_result_is_never_reused(cast: Cast) -> None:
    first = f.run(cast, f.stage("one", "BA"))
    f.fail(f.claim())
    f.run(cast, f.stage("one", "BA"), on=first.use_case)
    assert f.perform() == 1


# --- failures ------------------------------------------------------------------------------------


def test_a_retryable_failure_waits_and_tries_again(cast: Cast, later: Later) -> None:
    run = one(cast)
    f.fail(f.claim(), retryable=True)
    step = f.step_of(run, "work")
    assert (step.state, states(run)) == ("RETRY_WAIT", ["FAILED"])
    steps.wake(step_id=step.pk)
    assert f.maybe_claim() is None
    later(minutes=5)
    steps.wake(step_id=step.pk)
    steps.wake(step_id=step.pk)
    f.fail(f.claim(), retryable=True)  # noop has two attempts
    assert f.step_of(run, "work").state == "FAILED"
    assert (f.states(run), f.attention(run)) == ({"one": "FAILED"}, ["step_failed"])


def test_a_final_failure_is_not_tried_again(cast: Cast) -> None:
    run = one(cast)
    f.fail(f.claim())
    assert (f.states(run), states(run)) == ({"one": "FAILED"}, ["FAILED"])


def test_the_owner_retries_with_other_parameters(cast: Cast) -> None:
    run = one(cast)
    f.fail(f.claim())
    step = f.step_of(run, "work")
    with pytest.raises(NotAllowed):
        steps.retry(actor=acting(cast.sofia), step=step)
    with pytest.raises(Invalid) as error:
        steps.retry(actor=acting(cast.amara), step=step, overrides={"seconds": -1, "what": 1})
    assert set(error.value.fields) == {"overrides.seconds", "overrides.what"}
    steps.retry(actor=acting(cast.amara), step=step, overrides={"rows": 7})
    assert f.stage_of(run, "one").state == "ACTIVE"
    assert f.attention(run) == []
    held = f.claim()
    assert held.params["rows"] == 7
    f.settle(held)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    assert f.step_of(run, "work").edited_by == cast.amara
    with pytest.raises(Conflict):
        steps.retry(actor=acting(cast.amara), step=step)


def test_who_edits_a_step_is_an_author(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA", steps=[f.step("work")], gate=f.gate("DS")), by=cast.noor)
    stage = f.stage_of(run, "one")
    stages.assign(actor=acting(cast.priya), stage=stage, owner=cast.amara, reason="x")
    f.fail(f.claim())
    steps.retry(actor=acting(cast.priya), step=f.step_of(run, "work"), overrides={"rows": 7})
    f.perform()
    assert set(f.gate_of(run).author_ids) == {cast.amara.pk, cast.priya.pk}


# --- waiting -------------------------------------------------------------------------------------


def test_waiting_uses_no_budget_and_ends(cast: Cast, later: Later) -> None:
    run = one(cast)
    for _ in range(4):
        attempts.defer(held=f.claim(), seconds=60, reason="labels are late")
        assert f.step_of(run, "work").state == "RETRY_WAIT"
        later(minutes=2)
        steps.wake(step_id=f.step_of(run, "work").pk)
    assert states(run) == ["DEFERRED"] * 4 + ["QUEUED"]
    held = f.claim()
    later(seconds=catalogue.spec("noop").max_wait + 1)
    attempts.defer(held=held, seconds=60, reason="still late")
    assert f.step_of(run, "work").state == "FAILED"
    assert f.attention(run) == ["step_failed"]


# --- losses and fences ---------------------------------------------------------------------------


def test_a_lost_attempt_is_taken_over_and_the_late_one_refused(cast: Cast, later: Later) -> None:
    run = one(cast)
    zombie = f.claim()
    later(minutes=2)
    attempts.lose(attempt_id=zombie.id, error={"code": "worker_lost"})
    assert states(run) == ["LOST", "QUEUED"]
    second = f.claim(owner=uuid4())
    before = Attempt.objects.values().get(pk=zombie.id)
    with pytest.raises(Fenced):
        f.settle(zombie, good=False)
    with pytest.raises(Fenced):
        f.fail(zombie)
    assert claims.heartbeat(zombie, lease=60) is None
    assert Attempt.objects.values().get(pk=zombie.id) == before
    assert f.events(run).count("attempt.late_result_discarded") == 2
    f.settle(second, good=True)
    assert f.attempt_of(run, "work").facts["good"] is True
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"


def test_a_living_lease_is_not_lost(cast: Cast, later: Later) -> None:
    run = one(cast)
    held = f.claim(lease=60)
    later(seconds=50)
    assert claims.heartbeat(held, lease=60) is False
    later(seconds=50)
    attempts.lose(attempt_id=held.id, error={})
    assert states(run) == ["RUNNING"]


def test_another_token_may_not_settle(cast: Cast) -> None:
    one(cast)
    held = f.claim()
    Attempt.objects.filter(pk=held.id).update(token=held.token + 1)
    with pytest.raises(Fenced):
        f.settle(held)


def test_a_poisonous_step_stops(cast: Cast, later: Later) -> None:
    run = one(cast)
    starts = 0
    while held := f.maybe_claim():
        starts += 1
        later(minutes=2)
        attempts.lose(attempt_id=held.id, error={"code": "worker_lost"})
    assert starts == 3
    assert states(run) == ["LOST"] * 3
    assert (f.states(run), f.attention(run)) == ({"one": "FAILED"}, ["step_failed"])
    reasons = [e.data.get("reason") for e in f.events_of(run) if e.type == "step.fail"]
    assert reasons == ["worker lost"]


def test_a_released_attempt_is_queued_at_once_on_no_budget(cast: Cast) -> None:
    run = one(cast)
    for _ in range(5):
        attempts.release(held=f.claim())
    assert states(run) == ["RELEASED"] * 5 + ["QUEUED"]
    assert f.step_of(run, "work").losses == 0


def test_a_child_that_ignores_a_cancel_is_fenced_off(cast: Cast, later: Later) -> None:
    run = one(cast)
    held = f.claim(lease=3600)
    runs.cancel(actor=acting(cast.amara), run=run, reason="stop")
    settle_run(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == "CANCELLING"
    later(seconds=61)
    settle_run(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, states(run)) == ("CANCELLED", ["CANCELLED"])
    with pytest.raises(Fenced):
        f.settle(held)


# --- claims --------------------------------------------------------------------------------------


def test_a_claim_takes_only_its_queues_and_operations(cast: Cast) -> None:
    one(cast)

    def claim(**wanted: Any) -> claims.Claim | None:
        given = {"queues": ["cpu"], "operations": ["noop"], **wanted}
        return claims.claim(**given, owner=uuid4(), worker="w", lease=60)

    assert claim(queues=["gpu"]) is None
    assert claim(operations=["ingest"]) is None
    assert claim() is not None
    assert claim() is None


def test_a_claim_names_the_lease_by_the_databases_clock(cast: Cast) -> None:
    one(cast)
    attempt = Attempt.objects.get(pk=f.claim(lease=30).id)
    assert attempt.lease_until - attempt.started_at == timedelta(seconds=30)
    assert (attempt.token, attempt.deliveries) == (1, 1)


# --- conditions and effects ----------------------------------------------------------------------


def test_a_false_condition_skips_a_stage_and_its_hand_off(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("one", "BA", steps=[f.step("work", params={"rows": 3})]),
        f.stage("two", "DE", needs=["one"], when="facts.one.work.rows > 5"),
        f.stage("three", "BA", needs=["two"]),
    )
    f.settle(f.claim(), rows=3)
    assert f.states(run) == {"one": "DONE", "two": "SKIPPED", "three": "ACTIVE"}
    assert not run.hand_offs.exists()


CAUSED: list[EffectContext] = []


def note(context: EffectContext) -> None:
    """An effect that remembers."""
    CAUSED.append(context)


def break_(context: EffectContext) -> None:
    """An effect that cannot take it."""
    raise Conflict("taken", "The name is taken.")


@pytest.fixture(autouse=True)
def _effects(monkeypatch: pytest.MonkeyPatch) -> None:
    CAUSED.clear()
    monkeypatch.setitem(catalogue.EFFECTS, "note", f"{__name__}.note")
    monkeypatch.setitem(catalogue.EFFECTS, "break", f"{__name__}.break_")


def test_an_effect_happens_with_its_result_computed_or_reused(cast: Cast) -> None:
    stage = f.stage("one", "BA", steps=[f.step("work", effect="note")])
    first = f.run(cast, stage)
    assert CAUSED == []
    f.perform()
    f.run(cast, stage, on=first.use_case)
    assert [context.run.number for context in CAUSED] == [1, 2]
    assert set(CAUSED[0].outputs) == {"one.work"}
    assert f.events(first).count("effect.caused") == 1


def test_an_effect_that_refuses_leaves_nothing_behind(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA", steps=[f.step("work", effect="break")]))
    held = f.claim()
    with pytest.raises(Conflict):
        f.settle(held)
    assert states(run) == ["RUNNING"]
    f.fail(held, code="not_accepted")
    assert f.states(run) == {"one": "FAILED"}


# --- beside what only newer code can judge -------------------------------------------------------


@pytest.fixture
def beside(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose one branch waits for a check of newer code, and whose other is at work."""
    monkeypatch.setitem(catalogue.CHECKS, "newer", "tests.faults.newer.check")
    params = {"message": uuid4().hex}
    run = f.run(
        cast,
        f.stage("judged", "DE", gate=f.gate("DS", checks=[{"name": "newer"}])),
        f.stage("other", "BA", steps=[f.step("poison", params=params)]),
        f.stage("joined", "BA", needs=["judged", "other"]),
    )
    monkeypatch.delitem(catalogue.CHECKS, "newer")
    held = f.claim()
    assert held.step_id == f.step_of(run, "work", "judged").pk
    output = {"result": f.output("a")}
    attempts.complete(held=held, outputs=output, facts={}, usage={}, log="", go_on=False)
    return run


def lost_thrice(held: Claim) -> None:
    for _ in range(attempts.MAX_LOST):
        attempts.lose(attempt_id=held.id, error={"code": "worker_lost"}, token=held.token)
        held = f.claim()
    attempts.lose(attempt_id=held.id, error={"code": "worker_lost"}, token=held.token)


def once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no operation be one that may be repeated."""
    real = catalogue.spec
    monkeypatch.setattr(catalogue, "spec", lambda name: replace(real(name), repeatable=False))


@pytest.mark.parametrize(
    ("end", "ends"),
    [
        (f.fail, ["FAILED"]),
        (lost_thrice, ["LOST", "LOST", "LOST"]),
    ],
)
def test_a_step_fails_beside_a_branch_that_waits_for_newer_code(
    beside: Run, end: Callable[[Claim], object], ends: list[str]
) -> None:
    """Else neither try nor loss was counted, and it was tried again without end."""
    end(f.claim())
    assert f.step_of(beside, "poison").state == "FAILED"
    assert list(f.step_of(beside, "poison").attempts.values_list("state", flat=True)) == ends
    assert f.states(beside)["judged"] == "ACTIVE"
    assert f.maybe_claim() is None


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (lambda held: attempts.release(held=held), "RELEASED"),
        (lambda held: attempts.await_code(held=held, missing="newer code"), "DEFERRED"),
        (lambda held: f.fail(held, retryable=True), "FAILED"),
    ],
)
def test_what_must_not_be_repeated_ends_beside_such_a_branch(
    beside: Run, monkeypatch: pytest.MonkeyPatch, end: Callable[[Claim], object], state: str
) -> None:
    once_only(monkeypatch)
    end(f.claim())
    assert f.step_of(beside, "poison").state == "FAILED"
    assert f.attempt_of(beside, "poison").state == state


def test_what_waits_too_long_ends_beside_such_a_branch(beside: Run, later: Later) -> None:
    attempts.defer(held=f.claim(), seconds=0, reason="labels are late")
    steps.wake(step_id=f.step_of(beside, "poison").pk)
    held = f.claim()
    later(seconds=catalogue.spec("noop").max_wait + 1)
    attempts.defer(held=held, seconds=60, reason="still late")
    assert f.step_of(beside, "poison").state == "FAILED"


def test_newer_code_asks_the_owner_of_what_failed_meanwhile(
    beside: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    f.fail(f.claim())
    assert f.attention(beside) == []
    monkeypatch.setitem(catalogue.CHECKS, "newer", "tests.faults.newer.check")
    unstick(run_id=beside.pk)
    assert f.attention(beside) == ["step_failed"]
    states = f.states(beside)
    assert (states["judged"], states["other"]) == ("IN_REVIEW", "FAILED")


def test_code_that_never_comes_in_is_not_waited_for_without_end(cast: Cast, later: Later) -> None:
    """Each offer takes a worker: after a day a person is asked."""
    run = one(cast)
    missing = "Newer code is coming in: effect 'newer' is not known to this process's code."
    for _ in range(3):
        attempts.await_code(held=f.claim(), missing=missing)
        assert f.step_of(run, "work").state == "RETRY_WAIT"
        later(seconds=attempts.CODE_SECONDS)
        steps.wake(step_id=f.step_of(run, "work").pk)
    held = f.claim()
    later(seconds=catalogue.spec("noop").max_wait)
    attempts.await_code(held=held, missing=missing)
    assert f.step_of(run, "work").state == "FAILED"
    assert f.attention(run) == ["step_failed"]
    failed = next(e for e in f.events_of(run) if e.type == "step.fail")
    assert missing in failed.data["reason"]


def test_handing_back_what_is_refused_ends_with_the_lease(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It waits between its tries, and does not hold the run's lock in a loop."""
    one(cast)
    tries: list[Claim] = []
    lane: Any = None
    performance = Performance(lane, f.claim(), scratch=tmp_path, stopping=threading.Event())

    def refuse(*, held: Claim, missing: str) -> None:
        tries.append(held)
        if len(tries) > 9:
            pytest.fail("it is tried without end")
        raise Busy("newer_code", missing)

    def sleep(_seconds: float) -> None:
        performance.last_beat -= settings.LEASE_SECONDS / 3

    monkeypatch.setattr(attempts, "await_code", refuse)
    monkeypatch.setattr("pipelines.runs.performance.close_old_connections", lambda: None)
    monkeypatch.setattr("pipelines.runs.performance.time.sleep", sleep)
    performance._settle(Result("awaits_code", {"reason": "newer code"}))
    assert 1 < len(tries) < 9
