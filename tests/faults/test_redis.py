"""Redis carries only wake-up calls: lost, doubled, late or dead, no work suffers. F5, F6."""

import json
import signal
import time

import pytest
import redis
from celery import Celery
from django.db import connection

from personas import ledger
from pipelines.runs.models import Attempt, Run
from tests.cast import Cast
from tests.domain import engine as f
from tests.faults.processes import OwnRedis, Processes, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


def chain(cast: Cast, count: int, *, seconds: float = 0.0) -> Run:
    """A run of so many steps, one after the other."""
    stamp = str(time.monotonic())
    steps = [
        f.step(f"s{n}", params={"seconds": seconds, "message": f"{stamp}-{n}"},
               after=[f"s{n - 1}"] if n else [])
        for n in range(count)
    ]  # fmt: skip
    return f.run(cast, f.stage("one", "BA", steps=steps))


def left() -> int:
    """How many runs are not done."""
    return Run.objects.exclude(state="SUCCEEDED").count()


def test_f5_redis_flushed_stopped_and_killed_loses_nothing(
    cast: Cast, processes: Processes, own_redis: OwnRedis
) -> None:
    address = {"REDIS_URL": own_redis.url}
    processes.engine(**address)
    processes.celery(**address)
    runs = [chain(cast, 4, seconds=0.05) for _ in range(10)]
    until(lambda: Attempt.objects.filter(state="SUCCEEDED").count() >= 4, what="it works")
    own_redis.client.flushall()
    own_redis.signal(signal.SIGSTOP)
    time.sleep(1)
    own_redis.signal(signal.SIGCONT)
    before = Attempt.objects.filter(state="SUCCEEDED").count()
    own_redis.kill()
    until(
        lambda: Attempt.objects.filter(state="SUCCEEDED").count() >= min(before + 4, 40),
        what="it goes on while Redis is away",
    )
    own_redis.start()
    until(lambda: left() == 0, seconds=90, what="all runs are done")
    tries = Attempt.objects.values_list("state", flat=True)
    assert list(tries) == ["SUCCEEDED"] * 4 * len(runs)
    assert ledger.verify() is None


def test_f5_without_redis_work_is_done_all_the_same(cast: Cast, processes: Processes) -> None:
    nowhere = {"REDIS_URL": "unix:///nowhere/redis.sock?db=0"}
    engine = processes.engine(**nowhere)
    processes.work(**nowhere)
    chain(cast, 3)
    until(lambda: left() == 0, what="done by polling")
    assert engine.poll() is None


def test_f6_pokes_doubled_old_and_unknown_have_no_effect(
    cast: Cast, processes: Processes, redis_database: redis.Redis
) -> None:
    worker = processes.unpolled()
    run = chain(cast, 2)
    app = Celery("poker", set_as_current=False)
    app.conf.broker_url = _broker(processes)
    pokes = [("cpu", 1), ("cpu", 10**9), ("gpu", -1), ("", 0), (), ("cpu", 1, "later", {"x": 1})]
    for _ in range(10):
        for arguments in pokes:
            app.send_task("poke", args=arguments, queue="cpu", ignore_result=True)
    until(lambda: left() == 0)
    until(lambda: redis_database.llen("cpu") == 0, what="every poke was taken")
    time.sleep(0.5)
    assert list(run.attempts.values_list("state", flat=True)) == ["SUCCEEDED"] * 2
    noise = [line for line in processes.said(worker).splitlines()
             if " ERROR" in line or "Traceback" in line]  # fmt: skip
    assert noise == []
    app.close()


def _broker(processes: Processes) -> str:
    address = processes.environment["REDIS_URL"]
    return address.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


def test_work_starts_when_it_is_queued_not_when_somebody_looks(
    cast: Cast, processes: Processes
) -> None:
    """With polling off: a decision, the relay, a poke, and the next step's child runs."""
    processes.engine()
    processes.unpolled()
    warm = chain(cast, 1)
    until(lambda: Run.objects.get(pk=warm.pk).state == "SUCCEEDED", what="all is up")
    waits = []
    for number in range(5):
        params = {"message": f"{time.monotonic()}"}
        run = f.run(
            cast,
            f.stage("one", "DE", gate=f.gate("DS"), steps=[f.step("a", params=params)]),
            f.stage("two", "DE", needs=["one"], steps=[f.step("b", params=params | {"rows": 1})]),
        )
        until(lambda run=run: f.states(run)["one"] == "IN_REVIEW", what=f"gate {number}")
        decided = time.monotonic()
        f.decide(cast.sofia, f.gate_of(run))
        until(lambda run=run: run.attempts.filter(operation="noop", number=1, step__key="b")
              .exclude(state="QUEUED").exists())  # fmt: skip
        waits.append(time.monotonic() - decided)
    assert sorted(waits)[2] < 1, waits


def test_connections_outlive_a_poke(cast: Cast, processes: Processes) -> None:
    """Celery closes the database connection after each message unless told otherwise."""
    processes.engine()
    processes.unpolled(BATON_WORKER_THREADS="1")

    def backends() -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )
            return {row[0] for row in cursor.fetchall()}

    def go(times: int) -> None:
        for _ in range(times):
            run = chain(cast, 1)
            until(lambda run=run: Run.objects.get(pk=run.pk).state == "SUCCEEDED")

    go(6)
    before = backends()
    go(6)
    assert backends() == before, json.dumps(sorted(before))
