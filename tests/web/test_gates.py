"""The review page: evidence first, deciding once, and every way it is refused."""

import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from personas.models import User
from pipelines.runs.actions import gates
from pipelines.runs.models import Gate
from tests import factories
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate(cast: Cast) -> Gate:
    return factories.to_gate(cast, factories.hello_run(cast))


def page(client: Client, user: User, gate: Gate, **query: str) -> str:
    client.force_login(user)
    answer = client.get(f"/gates/{gate.pk}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def form(gate: Gate, verdict: str = "approve", **more: str) -> dict[str, str]:
    sent = {"verdict": verdict, "seen": gate.subject_digest, "idempotency_key": str(uuid.uuid4())}
    return {**sent, **more}


def test_it_shows_what_is_signed_before_it_asks(client: Client, cast: Cast, gate: Gate) -> None:
    text = page(client, cast.sofia, gate)
    assert text.index("What you sign") < text.index('name="verdict"')
    assert gate.subject_digest in text
    assert "Open to Sofia Reyes" in text
    assert "You made part" not in text


def test_it_approves(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    answer = client.post(f"/gates/{gate.pk}/", form(gate), follow=True)
    assert "You approved prepare." in answer.content.decode()
    gate.refresh_from_db()
    assert gate.state == "APPROVED"


def test_a_second_click_changes_nothing(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    sent = form(gate)
    client.post(f"/gates/{gate.pk}/", sent)
    again = client.post(f"/gates/{gate.pk}/", sent, follow=True)
    assert "nothing happened twice" in again.content.decode()
    assert gate.decisions.count() == 1


def test_the_author_reads_the_rule_instead_of_a_form(
    client: Client, cast: Cast, gate: Gate
) -> None:
    text = page(client, cast.dmitri, gate)
    assert "made part of what is under review" in text
    assert "sod.subject_author" in text
    assert 'name="verdict"' not in text


def test_the_author_is_refused_when_posting_anyway(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.dmitri)
    answer = client.post(f"/gates/{gate.pk}/", form(gate))
    assert answer.status_code == 403
    assert "sod.subject_author" in answer.content.decode()
    assert not gate.decisions.exists()


def test_bad_input_is_named_and_kept(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    sent = form(gate, "request_changes", reason="too few rows", reason_code="nonsense")
    answer = client.post(f"/gates/{gate.pk}/", sent)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "must be one of data_problem" in text
    assert "too few rows</textarea>" in text
    assert not gate.decisions.exists()


def test_two_reviewers_collide(client: Client, cast: Cast) -> None:
    """Of two people looking at one gate, the later one is told who was first, and loses nothing."""
    run = engine.run(cast, engine.stage("prepare", "DE", gate=engine.gate("DS")))
    engine.perform()
    gate = engine.gate_of(run)
    client.force_login(cast.noor)
    seen = form(gate, "request_changes", reason="I doubt it", reason_code="quality")
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    answer = client.post(f"/gates/{gate.pk}/", seen)
    text = answer.content.decode()
    assert answer.status_code == 409
    gate.refresh_from_db()
    assert f"Sofia Reyes closed this gate as APPROVED at {gate.closed_at:%H:%M}" in text
    assert "Nothing of yours was recorded" in text


def test_what_was_seen_has_changed(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    answer = client.post(f"/gates/{gate.pk}/", form(gate, seen="0" * 64, reason="fine"))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "What is under review is not what you were shown: 000000000000…" in text
    assert "fine</textarea>" in text


def test_disabled_verdicts_name_their_rule(client: Client, cast: Cast) -> None:
    red = engine.gate("DS", checks=[{"name": "target_met"}])
    run = engine.run(cast, engine.stage("prepare", "DE", gate=red))
    engine.perform()
    gate = engine.gate_of(run)
    text = page(client, cast.sofia, gate)
    assert "Approval waits for: Target met." in text
    assert "You have no decision in force here." in text


def test_a_later_round_says_what_changed(client: Client, cast: Cast) -> None:
    fields = [{"key": "columns", "label": "Columns to use", "kind": "list"}]
    stage = engine.stage(
        "prepare", "DE", items=[engine.form("choice", fields=fields)], gate=engine.gate("DS")
    )
    run = engine.run(cast, stage)
    engine.fill(cast.dmitri, engine.item_of(run, "choice"), columns=["a", "b"])
    engine.decide(cast.sofia, engine.gate_of(run), "request_changes", reason="b is unknown")
    engine.fill(cast.dmitri, engine.item_of(run, "choice"), columns=["a", "c"])
    text = page(client, cast.sofia, engine.gate_of(run))
    assert "Changed since round 1" in text
    assert "b is unknown" in text
    assert '<del class="gone">b</del>' in text
    assert '<ins class="come">c</ins>' in text


def test_each_persona_reads_its_own_voice(client: Client, cast: Cast, gate: Gate) -> None:
    assert "Whether the numbers mean" in page(client, cast.sofia, gate)
    assert "What it costs to run" in page(client, cast.sofia, gate, voice="OPS")
    assert "Whether the numbers mean" in page(client, cast.sofia, gate, voice="nobody")


def test_a_stranger_learns_nothing(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.iris)
    assert client.get(f"/gates/{gate.pk}/").status_code == 404
    assert client.post(f"/gates/{gate.pk}/", form(gate)).status_code == 404
    assert client.get("/gates/999999/").status_code == 404


def test_a_waiver_needs_its_capability(client: Client, cast: Cast) -> None:
    red = engine.gate("DS", checks=[{"name": "target_met"}])
    run = engine.run(cast, engine.stage("prepare", "DE", gate=red))
    engine.perform()
    check = engine.gate_of(run).checks.get()
    sent = {"reason": "no target is named yet", "days": "14"}
    client.force_login(cast.sofia)
    assert client.post(f"/checks/{check.pk}/waive", sent).status_code == 403
    client.force_login(cast.priya)
    answer = client.post(f"/checks/{check.pk}/waive", sent)
    assert answer.status_code == 302
    check.refresh_from_db()
    assert (check.waived_by, check.waiver_reason) == (cast.priya, "no target is named yet")


@pytest.mark.parametrize("names", [["target_met"], ["target_met", "calibrated", "slices_hold"]])
def test_queries_do_not_grow_with_checks(
    client: Client,
    cast: Cast,
    names: list[str],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    checks = [{"name": name} for name in names]
    review = engine.gate("DS", *(["BA"] if len(names) > 1 else []), checks=checks)
    run = engine.run(cast, engine.stage("prepare", "DE", gate=review))
    engine.perform()
    gate = engine.gate_of(run)
    page(client, cast.sofia, gate)  # the process remembers blueprints
    with django_assert_num_queries(14):
        client.get(f"/gates/{gate.pk}/")
