"""Workers killed, stopped, fenced and asked to leave: F1 to F4, and the supervisor's limits."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.operations.contract import Json
from pipelines.runs.actions import runs
from pipelines.runs.lanes import Lane, Work
from pipelines.runs.models import Attempt, Run
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.processes import LEASE, Processes, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


def one_step(cast: Cast, seconds: float = 0.0) -> Run:
    """A run of one step of so many seconds."""
    params: dict[str, Json] = {"seconds": seconds, "message": str(time.monotonic())}
    return f.run(cast, f.stage("one", "BA", steps=[f.step("work", params=params)]))


def states(run: Run) -> list[str]:
    return list(run.attempts.order_by("number").values_list("state", flat=True))


def state(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


def attempt(run: Run, wanted: str) -> Attempt | None:
    return run.attempts.filter(state=wanted).last()


@pytest.mark.parametrize("point", ["after_claim", "after_files"])
def test_f1_a_worker_killed_before_it_commits_is_replaced(
    cast: Cast, processes: Processes, point: str
) -> None:
    run = one_step(cast)
    processes.engine()
    killed = processes.work(FAULT=f"{point}:kill")
    assert killed.wait(timeout=30) == -signal.SIGKILL
    assert states(run) == ["RUNNING"]
    processes.work()
    lost = until(lambda: attempt(run, "LOST"), what="the sweeper noticed")
    until(lambda: state(run) == "SUCCEEDED", what="another worker finished it")
    assert (lost.finished_at - lost.lease_until).total_seconds() < 2
    assert states(run) == ["LOST", "SUCCEEDED"]
    assert f.step_of(run, "work").result.number == 2


def test_f1_a_worker_killed_after_its_commit_has_done_its_work(
    cast: Cast, processes: Processes
) -> None:
    run = one_step(cast)
    killed = processes.work(FAULT="after_commit:kill")
    assert killed.wait(timeout=30) == -signal.SIGKILL
    assert (state(run), states(run)) == ("SUCCEEDED", ["SUCCEEDED"])
    processes.engine()
    processes.work()
    time.sleep(LEASE + 1)
    assert states(run) == ["SUCCEEDED"]


def test_f2_a_killed_child_is_noticed_at_once(cast: Cast, processes: Processes) -> None:
    run = one_step(cast, seconds=1.0)
    worker = processes.work()
    held = until(lambda: run.attempts.filter(progress__gt=0).first(), what="it computes")
    for child in processes.children(worker):
        child.kill()
    until(lambda: attempt(run, "LOST"), what="it is lost")
    until(lambda: state(run) == "SUCCEEDED")
    assert states(run) == ["LOST", "SUCCEEDED"]
    assert Attempt.objects.get(pk=held.pk).error["code"] == "worker_lost"
    # The supervisor says so, not the sweeper after the lease, whose words are others.
    assert "child" in Attempt.objects.get(pk=held.pk).error["message"]


def test_f3_a_step_that_kills_its_worker_is_stopped(cast: Cast, processes: Processes) -> None:
    run = one_step(cast)
    processes.work(FAULT="child_before_compute:kill")
    until(lambda: f.states(run) == {"one": "FAILED"}, what="the step counts as poisonous")
    assert states(run) == ["LOST"] * 3
    assert f.attention(run) == ["step_failed"]


def test_f4_a_zombies_late_result_changes_nothing(cast: Cast, processes: Processes) -> None:
    """It has its result, sleeps past its lease, wakes up and wants to commit."""
    run = one_step(cast)
    processes.engine()
    zombie = processes.work(FAULT="after_files:pause:12", BATON_WORKER_THREADS="1")
    until(lambda: attempt(run, "RUNNING"), what="it claimed the step")
    processes.work()
    until(lambda: attempt(run, "LOST"), what="its lease is over")
    until(lambda: state(run) == "SUCCEEDED", what="the second worker finished it")
    before = (list(run.attempts.order_by("id").values()), list(run.steps.values()))
    count = len(f.events(run))
    until(lambda: "no longer yours" in processes.said(zombie), what="the zombie was refused")
    assert (list(run.attempts.order_by("id").values()), list(run.steps.values())) == before
    assert f.events(run)[count:] == ["attempt.late_result_discarded"]
    assert zombie.poll() is None


def test_f4_a_stopped_worker_sees_that_it_was_replaced(cast: Cast, processes: Processes) -> None:
    run = one_step(cast, seconds=1.0)
    processes.engine()
    zombie = processes.work(BATON_WORKER_THREADS="1")
    held = until(lambda: attempt(run, "RUNNING"), what="the first worker claimed it")
    zombie.send_signal(signal.SIGSTOP)
    until(lambda: attempt(run, "LOST"), what="its lease is over")
    processes.work()
    until(lambda: state(run) == "SUCCEEDED", what="the second worker finished it")
    zombie.send_signal(signal.SIGCONT)
    told = ("no longer yours", "stopped: fenced")
    until(lambda: any(text in processes.said(zombie) for text in told))
    assert states(run) == ["LOST", "SUCCEEDED"]
    assert f.step_of(run, "work").result_id != held.pk


@pytest.mark.parametrize("kind", ["work", "celery"])
def test_a_worker_asked_to_leave_hands_its_work_back(
    cast: Cast, processes: Processes, kind: str
) -> None:
    run = one_step(cast, seconds=30.0)
    worker = getattr(processes, kind)()
    until(lambda: run.attempts.filter(progress__gt=0).first(), what="it computes")
    children = processes.children(worker)
    worker.send_signal(signal.SIGTERM)
    until(lambda: states(run) == ["RELEASED", "QUEUED"], seconds=20, what="handed back")
    assert worker.wait(timeout=20) == 0
    assert not any(child.is_running() for child in children)
    assert f.step_of(run, "work").losses == 0


def test_a_cancelled_child_is_killed(cast: Cast, processes: Processes) -> None:
    run = one_step(cast, seconds=60.0)
    worker = processes.work()
    until(lambda: run.attempts.filter(progress__gt=0).first(), what="it computes")
    before = {child.pid for child in processes.children(worker)}
    runs.cancel(actor=acting(cast.amara), run=run, reason="enough")
    until(lambda: state(run) == "CANCELLED", seconds=30)
    assert states(run) == ["CANCELLED"]
    assert {child.pid for child in processes.children(worker)} != before


# --- the supervisor alone ------------------------------------------------------------------------


@pytest.fixture
def lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A lane with its child."""
    monkeypatch.setenv("BATON_WARM_IMPORTS", "")
    made = Lane(0, tmp_path)
    yield made
    made.kill()


def work(folder: Path, **limits: float) -> Work:
    """A step of a minute, with limits."""
    given: dict[str, Any] = {"max_runtime": 60.0, "max_memory": 2000, **limits}
    return Work(
        operation="noop", params={"seconds": given.pop("seconds", 60)}, inputs={}, many={},
        seed=1, folder=folder, **given,
    )  # fmt: skip


def test_a_child_over_its_time_is_killed(lane: Lane, tmp_path: Path) -> None:
    result = lane.perform(work(tmp_path, max_runtime=1), lambda _: None, beat_every=0.1)
    assert (result.kind, result.message["error"]["code"]) == ("timed_out", "max_runtime")
    assert lane.child is None


def test_a_child_over_its_memory_is_killed(lane: Lane, tmp_path: Path) -> None:
    result = lane.perform(work(tmp_path, max_memory=1), lambda _: None, beat_every=0.1)
    assert (result.kind, result.message["error"]["code"]) == ("error", "max_memory")
    assert lane.child is None


def test_a_child_is_warm_and_used_again(lane: Lane, tmp_path: Path) -> None:
    pids = set()
    for _ in range(3):
        result = lane.perform(work(tmp_path, seconds=0), lambda _: None, beat_every=0.1)
        assert result.kind == "done"
        assert lane.child is not None
        pids.add(lane.child.pid)
    assert len(pids) == 1


def test_a_child_ends_with_its_supervisor(lane: Lane) -> None:
    lane.start()
    child = lane.child
    assert child is not None
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=10) == -signal.SIGKILL
    assert os.getpgid(0) != child.pid
