"""Engines missing, many or stuck; deaf workers; somebody else's long transaction. F20, F21, F23."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F

from personas.errors import Busy
from personas.models import BatonNow
from pipelines.runs.actions.limits import set_limit
from pipelines.runs.models import Attempt, Gate, Run, Step
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.processes import OwnRedis, Processes, until
from tests.faults.test_redis import chain, left
from tests.faults.test_workers import state

SHORT_TRANSACTIONS = "-c idle_in_transaction_session_timeout=2000"
pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.fixture
def other() -> Iterator[Any]:
    """A session of somebody else on the same database."""
    place = settings.DATABASES["default"]
    with closing(
        psycopg2.connect(
            host=place["HOST"], port=place["PORT"], user=settings.APPLICATION_ROLE,
            password=place.get("PASSWORD") or None, dbname=connection.settings_dict["NAME"],
        )
    ) as made:  # fmt: skip
        yield made


def overdue(cast: Cast, count: int) -> list[Run]:
    """Runs whose gate's time is over and whose other step waits for a try that is due."""
    made = []
    for number in range(count):
        params = {"message": f"{time.monotonic()}-{number}"}
        made.append(
            f.run(
                cast,
                f.stage("one", "DE", gate=f.gate("DS", expires="P1D", on_expire="hold"),
                        steps=[f.step("a", params=params)]),
                f.stage("two", "DE", steps=[f.step("b", params=params | {"rows": 1})]),
                f.stage("end", "DE", needs=["one", "two"]),
            )
        )  # fmt: skip
    for _ in range(2 * count):
        held = f.claim()
        if held.params.get("rows"):
            f.fail(held, retryable=True)
        else:
            f.settle(held)
    Gate.objects.filter(state="OPEN").update(expires_at=F("opened_at"))
    Step.objects.filter(state="RETRY_WAIT").update(retry_at=BatonNow())
    return made


def test_f20_with_no_engine_nothing_is_lost_and_three_catch_up_once(
    cast: Cast, processes: Processes
) -> None:
    made = overdue(cast, 6)
    time.sleep(0.5)
    assert Gate.objects.filter(state="OPEN").count() == 6
    for _ in range(3):
        processes.engine()
    processes.work()
    for run in made:
        until(
            lambda run=run: f.states(run) == {"one": "IN_REVIEW", "two": "DONE", "end": "PENDING"}
        )
        kinds = f.events(run)
        assert kinds.count("gate.expire") == 1
        ends = run.attempts.filter(step__key="b").order_by("number").values_list("state", flat=True)
        assert list(ends) == ["FAILED", "SUCCEEDED"]
        assert f.attention(run) == ["gate_expired"]


def test_f20_an_engine_that_is_stopped_holds_up_nobody(cast: Cast, processes: Processes) -> None:
    # If it is stopped amid a transaction, the others wait until PostgreSQL ends that: here soon.
    address = processes.environment["DATABASE_URL"]
    stuck = processes.engine(DATABASE_URL=f"{address}?options={quote(SHORT_TRANSACTIONS)}")
    overdue(cast, 1)
    until(lambda: not Step.objects.filter(state="RETRY_WAIT").exists(), what="it sweeps")
    stuck.send_signal(signal.SIGSTOP)
    f.perform()
    made = overdue(cast, 3)
    processes.engine()
    until(lambda: not Gate.objects.filter(state="OPEN").exists(), what="the other one acts")
    until(lambda: not Step.objects.filter(state="RETRY_WAIT").exists())
    stuck.send_signal(signal.SIGCONT)
    time.sleep(1)
    assert [f.events(run).count("gate.expire") for run in made] == [1, 1, 1]
    assert stuck.poll() is None


def test_f20_a_run_that_somebody_holds_keeps_no_other_from_its_time(
    cast: Cast, processes: Processes, other: Any
) -> None:
    made = overdue(cast, 3)
    with other.cursor() as cursor:
        cursor.execute("SELECT FROM runs_run WHERE id = %s FOR UPDATE", [made[0].pk])
        processes.engine()
        until(
            lambda: Gate.objects.filter(run__in=made[1:], state="EXPIRED").count() == 2,
            what="the others' time is over",
        )
        assert f.gate_of(made[0]).state == "OPEN"
    other.rollback()
    until(lambda: f.gate_of(made[0]).state == "EXPIRED", what="its own, once it is free")
    assert f.events(made[0]).count("gate.expire") == 1


def test_f21_what_a_deaf_worker_does_not_hear_others_take(
    cast: Cast, processes: Processes, own_redis: OwnRedis
) -> None:
    address = {"REDIS_URL": own_redis.url}
    processes.engine(**address)
    deaf = processes.unpolled(**address)
    warm = chain(cast, 1)
    until(lambda: state(warm) == "SUCCEEDED", what="it hears")
    own_redis.kill()
    run = chain(cast, 2)
    time.sleep(1)
    assert Attempt.objects.filter(run=run, state="QUEUED").count() == 1
    assert deaf.poll() is None
    processes.work(**address)
    until(lambda: state(run) == "SUCCEEDED", what="another looks for itself")


def test_f21_a_worker_whose_broker_socket_is_cut_hears_again(
    cast: Cast, processes: Processes, own_redis: OwnRedis
) -> None:
    address = {"REDIS_URL": own_redis.url}
    processes.engine(**address)
    processes.unpolled(**address)
    for _ in range(3):
        for client in own_redis.client.client_list():
            if client["id"] != str(own_redis.client.client_id()):
                own_redis.client.client_kill_filter(_id=client["id"])
        run = chain(cast, 1)
        until(lambda run=run: state(run) == "SUCCEEDED", what="poked, or poked again")


def test_f23_a_long_idle_transaction_holds_up_no_work(
    cast: Cast, processes: Processes, other: Any
) -> None:
    """It holds back vacuum, no lock; in `make chaos` it lasts for minutes."""
    with other.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM runs_attempt")
        processes.engine()
        processes.work()
        made = [chain(cast, 4) for _ in range(15)]
        until(lambda: state(made[0]) == "SUCCEEDED", what="the first one is done")
        until(lambda: left() == 0, what="60 steps")
    other.rollback()


def test_f23_who_meets_a_held_run_is_told_to_try_again(transactional_db: None, other: Any) -> None:
    cast = Cast.make()
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
    f.perform()
    gate = f.gate_of(run)
    with other.cursor() as cursor:
        cursor.execute("SELECT FROM runs_run WHERE id = %s FOR UPDATE", [run.pk])
        began = time.monotonic()
        with pytest.raises(Busy):
            f.decide(cast.sofia, gate)
        assert time.monotonic() - began < 4
    other.rollback()
    f.decide(cast.sofia, gate)
    assert f.gate_of(run).state == "APPROVED"


def test_the_application_keeps_no_transaction_open_for_more_than_half_a_minute(db: None) -> None:
    """I24: PostgreSQL itself ends a forgotten one."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone()[0] == "30s"


# --- limits --------------------------------------------------------------------------------------


def overlap(runs: list[Run]) -> int:
    """How many attempts ran at the same time at most, as their rows tell."""
    moments = []
    for began, ended in Attempt.objects.filter(run__in=runs).values_list(
        "started_at", "finished_at"
    ):
        moments += [(began, 1), (ended, -1)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


@pytest.mark.parametrize(
    ("kind", "key", "most"), [("queue", "cpu", 2), ("operation", "noop", 1), ("use_case", "*", 1)]
)
def test_limits_hold_over_all_workers(
    cast: Cast, processes: Processes, kind: str, key: str, most: int
) -> None:
    set_limit(actor=acting(cast.priya), kind=kind, key=key, at_most=most)
    use_case = f.use_case(cast)
    stamp = time.monotonic()
    made = []
    for number in range(8):
        step = f.step("a", params={"seconds": 0.2, "message": f"{stamp}-{number}"})
        made.append(f.run(cast, f.stage("one", "BA", steps=[step]), on=use_case))
    for _ in range(2):
        processes.work(BATON_WORKER_THREADS="3")
    until(lambda: left() == 0, what="all is done, a few at a time")
    assert overlap(made) <= most


def test_a_limit_is_never_overspent_by_claims_at_once(transactional_db: None) -> None:
    cast = Cast.make()
    set_limit(actor=acting(cast.priya), kind="queue", key="cpu", at_most=2)
    for number in range(8):
        f.run(cast, f.stage("one", "BA", steps=[f.step("a", params={"message": f"{number}"})]))
    barrier = threading.Barrier(8)

    def claim(_: int) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return f.maybe_claim()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        held = [one for one in pool.map(claim, range(8)) if one is not None]
    assert len(held) == Attempt.objects.filter(state="RUNNING").count() == 2
    f.settle(held[0])
    assert f.maybe_claim() is not None
    assert f.maybe_claim() is None
    # A lost worker's slot is free with its lease's end: nobody has to give it back.
    Attempt.objects.filter(pk=held[1].id).update(lease_until=BatonNow() - timedelta(seconds=1))
    f.attempts.lose(attempt_id=held[1].id, error={"code": "worker_lost"})
    assert f.maybe_claim() is not None


def test_an_attempt_that_waited_for_room_did_not_start_before_there_was_room(
    transactional_db: None, other: Any
) -> None:
    """The rows tell truly how many ran at once, also of a claim that waited for its turn."""
    cast = Cast.make()
    set_limit(actor=acting(cast.priya), kind="queue", key="cpu", at_most=1)
    for number in range(2):
        f.run(cast, f.stage("one", "BA", steps=[f.step("a", params={"message": f"{number}"})]))
    first = f.claim()

    def second() -> Any:
        try:
            return f.maybe_claim()
        finally:
            connection.close()

    with other.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT FROM runs_limit FOR UPDATE")
        waiting = pool.submit(second)
        until(blocked, what="the claim waits for its turn")
        f.settle(first)
        other.rollback()
        then = waiting.result(timeout=30)
    rows = {row.pk: row for row in Attempt.objects.all()}
    assert rows[then.id].started_at >= rows[first.id].finished_at


def blocked() -> bool:
    """Whether anybody waits for a lock that somebody else holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
