"""What a worker offers: who takes which attempts, and what is said while nobody does."""

import signal
from typing import Any

import pytest
from django.db.models import Q

from pipelines import catalogue
from pipelines.runs import presence
from pipelines.runs.actions.limits import set_limit
from pipelines.runs.models import Attempt, Run, WorkerPresence
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.processes import NEW_CODE, Processes, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
KNOWS = {**NEW_CODE, "BATON_TEST_KNOWS": "on_gpu"}
PLAIN = {**KNOWS, "BATON_WORKER_QUEUES": "cpu,memory"}
GPU = {**KNOWS, "BATON_WORKER_QUEUES": "gpu"}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, too, knows the operation."""
    monkeypatch.setitem(catalogue.OPERATIONS, "on_gpu", "tests.faults.operations.on_gpu")


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return Cast.make()


def drawn(cast: Cast, *, on: Any = None, **params: Any) -> Run:
    step = {"key": "draw", "operation": "on_gpu", "params": params}
    return f.run(cast, f.stage("one", "BA", steps=[step]), on=on)


def lacking() -> str:
    return presence.alive().lacks("gpu", "on_gpu")


def done(run: Run) -> bool:
    return not run.attempts.filter(~Q(state="SUCCEEDED")).exists()


def test_a_gpu_attempt_waits_until_a_gpu_worker_starts(cast: Cast, processes: Processes) -> None:
    run = drawn(cast)
    assert f.attempt_of(run, "draw").queue == "gpu"
    processes.engine()
    plain = processes.work(**PLAIN)
    other = f.run(cast, f.stage("one", "BA", steps=[f.step("a", params={"message": "cpu"})]))
    until(lambda: done(other), what="the plain worker does what it offers")
    until(lambda: presence.alive().queues == {"cpu", "memory"}, what="it says what it offers")
    waiting = f.attempt_of(run, "draw")
    assert (waiting.state, waiting.token) == ("QUEUED", 0)
    assert lacking() == "no worker offers gpu"
    gpu = processes.work(**GPU)
    until(lambda: done(run), what="the gpu worker does it")
    assert f.attempt_of(run, "draw").worker.endswith(f":{gpu.pid}")
    assert f.attempt_of(other, "a").worker.endswith(f":{plain.pid}")
    assert lacking() == ""


def test_who_leaves_offers_nothing_at_once_and_who_dies_after_a_lease(
    cast: Cast, processes: Processes
) -> None:
    leaving, dying = processes.work(**GPU), processes.work(**GPU)
    until(lambda: len(presence.alive().workers) == 2, what="both are there")
    leaving.send_signal(signal.SIGTERM)
    leaving.wait(timeout=30)
    assert WorkerPresence.objects.filter(left_at=None).count() == 1
    assert lacking() == ""
    dying.kill()
    until(lambda: lacking() == "no worker offers gpu", what="its silence is noticed")


def test_what_older_code_queued_elsewhere_is_not_taken_by_a_worker_without_gpu(
    cast: Cast, processes: Processes
) -> None:
    run = drawn(cast)
    Attempt.objects.filter(run=run).update(queue="cpu")  # as code that does not know it does
    processes.work(**PLAIN)
    until(lambda: f.attempt_of(run, "draw").queue == "gpu", what="its queue is put right")
    assert f.attempt_of(run, "draw").state == "QUEUED"
    assert f.attempt_of(run, "draw").token == 0
    processes.work(**GPU)
    until(lambda: done(run), what="the gpu worker does it")


def test_a_limit_of_a_queue_holds_for_all_its_workers(cast: Cast, processes: Processes) -> None:
    set_limit(actor=acting(cast.priya), kind="queue", key="gpu", at_most=1)
    use_case = f.use_case(cast)
    made = [drawn(cast, on=use_case, seconds=0.2) for _ in range(5)]
    for _ in range(2):
        processes.work(**GPU, BATON_WORKER_THREADS="2")
    # Counted as it is, not from the rows' times: who waited for a lock writes an older one.
    most = 0

    def over() -> bool:
        nonlocal most
        most = max(most, Attempt.objects.filter(state="RUNNING").count())
        return all(done(run) for run in made)

    until(over, what="all are done, one after the other")
    assert most == 1
