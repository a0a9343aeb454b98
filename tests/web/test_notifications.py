"""The page of notifications, the badge, the settings, and the same over REST."""

import asyncio
import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from personas.models import BatonNow, Event, User
from pipelines.notifications import kinds, queries
from pipelines.notifications.models import Notification, Preferences
from pipelines.runs import outbox
from pipelines.runs.models import Run
from portal.web.events import NEWS, Hub, Listener, Scope
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202eevil"


@pytest.fixture
def run(cast: Cast) -> Run:
    """A run at its gate, of which everybody was told."""
    made = factories.hello_run(cast)
    factories.to_gate(cast, made)
    while outbox.deliver():
        pass
    return made


def more(user: User, run: Run, count: int, **fields: Any) -> None:
    """Notifications of further events."""
    events = Event.objects.exclude(
        pk__in=Notification.objects.filter(user=user).values("event")
    ).order_by("id")[:count]
    rows = [
        Notification(
            user=user, event=event, kind="given", use_case=run.use_case, noun="run",
            noun_id=str(run.pk), data={"by": "Ann", "thing": HOSTILE, "run": run.label},
            created_at=event.at, **fields,
        )
        for event in events
    ]  # fmt: skip
    Notification.objects.bulk_create(rows)


def test_the_page_shows_and_marks_nothing(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    before = queries.unread(cast.sofia)
    assert before > 0
    page = client.get("/notifications/").content.decode()
    assert "Decide on Prepare" in page
    assert f'href="/gates/{run.gates.get().pk}/"' in page
    assert queries.unread(cast.sofia) == before
    assert client.get("/notifications/count").content.decode() == str(before)
    assert client.get("/notifications/read").status_code == 405
    assert queries.unread(cast.sofia) == before


def test_one_or_all_are_marked_by_a_button(client: Client, cast: Cast, run: Run) -> None:
    more(cast.sofia, run, 3)
    client.force_login(cast.sofia)
    first, newest = (Notification.objects.filter(user=cast.sofia).order_by(o)[0].pk
                     for o in ("id", "-id"))  # fmt: skip
    form = {"idempotency_key": str(uuid.uuid4()), "next": "/notifications/"}
    before = queries.unread(cast.sofia)
    assert client.post("/notifications/read", {**form, "id": first}).status_code == 302
    assert queries.unread(cast.sofia) == before - 1
    form["idempotency_key"] = str(uuid.uuid4())
    client.post("/notifications/read", {**form, "until": newest - 1})
    assert queries.unread(cast.sofia) == 1, "what came after the page was shown stays new"
    assert client.post("/notifications/read", {}).status_code == 422


def test_filters_and_odd_input(client: Client, cast: Cast, run: Run) -> None:
    more(cast.sofia, run, 2, read_at=BatonNow())
    client.force_login(cast.sofia)
    page = client.get("/notifications/", {"show": "read"}).content.decode()
    assert "Ann gave you" in page
    assert "Decide on" not in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    page = client.get("/notifications/", {"kind": "decide"}).content.decode()
    assert "Ann gave you" not in page
    for odd in ({"show": "x"}, {"kind": "<b>"}, {"show": "new", "before": "9" * 40}):
        assert client.get("/notifications/", odd).status_code == 200


def test_strangers_see_nothing(client: Client, cast: Cast, run: Run) -> None:
    assert client.get("/notifications/").status_code == 302
    more(cast.iris, run, 1)  # told once, before she lost her seat
    client.force_login(cast.iris)
    page = client.get("/notifications/").content.decode()
    assert run.use_case.title not in page
    assert client.get("/notifications/count").content.decode() == "0"
    assert client.get("/api/v1/notifications").json()["results"] == []


@pytest.mark.parametrize("count", [1, 30])
def test_few_and_many_cost_the_same(
    client: Client, cast: Cast, run: Run, count: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    more(cast.sofia, run, count)
    client.force_login(cast.sofia)
    client.get("/notifications/")
    with django_assert_max_num_queries(7):
        client.get("/notifications/")
    with django_assert_max_num_queries(3):
        client.get("/notifications/count")


def test_pages_of_a_hundred(cast: Cast, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    more(cast.sofia, run, 3)
    whole = Notification.objects.filter(user=cast.sofia, read_at=None).count()
    seen, before = 0, None
    while True:
        part = queries.part(cast.sofia, "new", before=before)
        seen, before = seen + part.count, part.older
        if before is None:
            break
    assert seen == whole


def test_days_are_the_readers(cast: Cast, run: Run) -> None:
    cast.sofia.time_zone = "Pacific/Kiritimati"  # 14 hours before UTC
    Notification.objects.filter(user=cast.sofia).update(created_at="2027-01-10T11:00Z")
    [day] = queries.part(cast.sofia, "new").days
    assert day.day.isoformat() == "2027-01-11"
    cast.sofia.time_zone = "UTC"
    [day] = queries.part(cast.sofia, "new").days
    assert day.day.isoformat() == "2027-01-10"


def test_settings_say_that_no_mail_goes_out(client: Client, cast: Cast) -> None:
    client.force_login(cast.sofia)
    page = client.get("/settings/notifications/").content.decode()
    assert "no mail server set up (EMAIL_URL)" in page
    assert not Preferences.objects.exists(), "opening the page, as a mail's link does, sets nothing"


def test_settings_are_kept_and_bad_ones_named(client: Client, cast: Cast) -> None:
    client.force_login(cast.sofia)
    form = {"mail": "on", "digest_hour": "6", "quiet_from": "22:00", "quiet_until": "07:00"}
    form |= {f"kind-{kind}": "digest" for kind in kinds.KINDS}
    answer = client.post("/settings/notifications/", form)
    assert answer.status_code == 302
    held = Preferences.objects.get(user=cast.sofia)
    assert (held.digest_hour, held.mode("decide"), str(held.quiet_from)) == (
        6,
        "digest",
        "22:00:00",
    )
    answer = client.post("/settings/notifications/", {**form, "quiet_until": "late"})
    assert answer.status_code == 422
    assert "must be a time such as 22:00" in answer.content.decode()
    answer = client.post("/settings/notifications/", {**form, "quiet_until": ""})
    assert answer.status_code == 422
    assert "a beginning and an end" in answer.content.decode()


def test_rest_lists_marks_and_sets(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    found = client.get("/api/v1/notifications", {"unread": "true"}).json()["results"]
    assert {"Decide on Prepare"} <= {row["text"] for row in found}
    ids = [row["id"] for row in found]
    answer = client.post(
        "/api/v1/notifications/read", {"ids": ids}, content_type="application/json"
    )
    assert answer.json() == {"read": len(ids)}
    assert client.get("/api/v1/notifications", {"unread": "true"}).json()["results"] == []
    answer = client.patch(
        "/api/v1/me/notifications",
        {"by_kind": {"run": "off"}, "quiet_from": "22:00", "quiet_until": "06:30"},
        content_type="application/json",
    )
    assert answer.json()["by_kind"]["run"] == "off"
    assert client.get("/api/v1/me/notifications").json()["quiet_until"] == "06:30"
    bad = client.patch(
        "/api/v1/me/notifications", {"digest_hour": 24}, content_type="application/json"
    )
    assert bad.status_code == 422


def test_only_whose_news_it_is_hears_of_it() -> None:
    asyncio.run(_news())


async def _news() -> None:
    hub, mine, other = Hub(), Listener(Scope(person="person:5")), Listener(Scope(person="person:6"))
    hub.listeners = {mine, other}
    await hub.tell(["person:5:0"])
    assert mine.queue.get_nowait() == NEWS
    assert other.queue.empty()
