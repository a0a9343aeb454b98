"""A run that is moved to another version while others act on it, each on its own connection."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from personas.errors import Conflict, DomainError
from pipelines.runs.actions import moving, runs
from pipelines.runs.claims import Claim
from pipelines.runs.invariants import Scope, check_all
from pipelines.runs.models import Run
from pipelines.usecases.models import BlueprintVersion
from tests.cast import acting
from tests.domain import engine as f
from tests.faults.test_decisions_at_once import Cast, ThreadPoolExecutor, at_once, cast, pool

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
__all__ = ["cast", "pool"]
Body = dict[str, Any]


def paused(cast: Cast, message: str = "old") -> tuple[Run, Body]:
    """A paused run with a queued step and an open form."""
    steps = [f.step("work", params={"message": message})]
    body = f.plan(f.stage("one", "DE", steps=steps, items=[f.form("brief")]))
    made = runs.create(actor=acting(cast.amara), use_case=f.use_case(cast), version=f.publish(body))
    run = Run.objects.get(pk=made.data["run"])
    runs.pause(actor=acting(cast.priya), run=run, reason="a new version")
    run.refresh_from_db()
    return run, body


def next_version(body: Body, message: str) -> BlueprintVersion:
    steps = [f.step("work", params={"message": message})]
    stages = [f.stage("one", "DE", steps=steps, items=[f.form("brief")])]
    return f.publish({**body, "stages": stages})


def moves(cast: Cast, run: Run, to: BlueprintVersion) -> Any:
    actor = acting(cast.priya)
    seen = moving.look(actor=actor, run=run, version=to).seen

    def go() -> Any:
        return moving.move_run(actor=actor, run=run, version=to, seen=seen, reason="new")

    return go


def quiet() -> None:
    """I18 and what else a half-done move would break."""
    wrong = {one.code: one.offenders for one in check_all(Scope(full=True)) if not one.holds}
    assert not set(wrong) & {"I1", "I9", "I10", "I12", "I13", "I14", "I15", "I18"}, wrong


def test_two_move_at_once_and_one_does(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for turn in range(6):
        run, body = paused(cast)
        go = moves(cast, run, next_version(body, f"new {turn}"))
        answers = at_once(pool, [go, go])
        told = [one.code for one in answers if isinstance(one, Conflict)]
        assert told == ["same_version"]
        assert f.events(run).count("run.migrate") == 1
        assert f.events(run).count("run.version_pinned") == 2
    quiet()


def test_a_move_meets_a_resume(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for turn in range(8):
        run, body = paused(cast)
        old, to = run.version_id, next_version(body, f"new {turn}")

        def resume(run: Run = run) -> Any:
            return runs.resume(actor=acting(cast.priya), run=run)

        moved, resumed = at_once(pool, [moves(cast, run, to), resume])
        assert not isinstance(resumed, Exception)
        run.refresh_from_db()
        assert run.state == "RUNNING"
        if isinstance(moved, Exception):
            assert isinstance(moved, Conflict)
            assert (moved.code, run.version_id) == ("run_not_paused", old)
        else:
            assert run.version_id == to.pk
            assert f.attempt_of(run, "work").params["message"] == f"new {turn}"
        queued = run.attempts.filter(state="QUEUED")
        assert queued.count() == 1
    quiet()


def in_turn(acts: list[Callable[[], Any]]) -> list[Any]:
    """Do one after the other; returns answers and refusals in order."""
    answers = []
    for act in acts:
        try:
            answers.append(act())
        except DomainError as error:
            answers.append(error)
    return answers


def test_a_move_meets_a_claim(cast: Cast, pool: ThreadPoolExecutor) -> None:
    """What was seen as queued must not be computed as the old version says after the move."""
    orders = set()
    for turn, way in enumerate(["at once"] * 8 + ["move first", "claim first"]):
        run, body = paused(cast, f"old {turn}")  # its own, or the cache would answer
        old, to = run.version_id, next_version(body, f"new {turn}")

        def wake(run: Run = run) -> Any:
            runs.resume(actor=acting(cast.priya), run=run)
            return f.maybe_claim()

        go = moves(cast, run, to)
        if way == "claim first":
            held, moved = in_turn([wake, go])
        else:
            moved, held = (in_turn if way == "move first" else partial(at_once, pool))([go, wake])
        # A claim skips a run whose row is locked: then nobody holds the step, and it stays queued.
        assert held is None or isinstance(held, Claim)
        assert held is not None or way == "at once"
        run.refresh_from_db()
        assert run.state == "RUNNING"
        assert run.attempts.filter(state="QUEUED").count() == (1 if held is None else 0)
        done = held or f.claim()
        assert done.run_id == run.pk
        if isinstance(moved, Exception):
            assert isinstance(moved, Conflict)
            assert (moved.code, run.version_id) == ("run_not_paused", old)
            assert done.params["message"] == f"old {turn}"
        else:
            assert run.version_id == to.pk
            assert done.params["message"] == f"new {turn}"
        orders.add((way, isinstance(moved, Exception)))
        f.settle(done)
        assert run.attempts.filter(state__in=["QUEUED", "RUNNING"]).count() == 0
    assert {("move first", False), ("claim first", True)} <= orders
    quiet()
