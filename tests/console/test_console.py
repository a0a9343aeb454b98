"""The console: who gets in, what it shows, and that its buttons call the domain."""

import html
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from personas.ledger import seal
from pipelines.runs.models import Run
from portal.console.tables import site
from tests import factories
from tests.cast import Cast


@pytest.fixture
def run(cast: Cast) -> Run:
    """A hello run at its gate."""
    made = factories.hello_run(cast)
    factories.to_gate(cast, made)
    return made


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def table(model: str) -> str:
    return reverse(f"console:{model}_changelist")


def act(client: Client, model: str, action: str, pk: int, **more: str) -> list[str]:
    body = {"action": action, "_selected_action": str(pk), **more}
    answer = client.post(table(model), body, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_only_who_manages_operations_gets_in(cast: Cast) -> None:
    for user in (cast.amara, cast.iris):
        assert signed_in(user).get("/console/").status_code == 302
    assert Client().get("/console/").status_code == 302
    assert signed_in(cast.priya).get("/console/").status_code == 200
    cast.priya.capabilities = ["run.manage"]
    cast.priya.save()
    assert signed_in(cast.priya).get("/console/").status_code == 302


def test_the_first_page_shows_the_workshop(cast: Cast, run: Run) -> None:
    seal()
    page = signed_in(cast.priya).get("/console/").content.decode()
    for text in ("Workers heard", "RUNNING", "Nothing waits for a worker", "No attempt was lost"):
        assert text in page
    assert "stream" in page.split("Ledger sealed")[1][:200]


def test_every_table_and_row_is_shown_and_none_is_editable(cast: Cast, run: Run) -> None:
    client = signed_in(cast.priya)
    for model in site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        page = client.get(table(name))
        assert page.status_code == 200, name
        row = model._default_manager.first()
        if row is None:
            continue
        address = reverse(f"console:{name}_change", args=[row.pk])
        shown = client.get(address)
        assert shown.status_code == 200, name
        assert "style=" not in shown.content.decode().split('id="content"')[1], name
        assert client.post(address, {}).status_code == 403, name
        assert client.get(reverse(f"console:{name}_delete", args=[row.pk])).status_code == 403
        assert client.get(f"{table(name)}?q=a").status_code == 200, name


def test_secrets_and_evidence_stay_out(cast: Cast, run: Run) -> None:
    client = signed_in(cast.priya)
    user = client.get(reverse("console:personas_user_change", args=[cast.sofia.pk]))
    assert cast.sofia.password not in user.content.decode()
    gate = run.gates.get()
    page = client.get(reverse("console:runs_gate_change", args=[gate.pk])).content.decode()
    assert '"facts"' not in html.unescape(page)


def test_pausing_asks_for_a_reason_and_calls_the_action(cast: Cast, run: Run) -> None:
    client = signed_in(cast.priya)
    asked = client.post(table("runs_run"), {"action": "pause", "_selected_action": str(run.pk)})
    assert 'name="reason"' in asked.content.decode()
    run.refresh_from_db()
    assert run.state == "RUNNING"
    (told,) = act(client, "runs_run", "pause", run.pk, reason="lunch")
    assert "now PAUSED" in told
    (again,) = act(client, "runs_run", "pause", run.pk, reason="lunch")
    assert "illegal_move" in again
    act(client, "runs_run", "resume", run.pk)
    act(client, "runs_run", "cancel", run.pk, reason="moot")
    run.refresh_from_db()
    assert run.state == "CANCELLED"


def test_a_refusal_is_shown_as_the_domain_says_it(cast: Cast, run: Run) -> None:
    cast.priya.capabilities = ["operations.manage"]
    cast.priya.save()
    client = signed_in(cast.priya)
    (told,) = act(client, "runs_run", "resume", run.pk)
    assert "[run.manage]" in told
    step = run.steps.first()
    assert step is not None
    (told,) = act(client, "runs_step", "retry", step.pk)
    assert "[not_failed]" in told


def test_people_tokens_and_seats(cast: Cast, run: Run) -> None:
    client = signed_in(cast.priya)
    act(client, "personas_user", "deactivate", cast.iris.pk)
    cast.iris.refresh_from_db()
    assert cast.iris.is_active is False
    act(client, "personas_user", "activate", cast.iris.pk)
    seat = run.use_case.seats.get(user=cast.lena)
    act(client, "usecases_seat", "end", seat.pk)
    seat.refresh_from_db()
    assert seat.until is not None
