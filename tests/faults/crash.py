"""A database of its own, killed between a claim and what follows; prints what was found, as JSON.

Needs Django set up as the tables' owner, and BATON_VAR naming an empty folder. PostgreSQL's writers
are put to sleep, so that what no commit waited for is still in memory when the server is killed.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import closing
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.db import OperationalError, connection

from pipelines import catalogue
from pipelines.runs import claims
from pipelines.runs.actions import attempts
from pipelines.runs.actions.settling import Fenced
from pipelines.runs.lanes import Stop
from pipelines.runs.models import Attempt
from pipelines.runs.performance import Performance
from pipelines.runs.worker import Worker
from portal import embedded
from portal.embedded import postgres
from tests.cast import Cast
from tests.domain import engine as f

OPERATIONS = ("noop", "once")


class Lane:
    """A lane by its number; nothing is computed here."""

    def __init__(self, number: int) -> None:
        self.number = number


def crash() -> None:
    """Kill the server as a power cut would, and start it again."""
    places = embedded.configured()
    pid = postgres._pid(postgres._recorded_data(places))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    connection.close()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            embedded.ensure_configured()
            connection.ensure_connection()
            return
        except (OperationalError, embedded.EmbeddedError):
            time.sleep(0.1)
    raise SystemExit("the server did not come back")


def run_of(cast: Cast, operation: str) -> Any:
    params = {"file": "/dev/null", "seconds": 0} if operation == "once" else {"message": operation}
    step = {"key": "work", "operation": operation, "params": params}
    return f.run(cast, f.stage("one", "BA", steps=[step]))


def claim(owner: UUID) -> claims.Claim:
    held = claims.claim(
        queues=["cpu"], operations=list(OPERATIONS), owner=owner, worker="test", lease=600
    )
    assert held is not None
    return held


def state(held: claims.Claim) -> str:
    return str(Attempt.objects.get(pk=held.id).state)


def settle(held: claims.Claim) -> str:
    """Complete, and return how that ended."""
    output = {"result": f.output("x")}
    try:
        attempts.complete(held=held, outputs=output, facts={}, usage={}, log="")
    except Fenced as error:
        return str(error.code)
    return "accepted"


def tell() -> None:
    """Print what was found."""
    found = play()
    connection.close()
    json.dump(found, sys.stdout)


def play() -> dict[str, object]:
    """Set up, crash twice, and tell."""
    catalogue.OPERATIONS["once"] = "tests.faults.operations.once"
    embedded.ensure_configured()
    call_command("migrate", interactive=False, verbosity=0)
    with closing(postgres._connect(embedded.configured(), "postgres")) as server:
        server.autocommit = True
        server.cursor().execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        server.cursor().execute("ALTER SYSTEM SET bgwriter_lru_maxpages = 0")
        server.cursor().execute("SELECT pg_reload_conf()")
    cast = Cast.make()
    told: dict[str, object] = {}
    worker = Worker(queues=("cpu",), lanes=0)
    first, second = worker.owner_of(Lane(1)), worker.owner_of(Lane(2))  # type: ignore[arg-type]

    # A claim that a crash undoes, and another lane of the same process that takes the attempt.
    run_of(cast, "noop")
    old = claim(first)
    told["before the crash"] = state(old)
    crash()
    told["an ordinary claim after it"] = state(old)
    new = claim(second)
    told["same attempt, same token"] = (old.id, old.token) == (new.id, new.token)
    told["heartbeat of the first lane"] = claims.heartbeat(old, lease=600)
    told["result of the first lane"] = settle(old)
    told["heartbeat of the second lane"] = claims.heartbeat(new, lease=600)
    told["result of the second lane"] = settle(new)

    return {**told, **_what_must_not_be_done_twice(cast, worker, first, second)}


def _what_must_not_be_done_twice(
    cast: Cast, worker: Worker, first: UUID, second: UUID
) -> dict[str, object]:
    """It begins only when its claim is on the disk."""
    told: dict[str, object] = {}
    run_of(cast, "once")
    held = claim(first)
    Performance(Lane(1), held, scratch=worker.scratch, stopping=threading.Event())._intend()  # type: ignore[arg-type]
    crash()
    told["an intended claim after it"] = state(held)
    again = claims.claim(
        queues=["cpu"], operations=list(OPERATIONS), owner=second, worker="test", lease=600
    )
    told["somebody else's claim"] = again is not None

    # And where the crash came before that, it does not begin at all.
    attempts.lose(attempt_id=held.id, error={"code": "worker_lost"}, token=held.token)
    run_of(cast, "once")
    held = claim(first)
    crash()
    try:
        Performance(Lane(1), held, scratch=worker.scratch, stopping=threading.Event())._intend()  # type: ignore[arg-type]
        told["intends after its claim was undone"] = "begins"
    except Stop as stop:
        told["intends after its claim was undone"] = stop.reason
    return told
