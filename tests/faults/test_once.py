"""What must not be done twice: after a loss a person is asked, and nobody tries by himself."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from personas.models import BatonNow
from pipelines import catalogue
from pipelines.runs.actions import steps
from pipelines.runs.models import Run, Step
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.processes import LEASE, NEW_CODE, Processes, until
from tests.faults.test_workers import attempt, state, states

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process know the operation, too."""
    monkeypatch.setitem(catalogue.OPERATIONS, "once", "tests.faults.operations.once")


def writing(cast: Cast, file: Path, *, seconds: float) -> Run:
    """A run of one step that writes a line, then waits."""
    params = {"file": str(file), "seconds": seconds}
    step = {"key": "work", "operation": "once", "params": params}
    return f.run(cast, f.stage("one", "BA", steps=[step]))


def lines(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.mark.parametrize("how", ["killed", "child killed", "asked to leave"])
@pytest.mark.usefixtures("once")
def test_after_a_loss_a_person_is_asked(
    cast: Cast, processes: Processes, tmp_path: Path, how: str
) -> None:
    file = tmp_path / "effect"
    run = writing(cast, file, seconds=20)
    processes.engine(**NEW_CODE)
    worker = processes.work(**NEW_CODE)
    until(lambda: lines(file) == 1, what="the effect has happened")
    if how == "killed":
        os.killpg(worker.pid, signal.SIGKILL)
    elif how == "child killed":
        for child in processes.children(worker):
            child.kill()
    else:
        worker.send_signal(signal.SIGTERM)
    until(lambda: f.step_of(run, "work").state == "FAILED", what="the step waits for a person")
    assert states(run) == ["RELEASED" if how == "asked to leave" else "LOST"]
    assert f.attention(run) == ["step_failed"]
    processes.work(**NEW_CODE)
    time.sleep(LEASE + 1)
    assert lines(file) == 1
    assert f.step_of(run, "work").state == "FAILED"


@pytest.mark.usefixtures("once")
def test_a_person_may_let_it_be_done_again(
    cast: Cast, processes: Processes, tmp_path: Path
) -> None:
    file = tmp_path / "effect"
    run = writing(cast, file, seconds=0)
    held = f.claims.claim(
        queues=["cpu"], operations=["once"], owner=f.OWNER, worker="test", lease=60
    )
    assert held is not None
    f.attempts.lose(attempt_id=held.id, error={"code": "worker_lost"}, token=held.token)
    assert f.step_of(run, "work").state == "FAILED"
    steps.retry(actor=acting(cast.amara), step=f.step_of(run, "work"))
    processes.work(**NEW_CODE)
    until(lambda: state(run) == "SUCCEEDED", what="it was done because somebody said so")
    assert (lines(file), states(run)) == (1, ["LOST", "SUCCEEDED"])


# --- old and new code side by side. F24 ----------------------------------------------------------


@pytest.mark.usefixtures("once")
def test_f24_what_old_code_does_not_know_waits_for_new_code(
    cast: Cast, processes: Processes, tmp_path: Path
) -> None:
    """Old code finishes the step before it and queues what it does not know."""
    file = tmp_path / "effect"
    params = {"file": str(file), "seconds": 0}
    newer = {"key": "new", "operation": "once", "params": params, "after": ["old"]}
    known = f.step("old", params={"message": str(time.monotonic())})
    run = f.run(cast, f.stage("one", "BA", steps=[known, newer]))
    processes.engine()
    old = processes.work()
    until(lambda: f.step_of(run, "old").state == "SUCCEEDED", what="old code does what it knows")
    time.sleep(1.5)
    assert f.attempt_of(run, "new").state == "QUEUED"
    assert f.attention(run) == []
    processes.work(**NEW_CODE)
    until(lambda: state(run) == "SUCCEEDED", what="new code does the rest")
    assert lines(file) == 1
    assert "Traceback" not in processes.said(old)


@pytest.mark.usefixtures("once")
def test_f24_an_old_engine_leaves_a_loss_it_cannot_judge_to_a_new_one(
    cast: Cast, processes: Processes, tmp_path: Path
) -> None:
    file = tmp_path / "effect"
    run = writing(cast, file, seconds=20)
    old = processes.engine()
    worker = processes.work(**NEW_CODE)
    until(lambda: lines(file) == 1, what="the effect has happened")
    os.killpg(worker.pid, signal.SIGKILL)
    time.sleep(LEASE + 1)
    assert (states(run), old.poll()) == (["RUNNING"], None)
    processes.engine(**NEW_CODE)
    until(lambda: attempt(run, "LOST"), what="the new engine noticed")
    assert f.step_of(run, "work").state == "FAILED"


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process know the check and the effect, too."""
    monkeypatch.setitem(catalogue.CHECKS, "newer", "tests.faults.newer.check")
    monkeypatch.setitem(catalogue.EFFECTS, "newer", "tests.faults.newer.effect")


def fresh(key: str, **more: object) -> dict[str, object]:
    """A step that no cache knows."""
    return f.step(key, params={"message": str(time.monotonic())}, **more)


@pytest.mark.usefixtures("newer")
def test_f24_an_effect_that_old_code_does_not_know_waits_for_new_code(
    cast: Cast, processes: Processes
) -> None:
    run = f.run(cast, f.stage("one", "BA", steps=[fresh("work", effect="newer")]))
    processes.engine()
    old = processes.work()
    until(lambda: f.step_of(run, "work").state == "RETRY_WAIT", what="it waits, and fails not")
    assert (states(run), f.attention(run)) == (["DEFERRED"], [])
    old.send_signal(signal.SIGTERM)
    assert old.wait(timeout=20) == 0
    assert "Traceback" not in processes.said(old)
    processes.work(**NEW_CODE)
    Step.objects.filter(run=run).update(retry_at=BatonNow())
    until(lambda: state(run) == "SUCCEEDED", what="new code ends it")
    assert states(run) == ["DEFERRED", "SUCCEEDED"]
    assert f.events(run).count("newer.effect") == 1


@pytest.mark.usefixtures("newer")
def test_f24_a_check_that_old_code_does_not_know_waits_for_new_code(
    cast: Cast, processes: Processes
) -> None:
    """The result is kept; the review opens when an engine of new code looks."""
    gate = f.gate("DS", checks=[{"name": "newer"}])
    run = f.run(cast, f.stage("one", "DE", steps=[fresh("work")], gate=gate))
    old_engine, old = processes.engine(), processes.work()
    until(lambda: f.step_of(run, "work").state == "SUCCEEDED", what="old code keeps the result")
    a_while_ago = BatonNow() - timedelta(minutes=2)
    Run.objects.filter(pk=run.pk).update(moved_at=a_while_ago)
    until(lambda: "newer code is coming in" in processes.said(old).lower(), what="it is said")
    assert (f.states(run), f.attention(run)) == ({"one": "ACTIVE"}, [])
    assert "Traceback" not in processes.said(old)
    processes.engine(**NEW_CODE)
    until(lambda: f.states(run) == {"one": "IN_REVIEW"}, what="new code opens the review")
    assert [check.verdict for check in f.gate_of(run).checks.all()] == ["pass"]
    assert (states(run), old_engine.poll()) == (["SUCCEEDED"], None)


def test_f24_workers_replaced_under_load_lose_nothing_and_wait_for_no_lease(
    cast: Cast, processes: Processes
) -> None:
    stamp = str(time.monotonic())
    runs = []
    for number in range(12):
        chain = [
            f.step(f"s{n}", after=[f"s{n - 1}"] if n else [],
                   params={"seconds": 0.15, "message": f"{stamp}-{number}-{n}"})
            for n in range(3)
        ]  # fmt: skip
        runs.append(f.run(cast, f.stage("one", "BA", steps=chain)))
    processes.engine()
    worker = processes.work()
    for _ in range(2):
        until(lambda: Run.objects.filter(attempts__state="RUNNING").exists(), what="it works")
        fresh = processes.work()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
        worker = fresh
    for run in runs:
        until(lambda run=run: state(run) == "SUCCEEDED", seconds=60)
        ends = states(run)
        assert set(ends) <= {"SUCCEEDED", "RELEASED"}
        assert ends.count("SUCCEEDED") == 3
