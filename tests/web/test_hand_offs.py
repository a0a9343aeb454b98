"""The hand-off page: the package, its contract, and what sender and receiver may do."""

import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pipelines.runs.actions import gates
from pipelines.runs.models import HandOff
from tests import factories
from tests.cast import Cast, acting

pytestmark = pytest.mark.django_db


@pytest.fixture
def hand_off(cast: Cast) -> HandOff:
    """What dmitri prepared, approved by sofia, ready to be offered."""
    run = factories.hello_run(cast)
    gate = factories.to_gate(cast, run)
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    factories.work_off()
    return factories.open_hand_off(run)


def send(client: Client, hand_off: HandOff, verb: str, **more: str) -> tuple[int, str]:
    sent = {"do": verb, "idempotency_key": str(uuid.uuid4()), **more}
    answer = client.post(f"/hand-offs/{hand_off.pk}/", sent, follow=True)
    status = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
    return status, answer.content.decode()


def test_the_sender_sees_package_and_checklist(
    client: Client, cast: Cast, hand_off: HandOff
) -> None:
    client.force_login(cast.dmitri)
    text = client.get(f"/hand-offs/{hand_off.pk}/").content.decode()
    assert "to fill in by the sender" in text
    assert "points apart in" in text
    for outputs in hand_off.package.values():
        for output in outputs.values():
            assert output["digest"] in text


def test_an_offer_needs_its_checklist_and_keeps_the_note(
    client: Client, cast: Cast, hand_off: HandOff
) -> None:
    client.force_login(cast.dmitri)
    status, text = send(client, hand_off, "offer", note="mind the gaps")
    assert status == 422
    assert "is required" in text
    assert "mind the gaps</textarea>" in text


def test_offer_and_accept(client: Client, cast: Cast, hand_off: HandOff) -> None:
    client.force_login(cast.dmitri)
    status, text = send(client, hand_off, "offer", **{"answer.gaps": "none known"})
    assert (status, "Offered; you stay accountable" in text) == (302, True)
    receiver = cast.of(hand_off.target.persona_id)
    client.force_login(receiver)
    status, text = send(client, hand_off, "accept")
    assert (status, "Accepted: it is yours now." in text) == (302, True)
    hand_off.refresh_from_db()
    assert (hand_off.state, hand_off.answered_by) == ("ACCEPTED", receiver)


def test_a_late_click_shows_who_was_first(client: Client, cast: Cast, hand_off: HandOff) -> None:
    factories.offered(cast, hand_off)
    client.force_login(cast.of(hand_off.target.persona_id))
    send(client, hand_off, "accept")
    status, text = send(client, hand_off, "return", reason="too late", reason_code="unclear")
    assert status == 409
    assert f"by {cast.of(hand_off.target.persona_id)} at" in text


def test_a_return_needs_code_and_reason(client: Client, cast: Cast, hand_off: HandOff) -> None:
    factories.offered(cast, hand_off)
    client.force_login(cast.of(hand_off.target.persona_id))
    status, text = send(client, hand_off, "return", reason="It is not what was agreed.")
    assert status == 422
    assert "must be one of" in text
    assert "It is not what was agreed.</textarea>" in text
    status, _ = send(
        client, hand_off, "return", reason="It is not what was agreed.", reason_code="incomplete"
    )
    assert status == 302
    assert factories.stage_of(hand_off.run, "prepare").round == 2


def test_others_read_the_rule(client: Client, cast: Cast, hand_off: HandOff) -> None:
    client.force_login(cast.sofia)
    text = client.get(f"/hand-offs/{hand_off.pk}/").content.decode()
    assert "belongs to DE" in text
    status, text = send(client, hand_off, "offer", **{"answer.gaps": "none"})
    assert status == 403
    assert "stage.persona" in text


def test_a_stranger_learns_nothing(client: Client, cast: Cast, hand_off: HandOff) -> None:
    client.force_login(cast.iris)
    assert client.get(f"/hand-offs/{hand_off.pk}/").status_code == 404


def test_queries_are_fixed(
    client: Client,
    cast: Cast,
    hand_off: HandOff,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(cast.dmitri)
    with django_assert_num_queries(8):
        client.get(f"/hand-offs/{hand_off.pk}/")
