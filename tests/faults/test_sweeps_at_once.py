"""Several engines sweep in the same instant, each on a connection of its own (part of F20)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from personas.models import Clock, Outbox
from pipelines.runs.actions import help as requests
from pipelines.runs.actions import item_moves, items
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.queries.clock import now
from pipelines.runs.sweeper import Sweeper
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.test_decisions_at_once import at_once

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
ENGINES = 4


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The people, committed."""
    return Cast.make()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that close their connections, or the database could not be emptied."""
    with ThreadPoolExecutor(max_workers=ENGINES) as made:
        yield made


def sweep() -> None:
    Sweeper(poke=lambda queue, hint: True, stopping=threading.Event()).sweep()


def later(**length: float) -> None:
    clock, _ = Clock.objects.get_or_create(
        id=1, defaults={"offset": timedelta(0), "simulation": True}
    )
    Clock.objects.filter(pk=1).update(offset=clock.offset + timedelta(**length))


def told(run: Run) -> list[tuple[str, int, int]]:
    found = [event for event in f.events_of(run) if event.type == "deadline.reminded"]
    return [(e.subject, e.subject_id or 0, e.data["percent"]) for e in found]


def test_every_threshold_is_told_once_by_all_engines_together(
    cast: Cast, pool: ThreadPoolExecutor
) -> None:
    forms = [f.form("one"), f.form("two")]
    made = [f.run(cast, f.stage("s", "DE", target="PT10H", items=forms)) for _ in range(3)]
    later(hours=11)
    at_once(pool, [sweep] * ENGINES)
    sweep()
    for run in made:
        found = told(run)
        assert len(found) == len(set(found)) == 9  # a stage and two items, three thresholds each
        assert f.events(run).count("work_item.escalate") == 2
    assert Outbox.objects.filter(topic="deadline.reminded").count() == 27


def test_a_day_wakes_an_item_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    run = f.run(cast, f.stage("look", "DS", items=[f.form("brief")]))
    item = f.item_of(run, "brief")
    items.claim(actor=acting(cast.sofia), item=item)
    tomorrow = (now() + timedelta(days=1)).date()
    item_moves.hold(actor=acting(cast.sofia), item=item, follow_up=tomorrow)
    later(days=1)
    at_once(pool, [sweep] * ENGINES)
    assert f.events(run).count("work_item.resume") == 1


def test_two_helpers_accept_one_request(cast: Cast, pool: ThreadPoolExecutor) -> None:
    run = f.run(cast, f.stage("build", "SWE", items=[f.form("note")]), by=cast.tomas)
    answer = requests.ask(
        actor=acting(cast.tomas), stage=f.stage_of(run, "build"), persona="DS", question="Why?"
    )
    item = WorkItem.objects.get(pk=answer.data["item"])
    answers = at_once(
        pool,
        [
            lambda user=user: items.claim(actor=acting(user), item=item)
            for user in (cast.sofia, cast.noor)
        ],
    )
    codes = sorted(getattr(one, "code", "taken") for one in answers)
    assert codes == ["claimed_by_other", "taken"]
