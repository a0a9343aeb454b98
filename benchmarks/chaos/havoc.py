"""Havoc: kills and stops the processes of one Baton at random, and writes down what and when."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

import psutil
import psycopg2
import redis
from django.conf import settings

from benchmarks.served import FOLDER, ROOT
from portal import embedded
from portal.embedded import postgres


@dataclass
class Blow:
    """One fault: when (seconds since the epoch), which, and to whom."""

    at: float
    fault: str
    target: str


@dataclass
class Havoc:
    """Picks victims among the processes that belong to the folder."""

    seed: int
    lease: float
    only: tuple[str, ...] = ()
    blows: list[Blow] = field(default_factory=list)
    stopped: list[psutil.Process] = field(default_factory=list)
    timers: list[threading.Timer] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)  # there was nobody to strike

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.faults: dict[str, tuple[Callable[[], str], int]] = {
            "worker killed": (lambda: self._signal("worker", signal.SIGKILL), 4),
            "worker stopped": (lambda: self._pause("worker", 1.5 * self.lease), 3),
            "worker replaced": (lambda: self._signal("worker", signal.SIGTERM), 3),
            "child killed": (lambda: self._signal("child", signal.SIGKILL), 5),
            "engine killed": (lambda: self._signal("engine", signal.SIGKILL), 4),
            "engine stopped": (lambda: self._pause("engine", 5), 2),
            "web killed": (lambda: self._signal("web", signal.SIGKILL), 3),
            "redis killed": (lambda: self._signal("redis", signal.SIGKILL), 3),
            "redis flushed": (self._flush, 2),
            "postgres killed": (lambda: self._postgres(signal.SIGQUIT), 2),
            "long transaction": (self._long_transaction, 1),
        }

    def run(self, stopping: threading.Event) -> None:
        """Strike every few seconds until told to stop; then let all that is stopped go on."""
        names = [name for name in self.faults if not self.only or name in self.only]
        weights = [self.faults[name][1] for name in names]
        while not stopping.wait(self.dice.uniform(2, 7)):
            name = self.dice.choices(names, weights)[0]
            with suppress(psutil.Error, ProcessLookupError, redis.RedisError, psycopg2.Error):
                target = self.faults[name][0]()
                if target:
                    self.blows.append(Blow(time.time(), name, target))
                else:
                    self.missed[name] += 1
        for timer in self.timers:
            timer.cancel()
        for process in self.stopped:
            with suppress(psutil.Error):
                process.resume()

    def victims(self, kind: str) -> list[psutil.Process]:
        """The processes of a kind: worker, child, engine, web or redis."""
        words = {
            "worker": ("celery",),
            "child": ("pipelines.runs.child",),
            "engine": ("manage.py", "engine"),
            "web": ("portal.asgi:application",),
            # It writes its title over its environment; the title names its socket.
            "redis": ("valkey-server", str(FOLDER)),
        }[kind]
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if (
                    all(word in line for word in words)
                    and (kind == "redis" or process.environ().get("BATON_VAR") == str(FOLDER))
                    and process.status() != psutil.STATUS_ZOMBIE
                    and (kind in ("child", "redis") or os.getpgid(process.pid) == process.pid)
                ):
                    found.append(process)
        return found

    def _signal(self, kind: str, number: int) -> str:
        found = self.victims(kind)
        if not found:
            return ""
        victim = self.dice.choice(found)
        victim.send_signal(number)
        return f"{kind} {victim.pid}"

    def _pause(self, kind: str, seconds: float) -> str:
        found = self.victims(kind)
        if not found:
            return ""
        victim = self.dice.choice(found)
        victim.suspend()
        self.stopped.append(victim)
        self._later(seconds, victim.resume)
        return f"{kind} {victim.pid} for {seconds:.0f} s"

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        def quietly() -> None:
            with suppress(psutil.Error, psycopg2.Error):
                act()

        timer = threading.Timer(seconds, quietly)
        timer.daemon = True
        self.timers.append(timer)
        timer.start()

    def _flush(self) -> str:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
            client.flushall()
        return "redis"

    def _postgres(self, number: int) -> str:
        data = postgres._recorded_data(embedded.configured())
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, number)
        return f"postgres {pid}"

    def _long_transaction(self) -> str:
        """Somebody else's look at the database that takes a while: it holds back vacuum."""
        place = settings.DATABASES["default"]
        connection = psycopg2.connect(
            host=str(place["HOST"]), port=str(place["PORT"]), user=str(place["USER"]),
            dbname=str(place["NAME"]),
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM runs_attempt")
        seconds = self.dice.choice((20, 60))

        def end() -> None:
            with closing(connection):
                connection.rollback()

        self._later(seconds, end)
        return f"for {seconds} s"


class Replicas:
    """A second engine and a second worker beside those of `up`, started again when they end."""

    NAMES = ("engine", "worker")

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def tend(self) -> None:
        """Start what does not run."""
        for name in self.NAMES:
            process = self.running.get(name)
            if process is None or process.poll() is not None:
                with (FOLDER / f"{name}-2.log").open("ab") as log:
                    self.running[name] = subprocess.Popen(
                        [sys.executable, "manage.py", "process", name],
                        cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
                    )  # fmt: skip

    def run(self, stopping: threading.Event) -> None:
        """Tend them until told to stop."""
        while not stopping.wait(0.5):
            self.tend()

    def stop(self) -> None:
        """Ask them to leave, and kill who does not."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
