"""Commands that meet on one run, each on a connection of its own. F12, F13, F15, F16, F19."""

import random
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from personas.errors import Conflict, DomainError, Gone
from personas.models import BatonNow, Clock
from pipelines.runs.actions import attempts, gates, runs, stages
from pipelines.runs.models import Attempt, Decision, Gate, Run, Stage
from pipelines.runs.sweeper import Sweeper
from pipelines.runs.sweeper import settle as settle_run
from tests.cast import acting
from tests.domain import engine as f
from tests.faults.test_decisions_at_once import (
    Cast,
    ThreadPoolExecutor,
    at_once,
    cast,
    closings,
    pool,
    under_review,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
__all__ = ["cast", "pool"]
ENDS = {"run.settle", "run.succeed", "run.fail", "run.reject", "run.give_up"}


def ended(run: Run) -> list[str]:
    """The events that ended the run."""
    return [kind for kind in f.events(run) if kind in ENDS]


# --- the clock. F12 ------------------------------------------------------------------------------


def test_f12_a_decision_and_the_end_of_its_time_meet(cast: Cast, pool: ThreadPoolExecutor) -> None:
    shift = random.Random(12)
    seen = set()
    for _ in range(12):
        run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS", expires="P1D", on_expire="hold")))
        f.perform()
        gate = f.gate_of(run)
        Gate.objects.filter(pk=gate.pk).update(expires_at=BatonNow() + timedelta(milliseconds=30))
        waits = [0.03 + shift.uniform(-0.02, 0.02) for _ in range(2)]

        def decide(gate: Gate = gate, wait: float = waits[0]) -> Any:
            time.sleep(wait)
            return f.decide(cast.sofia, gate)

        def expire(gate: Gate = gate, wait: float = waits[1]) -> Any:
            time.sleep(wait)
            return gates.expire(gate_id=gate.pk)

        answer = at_once(pool, [decide, expire])[0]
        closed = Gate.objects.get(pk=gate.pk)
        given = Decision.objects.filter(gate=gate, state="IN_FORCE").first()
        seen.add(closed.state)
        ends = [kind for kind in f.events(run) if kind in ("gate.approve", "gate.expire")]
        assert len(ends) == 1
        if closed.state == "APPROVED":
            assert given is not None
            assert given.at < closed.expires_at
        else:
            assert (closed.state, given) == ("EXPIRED", None)
            assert isinstance(answer, Gone)
    assert seen == {"APPROVED", "EXPIRED"}


@pytest.mark.parametrize("minutes", [-10, 10])
def test_f12_only_the_databases_clock_counts(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """The host's clock is ten minutes off; the gate has five minutes, by the database."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 60 * minutes)
    monkeypatch.setattr("django.utils.timezone.now", lambda: pytest.fail("the host's clock"))
    stage = f.stage("one", "DE", gate=f.gate("DS", expires="PT5M", on_expire="hold"))
    in_time, late = f.run(cast, stage), f.run(cast, stage)
    f.perform()
    gates.expire(gate_id=f.gate_of(in_time).pk)
    f.decide(cast.sofia, f.gate_of(in_time))
    assert f.gate_of(in_time).state == "APPROVED"
    Clock.objects.create(id=1, offset=timedelta(minutes=6), simulation=True)
    with pytest.raises(Gone):
        f.decide(cast.sofia, f.gate_of(late))


# --- a rerun under a decision. F13 ---------------------------------------------------------------


def test_f13_a_rerun_and_a_decision_meet(cast: Cast, pool: ThreadPoolExecutor) -> None:
    first = set()
    for number in range(12):
        run = f.run(
            cast,
            f.stage("one", "DE", steps=[f.step("a", params={"message": f"{number}"})],
                    gate=f.gate("DS")),
            f.stage("two", "DE", needs=["one"], items=[f.form("x")]),
        )  # fmt: skip
        stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "one"))
        f.perform()
        gate, stage = f.gate_of(run), f.stage_of(run, "one")

        def rerun(stage: Stage = stage) -> Any:
            return stages.rerun(
                actor=acting(cast.dmitri), stage=stage, reason="new data", refuse_cache=True
            )

        acts = [lambda gate=gate: f.decide(cast.sofia, gate), rerun]
        answers = at_once(pool, acts if number % 2 else acts[::-1])
        decided = answers[0 if number % 2 else 1]
        closed = Gate.objects.get(pk=gate.pk)
        first.add(closed.state)
        # The rerun came through, whoever was first: what was approved counts no more.
        assert not any(isinstance(a, DomainError) for a in answers if a is not decided)
        now = f.stage_of(run, "one")
        assert (now.round, now.state) == (2, "ACTIVE")
        assert f.states(run)["two"] == "PENDING"
        if isinstance(decided, DomainError):
            assert (closed.state, decided.code) == ("SUPERSEDED", "superseded_subject")
            assert not closed.decisions.exists()
        else:
            assert closed.state == "APPROVED"
            kinds = f.events(run)
            assert kinds.index("gate.approve") < kinds.index("stage.supersede")
    assert first <= {"APPROVED", "SUPERSEDED"}


# --- a send-back beside a branch that finishes. F15 ----------------------------------------------


def branches(cast: Cast, number: int) -> Run:
    """source -> (left with a gate, right) -> join, right and left under way."""

    def steps(key: str) -> dict[str, Any]:
        return {"steps": [f.step(key, params={"message": f"{key}-{number}"})]}

    return f.run(
        cast,
        f.stage("source", "DE", **steps("source")),
        f.stage("left", "DE", needs=["source"], **steps("left"),
                gate=f.gate("DS", send_back_to=["source", "left"])),
        f.stage("right", "DE", needs=["source"], **steps("right")),
        f.stage("join", "DE", needs=["left", "right"], **steps("join")),
    )  # fmt: skip


@pytest.mark.parametrize("target", ["source", "left"])
def test_f15_a_send_back_meets_the_end_of_a_parallel_branch(
    cast: Cast, pool: ThreadPoolExecutor, target: str
) -> None:
    for number in range(8):
        run = branches(cast, number)
        f.settle(f.claim())
        held = {claim.params["message"].split("-")[0]: claim for claim in (f.claim(), f.claim())}
        f.settle(held["left"])
        gate = f.gate_of(run, "left")
        acts = [
            lambda g=gate: f.decide(cast.sofia, g, "request_changes", target=target),
            lambda c=held["right"]: f.settle(c),
            lambda c=held["right"]: attempts.lose(attempt_id=c.id, error={}, token=c.token),
        ]
        random.Random(number).shuffle(acts)
        at_once(pool, acts)
        for _ in range(5):
            f.perform()
            for again in run.gates.filter(state="OPEN"):
                f.decide(cast.sofia, again)
        assert Run.objects.get(pk=run.pk).state == "SUCCEEDED"
        current = {stage.key: stage for stage in run.stages.filter(current=True)}
        assert {stage.state for stage in current.values()} == {"DONE"}
        assert (current["source"].round, current["left"].round) == (
            (2, 2) if target == "source" else (1, 2)
        )
        for key, needs in {
            "left": ["source"],
            "right": ["source"],
            "join": ["left", "right"],
        }.items():
            began = current[key].activated_at
            assert began is not None
            assert all(current[need].finished_at <= began for need in needs)
        for step in run.steps.filter(stage__current=True):
            assert step.attempts.filter(state="SUCCEEDED").count() == 1


# --- a cancel in the middle. F16 -----------------------------------------------------------------


@pytest.mark.parametrize("against", ["claim", "complete", "decide"])
def test_f16_a_cancel_in_the_middle(cast: Cast, pool: ThreadPoolExecutor, against: str) -> None:
    for number in range(10):
        if against == "decide":
            run = under_review(cast, "DS")
            other: Any = lambda r=run: f.decide(cast.sofia, f.gate_of(r))  # noqa: E731
        else:
            step = f.step("a", params={"message": f"{against}-{number}"})
            run = f.run(cast, f.stage("one", "DE", steps=[step]))
            if against == "claim":
                other = f.maybe_claim
            else:
                held = f.claim()
                other = lambda h=held: f.settle(h)  # noqa: E731

        def cancel(run: Run = run) -> Any:
            return runs.cancel(actor=acting(cast.amara), run=run, reason="enough")

        answers = at_once(pool, [cancel, other] if number % 2 else [other, cancel])
        _settled_after_cancel(run, answers)


def _settled_after_cancel(run: Run, answers: list[Any]) -> None:
    """Whoever was first: one end, nothing open, and nothing starts any more."""
    run.refresh_from_db()
    if run.state == "CANCELLING":
        for claim in [one for one in answers if isinstance(one, f.Claim)]:
            assert Attempt.objects.get(pk=claim.id).cancel_requested
            f.settle(claim)  # its result is not taken
        settle_run(run_id=run.pk)
        run.refresh_from_db()
    assert run.state in ("CANCELLED", "SUCCEEDED")
    assert len(ended(run)) == 1
    assert not run.attempts.filter(state__in=("QUEUED", "RUNNING")).exists()
    assert not run.gates.filter(state="OPEN").exists()
    assert f.maybe_claim() is None
    if run.state == "SUCCEEDED":  # the decision or result was first: the cancel was told so
        assert any(isinstance(a, Conflict) for a in answers)
    assert len(closings(run)) <= 1


# --- versions. F19 -------------------------------------------------------------------------------


def test_f19_a_new_version_changes_no_run_under_way(cast: Cast) -> None:
    plan = f.plan(f.stage("one", "BA"), f.stage("two", "BA", needs=["one"]))
    use_case, old = f.use_case(cast), f.publish(plan)
    made = runs.create(actor=acting(cast.amara), use_case=use_case, version=old)
    run = Run.objects.get(pk=made.data["run"])
    f.publish({**plan, "stages": [f.stage("other", "BA", items=[f.form("x")])]})
    old.refresh_from_db()
    assert old.state == "retired"
    f.perform()
    run.refresh_from_db()
    assert (run.state, run.version_id) == ("SUCCEEDED", old.pk)
    assert f.states(run) == {"one": "DONE", "two": "DONE"}
    pinned = [e.data["digest"] for e in f.events_of(run) if e.type == "run.version_pinned"]
    assert pinned == [old.digest]


# --- time, seen twice ----------------------------------------------------------------------------


def test_f20_sweepers_that_run_at_once_do_each_duty_once(
    cast: Cast, pool: ThreadPoolExecutor
) -> None:
    made = []
    for number in range(4):
        step = f.step("a", params={"message": f"sweep-{number}"})
        made.append(
            f.run(
                cast,
                f.stage("one", "DE", steps=[step]),
                f.stage("two", "DE", items=[], steps=[f.step("b", params={"rows": number})],
                        gate=f.gate("DS", expires="P1D", on_expire="hold")),
                f.stage("end", "DE", needs=["one", "two"]),
            )
        )  # fmt: skip
    for _ in range(8):
        held = f.claim()
        if held.params.get("message"):
            Attempt.objects.filter(pk=held.id).update(lease_until=BatonNow() - timedelta(seconds=1))
        else:
            f.settle(held)
    Gate.objects.filter(state="OPEN").update(expires_at=F("opened_at"))

    def sweep() -> None:
        Sweeper(poke=lambda queue, pk: True, stopping=threading.Event()).sweep()

    at_once(pool, [sweep] * 3)
    sweep()
    for run in made:
        kinds = f.events(run)
        assert kinds.count("gate.expire") == 1
        assert kinds.count("attempt.lose") == 1
        ends = run.attempts.filter(step__key="a").order_by("number").values_list("state", flat=True)
        assert list(ends) == ["LOST", "QUEUED"]
