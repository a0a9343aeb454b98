"""The page on which a paused run is moved to another version."""

import uuid
from typing import Any

import pytest
from django.test import Client

from personas.models import User
from pipelines.runs.actions import items, runs
from pipelines.runs.models import Run, Stage
from tests.cast import Cast, acting
from tests.domain import engine as f

pytestmark = pytest.mark.django_db
Body = dict[str, Any]


@pytest.fixture
def run(cast: Cast) -> Run:
    """Paused, with a version to move to that has another gate and a second stage."""
    body = f.plan(f.stage("one", "DE", items=[f.form("brief")], gate=f.gate("DS")))
    made = runs.create(actor=acting(cast.amara), use_case=f.use_case(cast), version=f.publish(body))
    found = Run.objects.get(pk=made.data["run"])
    runs.pause(actor=acting(cast.priya), run=found, reason="a new version")
    first = f.stage("one", "DE", items=[f.form("brief")], gate=f.gate("DS", "BA"))
    f.publish({**body, "stages": [first, f.stage("two", "DE", needs=["one"])]})
    return found


def page(client: Client, user: User, run: Run, **query: str) -> Any:
    client.force_login(user)
    return client.get(f"/runs/{run.pk}/move/", query)


def send(client: Client, run: Run, **form: str) -> Any:
    sent = {"idempotency_key": str(uuid.uuid4()), **form}
    return client.post(f"/runs/{run.pk}/move/", sent, follow=True)


def seen_on(answer: Any) -> str:
    text = answer.content.decode()
    return str(text.split('name="seen" value="')[1][:64])


def test_it_shows_what_differs_and_moves(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.priya)
    assert f"/runs/{run.pk}/move/" in client.get(f"/runs/{run.pk}/").content.decode()
    answer = page(client, cast.priya, run)
    text = answer.content.decode()
    assert "from version 1 to version 2" in text
    assert "new in this version" in text
    assert "gate: rules" in text
    moved = send(client, run, version="2", seen=seen_on(answer), reason="two eyes")
    assert moved.redirect_chain[0][0] == f"/runs/{run.pk}/"
    assert "is on version 2 now" in moved.content.decode()
    run.refresh_from_db()
    assert run.version.number == 2


def test_a_stale_plan_is_shown_anew(client: Client, cast: Cast, run: Run) -> None:
    answer = page(client, cast.priya, run)
    runs.resume(actor=acting(cast.priya), run=run)
    items.claim(actor=acting(cast.dmitri), item=f.item_of(run, "brief"))
    runs.pause(actor=acting(cast.priya), run=run, reason="again")
    late = send(client, run, version="2", seen=seen_on(answer), reason="two eyes")
    assert late.status_code == 409
    assert "is not as it was when the move was looked at" in late.content.decode()
    assert "two eyes" in late.content.decode()
    assert send(client, run, version="2", seen=seen_on(late), reason="x").status_code == 200


def test_somebody_resumes_meanwhile(client: Client, cast: Cast, run: Run) -> None:
    answer = page(client, cast.priya, run)
    runs.resume(actor=acting(cast.priya), run=run)
    late = send(client, run, version="2", seen=seen_on(answer), reason="two eyes")
    assert late.status_code == 409
    assert "only a paused run moves" in late.content.decode()


def test_without_the_capability_the_page_says_so(client: Client, cast: Cast, run: Run) -> None:
    answer = page(client, cast.amara, run)
    assert answer.status_code == 403
    assert "run.manage" in answer.content.decode()


def test_a_reason_is_needed_and_the_page_stays(client: Client, cast: Cast, run: Run) -> None:
    answer = page(client, cast.priya, run)
    again = send(client, run, version="2", seen=seen_on(answer), reason=" ")
    assert again.status_code == 422
    assert "reason" in again.content.decode()


def test_the_history_of_what_is_gone_can_still_be_read(client: Client, cast: Cast) -> None:
    gone = f.stage("one", "DE", items=[f.form("brief")], gate=f.gate("DS"))
    tail = f.stage("two", "DE", items=[f.form("note")])
    body = f.plan(gone, {**tail, "needs": ["one"]})
    made = runs.create(actor=acting(cast.amara), use_case=f.use_case(cast), version=f.publish(body))
    run = Run.objects.get(pk=made.data["run"])
    f.perform()
    f.fill(cast.dmitri, f.item_of(run, "brief"))
    f.decide(cast.sofia, f.gate_of(run))
    runs.pause(actor=acting(cast.priya), run=run, reason="a new version")
    f.publish({**body, "stages": [tail]})
    answer = page(client, cast.priya, run)
    assert "dropped" in answer.content.decode()
    send(client, run, version="2", seen=seen_on(answer), reason="shorter")
    assert Stage.objects.get(run=run, key="one").state == "SUPERSEDED"
    for address in (
        f"/runs/{run.pk}/",
        f"/gates/{f.gate_of(run).pk}/",
        f"/items/{f.item_of(run, 'brief').pk}/",
        f"/use-cases/{run.use_case.key}/",
        f"/api/v1/runs/{run.pk}/stages",
        "/inbox/",
        "/",
    ):
        found = client.get(address)
        assert found.status_code in ((404,) if address == "/inbox/" else (200,)), address
    assert "One" in client.get(f"/runs/{run.pk}/").content.decode()


def test_the_console_leads_to_the_page(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.priya)
    answer = client.post(
        "/console/runs/run/", {"action": "move", "_selected_action": [str(run.pk)]}
    )
    assert answer.headers["Location"] == f"/runs/{run.pk}/move/"
