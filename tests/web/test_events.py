"""Live pages: who is told of which stream, and that a hint arrives."""

import asyncio
import json
from collections.abc import Iterable

import pytest
import redis
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from personas.models import User
from pipelines.runs.models import Run
from portal.web import events
from portal.web.events import CHANGED, CHANNEL, CLOSE, Hub, Listener, Scope, _authorise
from tests import factories
from tests.cast import Cast

NOWHERE = frozenset[int]()


def scope_of(user: User | AnonymousUser, streams: Iterable[str]) -> Scope | None:
    request = RequestFactory().get("/events/")
    request.user = user
    return _authorise(request, list(streams))


@pytest.fixture(autouse=True)
def _keep_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events.connections, "close_all", lambda: None)


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast, start=False)


def test_streams_are_told_to_who_may_see_them(cast: Cast, run: Run) -> None:
    asked = [f"run:{run.pk}", f"use_case:{run.use_case_id}", "run:999999", "person:1", "run:x"]
    seen = scope_of(cast.sofia, asked)
    assert seen is not None
    assert seen.streams == {f"run:{run.pk}", f"use_case:{run.use_case_id}"}
    assert not seen.mine
    assert scope_of(cast.noor, asked) is None
    assert scope_of(AnonymousUser(), asked) is None


def test_all_of_mine_is_the_use_cases_i_see(cast: Cast, run: Run) -> None:
    mine = scope_of(cast.sofia, ["me"])
    assert mine is not None
    assert mine.use_cases == {run.use_case_id}
    strange = scope_of(cast.noor, ["me"])
    assert strange is not None
    assert strange.use_cases == NOWHERE
    cast.iris.capabilities = ["read_all"]
    everything = scope_of(cast.iris, ["me"])
    assert everything is not None
    assert everything.use_cases is None


def test_what_changed_while_the_page_was_on_its_way_is_told(cast: Cast, run: Run) -> None:
    seen = scope_of(cast.sofia, [f"run:{run.pk}"])
    assert seen is not None
    assert seen.lately


def told(hub: Hub, listener: Listener, *hints: str) -> list[str]:
    async def tell() -> list[str]:
        hub.listeners = {listener}
        await hub.tell(hints)
        return [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]

    return asyncio.run(tell())


def hub() -> Hub:
    made = Hub()
    made.use_case_of = {3: 7, 4: 8}
    return made


def test_a_listener_is_told_of_its_own_streams_only() -> None:
    listener = Listener(Scope(frozenset({"run:3"})))
    assert told(hub(), listener, "run:3:17") == [CHANGED]
    assert told(hub(), listener, "run:4:9", "use_case:7:2", "person:3:1") == []


def test_who_follows_all_is_told_of_their_use_cases_runs() -> None:
    listener = Listener(Scope(mine=True, use_cases=frozenset({7})))
    assert told(hub(), listener, "run:3:17") == [CHANGED]
    assert told(hub(), listener, "run:4:9") == []
    assert told(hub(), listener, "use_case:7:9") == [CHANGED]


def test_who_may_have_got_a_seat_comes_again() -> None:
    listener = Listener(Scope(mine=True, use_cases=frozenset({7})))
    assert told(hub(), listener, "use_case:8:9") == [CLOSE]


def test_a_browser_that_does_not_read_costs_no_memory() -> None:
    listener = Listener(Scope(frozenset({"run:3"})))
    for _ in range(events.WAITING_HINTS + 50):
        listener.put(CHANGED)
    assert listener.queue.qsize() == events.WAITING_HINTS


def test_a_hint_comes_from_redis_to_the_stream(redis_database: redis.Redis) -> None:
    async def first_hint() -> tuple[str, str]:
        stream = events._stream(Scope(frozenset({"run:3"})))
        opening = await anext(stream)
        await anext(stream)  # the subscription stands: what was said before may be lost
        redis_database.publish(CHANNEL, json.dumps(["run:3:17"]))
        hint = await asyncio.wait_for(anext(stream), 5)
        await stream.aclose()
        return opening, hint

    opening, hint = asyncio.run(first_hint())
    assert opening.startswith("retry:")
    assert hint == CHANGED
    assert all(not hub.listeners for hub in events._HUBS.values())
