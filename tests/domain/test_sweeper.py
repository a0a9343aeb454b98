"""What time decides: who is poked again, and what pages hear of."""

import json
import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
import redis
from django.conf import settings

from personas.models import BatonNow
from pipelines.runs.models import Attempt
from pipelines.runs.relay import CHANGED, Relay
from pipelines.runs.sweeper import Sweeper
from tests.cast import Cast
from tests.domain import engine as f


def queued(cast: Cast, *, seconds: int) -> Attempt:
    """An attempt that was due so many seconds ago."""
    f.run(cast, f.stage("one", "DE"))
    attempt = Attempt.objects.get(state="QUEUED")
    age(attempt, seconds)
    return attempt


def age(attempt: Attempt, seconds: int) -> None:
    then = BatonNow() - timedelta(seconds=seconds)
    Attempt.objects.filter(pk=attempt.pk).update(due_at=then, created_at=then)


def sweeper(poked: list[tuple[str, int]], *, answers: bool = True) -> Sweeper:
    def poke(queue: str, hint: int) -> bool:
        poked.append((queue, hint))
        return answers

    return Sweeper(poke=poke, stopping=threading.Event())


@pytest.mark.parametrize(("seconds", "count"), [(8, 0), (12, 1)])
def test_what_nobody_claimed_is_poked_once_more(cast: Cast, seconds: int, count: int) -> None:
    attempt = queued(cast, seconds=seconds)
    poked: list[tuple[str, int]] = []
    one = sweeper(poked)
    assert one.repoke() == count
    assert one.repoke() == 0  # not again within the minute
    assert poked == [(attempt.queue, attempt.pk)] * count


def test_a_poke_that_failed_is_tried_again(cast: Cast) -> None:
    queued(cast, seconds=20)
    poked: list[tuple[str, int]] = []
    one = sweeper(poked, answers=False)
    assert (one.repoke(), one.repoke()) == (1, 1)
    assert len(poked) == 2


def told(seen: redis.client.PubSub) -> Sequence[str]:
    message = seen.get_message(ignore_subscribe_messages=True, timeout=1.0)
    return json.loads(message["data"]) if message else []


def test_pages_hear_of_a_stream_once_however_often_it_changed(redis_database: redis.Redis) -> None:
    seen = redis.Redis.from_url(settings.REDIS_URL).pubsub()
    seen.subscribe(CHANGED)
    seen.get_message(timeout=1.0)
    relay = Relay(on_outbox=lambda: None, stopping=threading.Event())
    relay._publish([("baton_changed", "run:1:1")])
    relay._tell_pages()
    relay._publish([("baton_changed", name) for name in ("run:1:2", "run:2:1", "run:1:2")])
    relay._tell_pages()  # too soon: kept for the next time
    assert told(seen) == ["run:1:1"]
    relay.hint_at = 0.0
    relay._tell_pages()
    assert told(seen) == ["run:1:2", "run:2:1"]
    seen.close()
