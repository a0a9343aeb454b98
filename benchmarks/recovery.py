"""How soon Baton notices a loss, with production settings; and how much memory its processes hold.

    python -m benchmarks.recovery

A worker killed at work: until its attempt is given up and done again. Redis killed: until work is
poked again. PostgreSQL killed: until a step is done again. Memory is proportional set size (PSS,
shared pages divided among those who share them) when idle, after a few hundred steps, in MiB.
"""

import itertools
import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime

import psutil
from django.db import DatabaseError, InterfaceError, close_old_connections

from benchmarks.chaos.havoc import Havoc
from benchmarks.served import Person, publish, report, served, until, use_case
from pipelines.blueprints.shipped import shipped_text
from pipelines.runs.actions import runs
from pipelines.runs.models import Attempt, Run
from pipelines.usecases.models import BlueprintVersion, UseCase

SEEDS = itertools.count(time.time_ns() % 10**9)
KINDS = ("web", "engine", "worker", "child")
BARS = {"web": 150, "engine": 120, "worker": 120, "child": 250}


def slow(seconds: float) -> dict[str, object]:
    """One step that sleeps."""
    key = f"slow-{time.time_ns()}"
    step = {"key": "a", "operation": "noop", "params": {"seconds": seconds}}
    return {
        "key": key, "title": key, "kind": "main",
        "stages": [{"key": "one", "title": "One", "persona": "MLE", "steps": [step]}],
    }  # fmt: skip


def patiently(ask: object) -> object:
    """What it answers; None while the database is away."""
    try:
        return ask()  # type: ignore[operator]
    except (DatabaseError, InterfaceError):
        close_old_connections()
        return None


def start(lena: Person, place: UseCase, version: BlueprintVersion) -> int:
    """Start a run; returns its id."""
    made: int = runs.create(
        actor=lena.actor, use_case=place, version=version, seed=next(SEEDS)
    ).data["run"]
    return made


def lost_worker(lena: Person, place: UseCase, havoc: Havoc) -> None:
    """Kill the worker at work, with its child."""
    version = publish(slow(20))
    run = start(lena, place, version)
    attempts = Attempt.objects.filter(run=run)
    until(lambda: attempts.filter(state="RUNNING").exists(), every=0.05)
    time.sleep(2)
    for kind in ("worker", "child"):
        for process in havoc.victims(kind):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
    began = time.monotonic()
    until(lambda: attempts.filter(state="LOST").exists(), seconds=120, every=0.1)
    noticed = time.monotonic() - began
    until(lambda: Run.objects.get(pk=run).state == "SUCCEEDED", seconds=120, every=0.1)
    report(
        "recovery", "worker killed at work", noticed_after_s=round(noticed, 1), bar_noticed_s=75,
        done_after_s=round(time.monotonic() - began, 1),
    )  # fmt: skip


def redis_back(lena: Person, place: UseCase, version: BlueprintVersion, havoc: Havoc) -> None:
    """Kill Redis; it is started again by the supervisor."""
    for process in havoc.victims("redis"):
        process.send_signal(signal.SIGKILL)
    began = time.monotonic()
    run = start(lena, place, version)
    until(lambda: Run.objects.get(pk=run).state == "SUCCEEDED", seconds=60, every=0.02)
    without = time.monotonic() - began
    until(lambda: havoc.victims("redis"), seconds=60, every=0.02)
    back = time.monotonic()
    queued = start(lena, place, publish(slow(0.0)))
    rows = Attempt.objects.filter(run=queued)
    until(lambda: Run.objects.get(pk=queued).state == "SUCCEEDED", seconds=60, every=0.02)
    report(
        "recovery", "redis killed", six_steps_meanwhile_s=round(without, 2),
        next_work_done_after_return_s=round(time.monotonic() - back, 2), bar_repoked_s=30,
        poked=rows.exclude(poked_at=None).exists(),
    )  # fmt: skip


def postgres_back(lena: Person, place: UseCase, version: BlueprintVersion, havoc: Havoc) -> None:
    """Crash PostgreSQL under load: until it answers, and from then until a step is done.

    This process runs on the same machine, so its clock is the database's.
    """
    made = [start(lena, place, version) for _ in range(20)]
    killed = datetime.now(UTC)
    havoc._postgres(signal.SIGQUIT)
    began = time.monotonic()
    until(lambda: patiently(Run.objects.exists) is None, seconds=60, every=0.005)
    until(lambda: patiently(Run.objects.exists), seconds=60, every=0.02)
    back = time.monotonic()
    ends = Attempt.objects.filter(run__in=made, state="SUCCEEDED", finished_at__gt=killed)
    until(lambda: patiently(ends.exists), seconds=60, every=0.02)
    working = time.monotonic()
    left = Run.objects.filter(pk__in=made).exclude(state="SUCCEEDED")
    until(lambda: patiently(left.exists) is False, seconds=120, every=0.1)
    report(
        "recovery", "postgresql killed under load", away_s=round(back - began, 2),
        working_after_return_s=round(working - back, 2), bar_working_s=10,
        all_done_after_s=round(time.monotonic() - began, 1),
    )  # fmt: skip


def pss(process: psutil.Process) -> int:
    """Proportional set size in MiB, with all processes below; a worker's children are apart."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            if one == process or "pipelines.runs.child" not in " ".join(one.cmdline()):
                total += one.memory_full_info().pss
    return int(total >> 20)


def memory(havoc: Havoc) -> None:
    """What each kind holds now, the largest of its processes."""
    found = {kind: max(map(pss, havoc.victims(kind)), default=0) for kind in KINDS}
    report("recovery", "memory (PSS), MiB", **found, bars=BARS)


def main() -> None:
    """Measure and print."""
    os.environ.pop("BATON_LEASE_SECONDS", None)
    with served():
        havoc = Havoc(1, 60)
        lena = Person("lena", "MLE")
        place = use_case(lena, [])
        version = publish(shipped_text("sequence"))
        memory(havoc)
        for _ in range(50):
            start(lena, place, version)
        left = Run.objects.filter(use_case=place).exclude(state="SUCCEEDED")
        until(lambda: not left.exists(), every=0.1)
        memory(havoc)
        redis_back(lena, place, version, havoc)
        postgres_back(lena, place, version, havoc)
        lost_worker(lena, place, havoc)


if __name__ == "__main__":
    main()
