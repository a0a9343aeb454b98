"""Work items that change hands, help, and calendars over REST."""

from datetime import timedelta
from typing import Any

import pytest

from personas.models import BusinessCalendar
from pipelines.runs.actions import items
from pipelines.runs.models import WorkItem
from pipelines.runs.queries.clock import now
from tests.api.conftest import Client
from tests.cast import Cast, acting
from tests.domain import engine as f


@pytest.fixture
def item(cast: Cast) -> WorkItem:
    """A form of Sofia's, who owns the stage."""
    run = f.run(cast, f.stage("look", "DS", items=[f.form("brief", skippable=True)]))
    found = f.item_of(run, "brief")
    items.claim(actor=acting(cast.sofia), item=found)
    return found


def post(client: Any, address: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{address}", body, format="json")


def test_hold_and_resume(cast: Cast, api: Client, item: WorkItem) -> None:
    sofia = api(cast.sofia)
    until = (now() + timedelta(days=3)).date().isoformat()
    answer = post(sofia, f"items/{item.pk}/hold", follow_up=until, reason="a list is missing")
    assert (answer.status_code, answer.json()["state"]) == (200, "ON_HOLD")
    shown = sofia.get(f"/api/v1/items/{item.pk}").json()
    assert (shown["hold_reason"], shown["follow_up_at"][:10]) == ("a list is missing", until)
    assert post(sofia, f"items/{item.pk}/start").status_code == 409
    assert post(sofia, f"items/{item.pk}/resume").json()["state"] == "IN_PROGRESS"
    wrong = post(sofia, f"items/{item.pk}/hold", follow_up="soon")
    assert (wrong.status_code, set(wrong.json()["fields"])) == (422, {"follow_up"})


def test_delegate_resolve_assign(cast: Cast, api: Client, item: WorkItem) -> None:
    sofia, noor, priya = api(cast.sofia), api(cast.noor), api(cast.priya)
    answer = post(sofia, f"items/{item.pk}/delegate", to="noor").json()
    assert (answer["holder"], answer["delegated_by"]) == ("Noor Haddad", "Sofia Reyes")
    assert noor.get(f"/api/v1/items/{item.pk}").json()["delegated_by"]["username"] == "sofia"
    assert post(noor, f"items/{item.pk}/resolve", note="half").json()["holder"] == "Sofia Reyes"
    unknown = post(sofia, f"items/{item.pk}/delegate", to="nobody")
    assert (unknown.status_code, set(unknown.json()["fields"])) == (422, {"to"})
    refused = post(sofia, f"items/{item.pk}/assign", to="noor", reason="x")
    assert (refused.status_code, refused.json()["code"]) == (403, "run.manage")
    assert post(priya, f"items/{item.pk}/assign", to="noor", reason="x").status_code == 200


def test_escalate_and_skip(cast: Cast, api: Client, item: WorkItem) -> None:
    priya = api(cast.priya)
    assert post(priya, f"items/{item.pk}/escalate", reason="late").status_code == 200
    assert priya.get(f"/api/v1/items/{item.pk}").json()["escalations"] == 1
    assert post(priya, f"items/{item.pk}/skip", reason="no need").json()["state"] == "SKIPPED"
    assert post(priya, f"items/{item.pk}/skip", reason="no need").status_code == 409


def test_ask_for_help_answer_and_withdraw(cast: Cast, api: Client, item: WorkItem) -> None:
    sofia, lena = api(cast.sofia), api(cast.lena)
    asked = {"persona": "MLE", "question": "How is this served?", "code": "interface"}
    made = post(sofia, f"stages/{item.stage_id}/help", **asked)
    assert made.status_code == 200
    pk = made.json()["item"]
    shown = lena.get(f"/api/v1/items/{pk}").json()
    assert (shown["kind"], shown["asked_by"]["username"]) == ("help", "sofia")
    assert [field["key"] for field in shown["fields"]] == ["outcome", "answer"]
    body = {"data": {"outcome": "solved", "answer": "Like so."}, "version": shown["version"]}
    assert post(lena, f"items/{pk}/complete", **body).json()["state"] == "COMPLETED"
    second = post(sofia, f"stages/{item.stage_id}/help", **asked).json()["item"]
    gone = post(sofia, f"items/{second}/withdraw", reason="found it")
    assert gone.json()["state"] == "CANCELLED"
    wrong = post(sofia, f"stages/{item.stage_id}/help", persona="DS", question="?", days=99)
    assert set(wrong.json()["fields"]) == {"persona", "days"}


def test_the_checklist_shows_what_a_wide_gap_adds(cast: Cast, api: Client) -> None:
    run = f.run(cast, f.stage("one", "BA"), f.stage("two", "MLR", needs=["one"]), by=cast.amara)
    f.perform()
    shown = api(cast.amara).get(f"/api/v1/hand-offs/{f.hand_off_of(run).pk}").json()
    assert [entry["key"] for entry in shown["checklist"]] == ["walk_through"]


def test_calendars_are_seen_by_all_and_changed_by_devops(cast: Cast, api: Client) -> None:
    seen = api(cast.iris).get("/api/v1/calendars").json()["results"]
    assert len(seen) == 7
    given = {"zone": "Europe/Oslo", "hours": {"mon": ["08:00-16:00"]}, "holidays": ["2026-12-24"]}
    refused = api(cast.sofia).put("/api/v1/calendars/DS", given, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "capability.operations.manage")
    done = api(cast.priya).put("/api/v1/calendars/DS", given, format="json")
    assert (done.status_code, done.json()) == (200, {"persona": "DS", **given})
    assert BusinessCalendar.objects.get(persona="DS").zone == "Europe/Oslo"
    bad = {"zone": "Oslo", "hours": {"mon": ["16-8"], "monday": []}}
    wrong = api(cast.priya).put("/api/v1/calendars/DS", bad, format="json")
    assert set(wrong.json()["fields"]) == {"zone", "hours"}
    assert api(cast.priya).get("/api/v1/calendars/nobody").status_code == 404
