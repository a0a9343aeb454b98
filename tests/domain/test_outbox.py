"""An outbox row that nobody can deliver is kept, tried eight times, then told of."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from personas.models import BatonNow, Outbox
from pipelines.runs import outbox
from pipelines.runs.health import figures
from tests.cast import Cast
from tests.domain import engine as f

TRIED: list[int] = []


def broken(row: Outbox) -> None:
    """Take nothing."""
    TRIED.append(row.pk)
    raise ConnectionError("the chat server is away")


def taking(row: Outbox) -> None:
    """Take everything."""
    TRIED.append(row.pk)


@pytest.fixture
def rows(cast: Cast, settings: Any) -> Any:
    """One row to deliver, to a consumer that fails."""
    TRIED.clear()
    f.run(cast, f.stage("one", "BA", items=[f.form("note")]))
    first = Outbox.objects.earliest("id")
    Outbox.objects.exclude(pk=first.pk).update(sent_at=BatonNow())
    settings.OUTBOX_CONSUMERS = [f"{__name__}.broken"]
    outbox.consumers.cache_clear()
    yield Outbox.objects.filter(pk=first.pk)
    outbox.consumers.cache_clear()


def let_time_pass(rows: Any) -> None:
    rows.update(due_at=BatonNow())


def test_it_is_tried_eight_times_and_then_a_dead_letter(
    cast: Cast, rows: Any, client: Client
) -> None:
    for tries in range(1, 9):
        let_time_pass(rows)
        assert outbox.deliver() == 1
        row = rows.get()
        assert (row.tries, row.sent_at) == (tries, None)
        assert (row.dead_at is not None) == (tries == 8)
        assert outbox.deliver() == 0, "it waits between two tries"
    assert "the chat server is away" in rows.get().error
    let_time_pass(rows)
    assert (outbox.deliver(), len(TRIED)) == (0, 8)
    assert (figures().outbox_dead, figures().outbox_open) == (1, 0)
    assert "baton_engine_outbox_dead 1.0" in client.get("/metrics").content.decode()
    client.force_login(cast.priya)
    page = client.get("/console/").content.decode()
    assert "Dead letters" in page
    assert "could not be delivered in eight tries" in page


def test_each_try_waits_longer(rows: Any) -> None:
    waits = []
    for _ in range(3):
        let_time_pass(rows)
        outbox.deliver()
        row = rows.annotate(wait=F("due_at") - BatonNow()).get()
        waits.append(row.wait)
    assert waits == sorted(waits)
    assert waits[0] > timedelta(seconds=10)


def test_one_rows_failure_keeps_no_other_back(rows: Any, settings: Any) -> None:
    let_time_pass(rows)
    outbox.deliver()
    settings.OUTBOX_CONSUMERS = [f"{__name__}.taking"]
    outbox.consumers.cache_clear()
    let_time_pass(rows)
    assert outbox.deliver() == 1
    assert rows.get().sent_at is not None
