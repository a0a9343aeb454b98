"""Who waited for a lock writes no earlier time than who held it: a rule on times along a run."""

import threading
from itertools import pairwise
from typing import Any

import pytest

from personas.commands import Command, execute
from personas.models import Event
from pipelines.runs.actions.locks import run_of
from pipelines.runs.models import Run
from tests.cast import acting
from tests.domain import engine as f
from tests.faults.test_decisions_at_once import Cast, ThreadPoolExecutor, at_once, cast, pool

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
__all__ = ["cast", "pool"]


def note(command: Command, run: Run) -> dict[str, object]:
    command.recorder.record(run.stream, "noted", subject=("run", run.pk))
    return {"at": command.now.isoformat()}


def test_who_began_first_and_came_second_writes_the_later_time(
    cast: Cast, pool: ThreadPoolExecutor
) -> None:
    run = f.run(cast, f.stage("one", "BA", items=[f.form("note")]))
    begun, done = threading.Event(), threading.Event()

    def slow() -> Any:
        """Its clock is read; then somebody else is quicker at the lock."""

        def lock() -> Run:
            begun.set()
            assert done.wait(timeout=30)
            return run_of(run.pk)

        return execute(actor=acting(cast.amara), name="slow", lock=lock, body=note)

    def quick() -> Any:
        assert begun.wait(timeout=30)
        made = execute(
            actor=acting(cast.priya), name="quick", lock=lambda: run_of(run.pk), body=note
        )
        done.set()
        return made

    at_once(pool, [slow, quick])
    first, second = f.events_of(run)[-2:]
    assert (first.actor, second.actor) == (cast.priya, cast.amara)
    assert first.at <= second.at
    assert Run.objects.get(pk=run.pk).moved_at == second.at


def test_times_never_go_back_along_a_run_under_a_crowd(
    cast: Cast, pool: ThreadPoolExecutor
) -> None:
    run = f.run(cast, f.stage("one", "BA", items=[f.form("note")]))

    def shout() -> Any:
        for _ in range(20):
            execute(actor=acting(cast.amara), name="n", lock=lambda: run_of(run.pk), body=note)

    at_once(pool, [shout] * 8)
    events = Event.objects.filter(stream__kind="run", stream__key=str(run.pk)).order_by("seq")
    times = list(events.values_list("at", flat=True))
    assert len(times) > 160
    assert all(before <= after for before, after in pairwise(times))
