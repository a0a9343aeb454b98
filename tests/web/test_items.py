"""The page of a work item: every kind of field, drafts, conflicts, refusals."""

import uuid
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pipelines.runs.actions import items
from pipelines.runs.models import Run, WorkItem
from portal.web import fields
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db

FIELDS = [
    {"key": "question", "label": "Question", "kind": "text", "required": True, "minimum": 10},
    {"key": "acts", "label": "Who acts", "kind": "longtext"},
    {"key": "volume", "label": "Volume", "kind": "number", "minimum": 0},
    {"key": "cost", "label": "Cost", "kind": "money"},
    {"key": "purpose", "label": "Purpose", "kind": "choice", "choices": ["advice", "automated"]},
    {"key": "until", "label": "Needed by", "kind": "date"},
    {"key": "costs", "label": "Costs", "kind": "map", "choices": ["fp", "fn"]},
    {"key": "users", "label": "Users", "kind": "list"},
    {"key": "stands", "label": "I stand by it", "kind": "bool", "required": True},
]
GOOD: dict[str, Any] = {
    "f.question": "Which flights are late?",
    "f.acts": "The desk.\r\nIn the morning.",
    "f.volume": "1 200.5",
    "f.cost": "40000",
    "f.purpose": "advice",
    "f.until": "2026-12-01",
    "f.costs.key": ["fp", "fn"],
    "f.costs.value": ["90", "0"],
    "f.users": "desk A\ndesk B\n",
    "f.stands": "yes",
}


@pytest.fixture
def run(cast: Cast) -> Run:
    brief = engine.form("brief", fields=FIELDS)
    return engine.run(cast, engine.stage("frame", "BA", items=[brief], gate=engine.gate("DS")))


@pytest.fixture
def item(run: Run) -> WorkItem:
    return engine.item_of(run, "brief")


def send(client: Client, item: WorkItem, do: str = "complete", **more: Any) -> tuple[int, str]:
    sent = {**GOOD, "do": do, "version": str(item.version), "idempotency_key": str(uuid.uuid4())}
    answer = client.post(f"/items/{item.pk}/", {**sent, **more}, follow=True)
    status = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
    return status, answer.content.decode()


def test_every_kind_of_field_is_read(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    status, text = send(client, item)
    assert (status, "is complete." in text) == (302, True)
    item.refresh_from_db()
    assert item.data == {
        "question": "Which flights are late?",
        "acts": "The desk.\nIn the morning.",
        "volume": 1200.5,
        "cost": 40000,
        "purpose": "advice",
        "until": "2026-12-01",
        "costs": {"fp": 90, "fn": 0},
        "users": ["desk A", "desk B"],
        "stands": True,
    }


def test_bad_fields_are_named_and_nothing_is_lost(
    client: Client, cast: Cast, item: WorkItem
) -> None:
    client.force_login(cast.amara)
    status, text = send(client, item, **{"f.volume": "many", "f.question": "Why?", "f.stands": ""})
    assert status == 422
    assert "must be a finite number, got &#x27;many&#x27;" in text
    assert "must be at least 10 characters, got 4" in text
    assert "must be confirmed" in text
    assert 'value="many"' in text
    assert "In the morning.</textarea>" in text
    item.refresh_from_db()
    assert (item.state, item.data) == ("ASSIGNED", {})


def test_a_draft_is_kept_and_shown_again(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    status, _ = send(client, item, "draft", **{"f.question": "Half a"})
    assert status == 302
    item.refresh_from_db()
    assert (item.state, item.holder, item.draft["question"]) == ("ASSIGNED", cast.amara, "Half a")
    assert 'value="Half a"' in client.get(f"/items/{item.pk}/").content.decode()


def test_the_script_keeps_drafts_too(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    sent = {**GOOD, "version": str(item.version)}
    first = client.post(f"/items/{item.pk}/draft", sent)
    assert first.status_code == 200
    again = client.post(f"/items/{item.pk}/draft", {**GOOD, "version": first.json()["version"]})
    assert again.status_code == 200
    late = client.post(f"/items/{item.pk}/draft", sent)
    assert (late.status_code, late.json()["code"]) == (409, "stale_version")


def test_two_tabs_collide_without_losing_input(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    actor = acting(cast.amara)
    version = items.claim(actor=actor, item=item).data["version"]
    draft = {"question": "What the other tab says"}
    items.save_draft(actor=actor, item=item, data=draft, version=version)
    status, text = send(client, item)
    assert status == 409
    assert "Somebody changed this meanwhile" in text
    assert 'value="Which flights are late?"' in text
    assert "What the other tab says" in text
    item.refresh_from_db()
    status, _ = send(client, item)
    assert status == 302


def test_who_is_no_candidate_reads_the_rule(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.sofia)
    text = client.get(f"/items/{item.pk}/").content.decode()
    assert "This is for BA" in text
    assert "<form" not in text.split('<main id="main"')[1].split("</main>")[0]
    status, text = send(client, item)
    assert status == 403
    assert "item.persona" in text


def test_a_held_item_says_who_holds_it(client: Client, cast: Cast, item: WorkItem) -> None:
    items.claim(actor=acting(cast.amara), item=item)
    client.force_login(cast.noor)
    assert "Amara Osei took this" in client.get(f"/items/{item.pk}/").content.decode()


def test_claim_and_give_back(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    client.post(f"/items/{item.pk}/claim")
    item.refresh_from_db()
    assert item.holder == cast.amara
    client.post(f"/items/{item.pk}/unclaim")
    item.refresh_from_db()
    assert item.holder is None


def test_a_double_click_completes_once(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.amara)
    key = str(uuid.uuid4())
    send(client, item, idempotency_key=key)
    status, text = send(client, item, idempotency_key=key)
    assert (status, "nothing happened twice" in text) == (302, True)


def test_a_later_round_starts_from_the_earlier_one(
    client: Client, cast: Cast, run: Run, item: WorkItem
) -> None:
    client.force_login(cast.amara)
    send(client, item)
    engine.decide(cast.sofia, engine.gate_of(run), "request_changes", reason="Which airport?")
    text = client.get(f"/items/{engine.item_of(run, 'brief').pk}/").content.decode()
    assert "Which airport?" in text
    assert 'value="Which flights are late?"' in text
    assert 'name="f.stands" value="yes" checked' not in text


def test_a_stranger_learns_nothing(client: Client, cast: Cast, item: WorkItem) -> None:
    client.force_login(cast.iris)
    assert client.get(f"/items/{item.pk}/").status_code == 404
    assert client.post(f"/items/{item.pk}/draft", {}).status_code == 404


def test_queries_are_fixed(
    client: Client, cast: Cast, item: WorkItem, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(cast.amara)
    with django_assert_num_queries(12):
        client.get(f"/items/{item.pk}/")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("1 200", 1200),
        ("0.5", 0.5),
        ("\u22123", -3),
        ("before", "before"),
        ("pii = yes; treatment = hash", {"pii": True, "treatment": "hash"}),
        ("reason = 2 of 3; n = 2", {"reason": "2 of 3", "n": 2}),
    ],
)
def test_an_entry_reads_back_as_it_was_written(text: str, value: Any) -> None:
    assert fields.entry_of(text) == value
    assert fields.entry_of(fields.text_of(value)) == value


def test_more_beside_a_plain_value_is_one_entry() -> None:
    posted = QueryDict("f.d.key=mail&f.d.value=before&f.d.more=pii %3D yes; treatment %3D drop")
    assert fields._map("f.d", posted) == {
        "mail": {"available": "before", "pii": True, "treatment": "drop"}
    }
