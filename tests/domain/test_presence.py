"""Workers that say what they offer, and what people read while nobody offers it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from personas.models import BatonNow
from pipelines import catalogue
from pipelines.operations.contract import MEMORY_FROM, QUEUES
from pipelines.runs import claims, presence
from pipelines.runs.models import Attempt, Run, WorkerPresence
from pipelines.runs.worker import Worker
from tests.cast import Cast
from tests.domain import engine as f

pytestmark = pytest.mark.django_db


def offer(*queues: str, operations: tuple[str, ...] = ("noop",)) -> None:
    """Somebody is alive."""
    presence.beat(incarnation=uuid4(), name="test", queues=queues, operations=operations, lanes=1)


def waiting(cast: Cast, queue: str) -> Run:
    """A run whose step waits in that queue."""
    run = f.run(cast, f.stage("one", "BA", steps=[f.step("a")]))
    Attempt.objects.filter(run=run).update(queue=queue)
    return run


def take(*queues: str) -> claims.Claim | None:
    return claims.claim(queues=queues, operations=["noop"], owner=uuid4(), worker="test", lease=60)


def test_each_takes_only_what_it_offers(cast: Cast) -> None:
    runs = {queue: waiting(cast, queue) for queue in QUEUES}
    assert take("gpu", "memory") is not None
    held = take("gpu", "memory")
    assert held is not None
    assert take("gpu", "memory") is None
    assert f.attempt_of(runs["cpu"], "a").state == "QUEUED"
    assert claims.waiting(queues=["cpu"], operations=["noop"])
    assert not claims.waiting(queues=["gpu"], operations=["noop"])


def test_it_says_what_nobody_offers_or_knows() -> None:
    assert presence.alive().lacks("cpu") == "no worker offers cpu"
    offer("cpu", "memory", operations=("noop", "ingest"))
    offer("gpu", operations=("draw",))
    found = presence.alive()
    assert found.queues == {"cpu", "memory", "gpu"}
    assert (found.lacks("cpu", "noop"), found.lacks("gpu", "draw")) == ("", "")
    assert found.lacks("gpu", "noop") == "no worker that offers gpu knows noop"


def test_who_left_or_fell_silent_offers_nothing() -> None:
    offer("cpu")
    offer("gpu")
    silent = WorkerPresence.objects.filter(queues=["gpu"])
    silent.update(alive_until=BatonNow() - timedelta(seconds=1))
    assert presence.alive().queues == {"cpu"}
    presence.leave(WorkerPresence.objects.get(queues=["cpu"]).incarnation)
    assert presence.alive().queues == frozenset()
    WorkerPresence.objects.update(seen_at=BatonNow() - timedelta(days=2))
    offer("memory")
    assert WorkerPresence.objects.count() == 1  # nobody needs to know of last week's


def test_a_beat_keeps_one_row_a_start() -> None:
    worker = Worker(queues=("cpu",), lanes=0)
    worker.announce()
    first = WorkerPresence.objects.get()
    worker.announce()
    again = WorkerPresence.objects.get()
    assert (again.began_at, again.queues) == (first.began_at, ["cpu"])
    assert again.seen_at >= first.seen_at
    assert "retrain_clean" not in again.operations  # needs much memory


def test_pages_and_api_say_it(client: Client, cast: Cast) -> None:
    run = waiting(cast, "gpu")
    offer("cpu")
    client.force_login(cast.priya)
    cast.priya.is_staff = True
    cast.priya.save()
    assert "no worker offers gpu" in client.get(f"/runs/{run.pk}/").content.decode()
    assert "no worker offers gpu" in client.get("/console/").content.decode()
    api = APIClient()
    api.force_login(cast.priya)
    (told,) = api.get(f"/api/v1/runs/{run.pk}/attempts").json()["results"]
    assert (told["queue"], told["waits_for"]) == ("gpu", "no worker offers gpu")
    one = api.get(f"/api/v1/attempts/{told['id']}").json()
    assert one["waits_for"] == "no worker offers gpu"
    offer("gpu")
    assert "no worker offers" not in client.get(f"/runs/{run.pk}/").content.decode()
    (told,) = api.get(f"/api/v1/runs/{run.pk}/attempts").json()["results"]
    assert told["waits_for"] == ""


def test_many_attempts_ask_once(cast: Cast, django_assert_num_queries: object) -> None:
    steps = [f.step(key, params={"message": key}) for key in ("a", "b", "c")]
    run = f.run(cast, f.stage("one", "BA", steps=steps))
    api = APIClient()
    api.force_login(cast.priya)
    api.get(f"/api/v1/runs/{run.pk}/attempts")
    with django_assert_num_queries(5):  # type: ignore[operator]
        assert len(api.get(f"/api/v1/runs/{run.pk}/attempts").json()["results"]) == 3


def test_every_operation_needs_something_known() -> None:
    wrong = {}
    for name in catalogue.OPERATIONS:
        spec = catalogue.spec(name)
        heavy = spec.max_memory > MEMORY_FROM
        if spec.queue not in QUEUES or heavy != (spec.queue == "memory"):
            wrong[name] = (spec.queue, spec.max_memory)
    assert wrong == {}
