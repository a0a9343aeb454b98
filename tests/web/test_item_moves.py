"""The buttons beside a work item's form, and the form that asks for help."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from pipelines.runs.actions import items
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.queries.clock import now
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(cast: Cast) -> Run:
    brief = engine.form("brief", skippable=True)
    return engine.run(cast, engine.stage("look", "DS", items=[brief], gate=engine.gate("BA")))


@pytest.fixture
def item(cast: Cast, run: Run) -> WorkItem:
    found = engine.item_of(run, "brief")
    items.claim(actor=acting(cast.sofia), item=found)
    return found


def page(client: Client, item: WorkItem) -> str:
    answer = client.get(f"/items/{item.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, address: str, **body: Any) -> tuple[int, str]:
    answer = client.post(address, body, follow=True)
    status = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
    return status, answer.content.decode()


def test_its_holder_puts_it_aside_and_goes_on(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.sofia)
    assert "Put it aside" in page(client, item)
    until = (now() + timedelta(days=3)).date().isoformat()
    status, text = send(client, f"/items/{item.pk}/hold", follow_up=until, reason="a list")
    assert (status, "its deadline keeps running" in text) == (302, True)
    assert "Go on with it" in page(client, item)
    assert "You put nothing aside." not in client.get("/").content.decode()
    send(client, f"/items/{item.pk}/resume")
    item.refresh_from_db()
    assert item.state == "IN_PROGRESS"
    status, text = send(client, f"/items/{item.pk}/hold", follow_up="soon")
    assert (status, "must be a date such as 2026-12-01" in text) == (422, True)


def test_delegating_and_handing_back(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.sofia)
    assert '<option value="noor">Noor Haddad</option>' in page(client, item)
    status, text = send(client, f"/items/{item.pk}/delegate", to="noor")
    assert (status, "you stay accountable" in text) == (302, True)
    client.force_login(cast.noor)
    assert "Hand it back to Sofia Reyes" in page(client, item)
    send(client, f"/items/{item.pk}/resolve", reason="half of it")
    item.refresh_from_db()
    assert item.holder == cast.sofia
    assert send(client, f"/items/{item.pk}/delegate")[0] == 422


def test_a_manager_assigns_escalates_and_skips(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.priya)
    text = page(client, item)
    for label in ("Assign it", "Escalate", "Leave it out"):
        assert label in text
    assert "Put it aside" not in text
    send(client, f"/items/{item.pk}/assign", to="noor", reason="holidays")
    send(client, f"/items/{item.pk}/escalate", reason="late")
    item.refresh_from_db()
    assert (item.holder, item.escalations) == (cast.noor, 1)
    send(client, f"/items/{item.pk}/skip", reason="no need")
    item.refresh_from_db()
    assert item.state == "SKIPPED"


def test_others_read_which_rule_forbids_it(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    text = page(client, item)
    assert "item.escalate" in text
    for label in ("Put it aside", "Assign it", "Leave it out"):
        assert label not in text
    assert send(client, f"/items/{item.pk}/escalate", reason="x")[0] == 403


def test_asking_another_persona_for_help(
    client: Client, cast: Cast, run: Run, item: WorkItem
) -> None:
    client.force_login(cast.sofia)
    text = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Ask another persona for help" in text
    body = {"persona": "MLE", "code": "interface", "question": "How is it served?", "days": "2"}
    status, text = send(client, f"/stages/{item.stage_id}/help", **body)
    assert (status, "Asked MLE for help" in text) == (302, True)
    asked = engine.item_of(run, "help-1")
    client.force_login(cast.lena)
    assert "How is it served?" in client.get("/").content.decode()
    assert "Sofia Reyes asks" in page(client, asked)
    answer = {"do": "complete", "version": str(asked.version), "f.outcome": "solved"}
    assert send(client, f"/items/{asked.pk}/", **answer)[0] == 422
    send(client, f"/items/{asked.pk}/", **answer, **{"f.answer": "Like so."})
    asked.refresh_from_db()
    assert (asked.state, asked.data["answer"]) == ("COMPLETED", "Like so.")


def test_a_wrong_request_for_help_names_its_fields(
    client: Client, cast: Cast, item: WorkItem
) -> None:
    client.force_login(cast.sofia)
    status, text = send(client, f"/stages/{item.stage_id}/help", persona="DS", days="x")
    assert status == 422
    for name in ("persona", "question", "code", "days"):
        assert name in text


def test_nothing_moves_by_looking(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.sofia)
    for verb in ("hold", "delegate", "assign", "resume", "resolve", "skip", "escalate", "withdraw"):
        assert client.get(f"/items/{item.pk}/{verb}").status_code == 405
    assert client.get(f"/stages/{item.stage_id}/help").status_code == 405


def test_strangers_learn_nothing(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.iris)
    assert send(client, f"/items/{item.pk}/escalate", reason="x")[0] == 404
    assert send(client, f"/stages/{item.stage_id}/help", persona="MLE")[0] == 404
