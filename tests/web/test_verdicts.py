"""Pages for conditions, findings, blind gates, overrides and absences."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from personas.models import User
from pipelines.runs.models import Finding, Gate, Override
from pipelines.runs.queries.inbox import inbox, waiting_for
from pipelines.usecases.actions import Wish, delegate
from pipelines.usecases.models import Delegation
from tests import factories
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate(cast: Cast) -> Gate:
    return factories.to_gate(cast, factories.hello_run(cast))


def form(gate: Gate, verdict: str = "approve", **more: str) -> dict[str, str]:
    sent = {"verdict": verdict, "seen": gate.subject_digest, "idempotency_key": str(uuid.uuid4())}
    return {**sent, **more}


def page(client: Client, user: User, address: str, status: int = 200) -> str:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def conditional(gate: Gate, **changes: str) -> dict[str, str]:
    """The form of an approval with one condition, its other rows empty."""
    row = {
        "condition.0.text": "", "condition.0.persona": "DS", "condition.0.days": "14",
        "condition.1.text": "document the columns", "condition.1.persona": "DE",
        "condition.1.severity": "minor", "condition.1.days": "5", **changes,
    }  # fmt: skip
    return form(gate, "approve_with_conditions", **row)


def test_it_approves_with_conditions(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    answer = client.post(f"/gates/{gate.pk}/", conditional(gate), follow=True)
    text = answer.content.decode()
    assert "You approved, with conditions, prepare." in text
    assert ": what the approval rests on" in text
    finding = Finding.objects.get()
    assert (finding.severity, finding.persona_id) == ("minor", "DE")
    assert f'href="/findings/{finding.pk}/"' in text


def test_who_approved_the_round_before_approves_again_with_one_click(
    client: Client, cast: Cast
) -> None:
    within = engine.use_case(cast)
    stage = engine.stage("prepare", "DE", items=[engine.form("words")], gate=engine.gate(("DS", 2)))
    run = engine.run(cast, stage, on=within)
    engine.fill(cast.dmitri, engine.item_of(run, "words"), text="one")
    engine.decide(cast.sofia, engine.gate_of(run))
    engine.decide(cast.noor, engine.gate_of(run), "request_changes", reason="more")
    engine.fill(cast.dmitri, engine.item_of(run, "words"), text="two")
    gate = engine.gate_of(run)
    assert "You approved round 1." in page(client, cast.sofia, f"/gates/{gate.pk}/")
    assert "You approved round 1." not in page(client, cast.noor, f"/gates/{gate.pk}/")
    client.force_login(cast.sofia)
    client.post(f"/gates/{gate.pk}/", form(gate))
    assert gate.decisions.get().user == cast.sofia


def test_bad_conditions_are_named_and_kept(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    sent = conditional(gate, **{"condition.1.days": "soon"})
    answer = client.post(f"/gates/{gate.pk}/", sent)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "conditions.0.days" in text
    assert "document the columns</textarea>" in text
    none = client.post(f"/gates/{gate.pk}/", form(gate, "approve_with_conditions"))
    assert "name at least one" in none.content.decode()
    assert not gate.decisions.exists()


def test_conditions_of_another_verdict_are_left_out(client: Client, cast: Cast, gate: Gate) -> None:
    client.force_login(cast.sofia)
    client.post(f"/gates/{gate.pk}/", {**conditional(gate), "verdict": "approve"})
    gate.refresh_from_db()
    assert gate.state == "APPROVED"
    assert not Finding.objects.exists()


@pytest.fixture
def finding(cast: Cast, gate: Gate) -> Finding:
    asked = [{"text": "document the columns", "persona": "DE"}]
    engine.decide(cast.sofia, gate, "approve_with_conditions", conditions=asked)
    return Finding.objects.get()


def test_its_owner_resolves_a_finding(client: Client, cast: Cast, finding: Finding) -> None:
    address = f"/findings/{finding.pk}/"
    home = page(client, cast.dmitri, "/")
    assert "Findings to resolve" in home
    assert f'href="{address}"' in home
    assert waiting_for(cast.dmitri) == inbox(cast.dmitri).waiting
    assert "finding.persona" in page(client, cast.sofia, address)
    assert "Resolve with this evidence" in page(client, cast.dmitri, address)
    refused = client.post(address, {"do": "resolve", "evidence": " ", "artefacts": "0" * 64})
    assert refused.status_code == 422
    assert "there is no artefact" in refused.content.decode()
    done = client.post(address, {"do": "resolve", "evidence": "it is written"}, follow=True)
    assert "it is written" in done.content.decode()
    late = client.post(address, {"do": "resolve", "evidence": "again"})
    assert late.status_code == 409
    assert "Dmitri Volkov resolved this" in late.content.decode()
    assert client.post(address, {"do": "juggle"}).status_code == 422


def test_who_decides_extends_a_finding(client: Client, cast: Cast, finding: Finding) -> None:
    address = f"/findings/{finding.pk}/"
    assert "Give it more time" not in page(client, cast.dmitri, address)
    assert "Give it more time" in page(client, cast.sofia, address)
    sent = {"do": "extend", "days": "40", "reason": "the owner is ill"}
    client.force_login(cast.dmitri)
    assert client.post(address, sent).status_code == 403
    client.force_login(cast.sofia)
    assert "extended 1 time" in client.post(address, sent, follow=True).content.decode()


def test_a_stranger_finds_no_finding(client: Client, cast: Cast, finding: Finding) -> None:
    page(client, cast.iris, f"/findings/{finding.pk}/", status=404)


def test_queries_of_a_finding_and_the_inbox_are_bounded(
    client: Client, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    within = factories.use_case(cast)
    for number in range(3):
        run = factories.run_of(cast, within, parameters={"message": str(number), "seconds": 0.0})
        gate = factories.to_gate(cast, run)
        asked = [{"text": f"{number}, {turn}", "persona": "DE"} for turn in range(4)]
        engine.decide(cast.sofia, gate, "approve_with_conditions", conditions=asked)
    client.force_login(cast.dmitri)
    client.get("/")
    with django_assert_num_queries(15):
        text = client.get("/").content.decode()
    assert text.count('href="/findings/') >= 12
    with django_assert_num_queries(6):
        client.get(f"/findings/{Finding.objects.first().pk}/")
    gate = Gate.objects.order_by("id").last()
    client.get(f"/gates/{gate.pk}/")
    with django_assert_num_queries(14):
        client.get(f"/gates/{gate.pk}/")


# --- blind, override -----------------------------------------------------------------------------


@pytest.fixture
def blind(cast: Cast) -> Gate:
    asked = engine.gate(("DS", 2), blind=True, expires="P4D")
    run = engine.run(cast, engine.stage("build", "DE", gate=asked))
    engine.perform()
    return engine.gate_of(run)


def test_a_blind_gate_shows_your_own_verdict_alone(client: Client, cast: Cast, blind: Gate) -> None:
    engine.decide(cast.sofia, blind, "reject", reason="a secret doubt")
    for user in (cast.noor, cast.dmitri, cast.amara):
        text = page(client, user, f"/gates/{blind.pk}/")
        assert "1 decided. This gate is blind" in text
        for address in (f"/gates/{blind.pk}/", f"/runs/{blind.run_id}/", "/", "/ledger/",
                        f"/use-cases/{blind.run.use_case.key}/"):  # fmt: skip
            assert "secret doubt" not in page(client, user, address), address
            assert "has said" not in page(client, user, address), address
    assert "secret doubt" in page(client, cast.sofia, f"/gates/{blind.pk}/")


def test_after_the_reveal_one_stays_with_it(client: Client, cast: Cast, blind: Gate) -> None:
    engine.decide(cast.sofia, blind)
    engine.decide(cast.noor, blind)
    text = page(client, cast.sofia, f"/gates/{blind.pk}/")
    assert "All verdicts are revealed" in text
    assert "Stay with it" in text
    [row] = next(part.rows for part in inbox(cast.sofia).sections if part.key == "decide")
    assert row.asked.startswith("Confirm or change your verdict")
    for user in (cast.sofia, cast.noor):
        client.force_login(user)
        client.post(f"/gates/{blind.pk}/confirm", {"idempotency_key": str(uuid.uuid4())})
    blind.refresh_from_db()
    assert blind.state == "APPROVED"


def test_an_override_stands_in_red_for_ever(client: Client, cast: Cast, gate: Gate) -> None:
    address = f"/gates/{gate.pk}/"
    assert "Override the rules" not in page(client, cast.priya, address)
    sent = form(gate, reason="the plant waits")
    assert client.post(f"{address}override", sent).status_code == 403
    User.objects.filter(pk=cast.priya.pk).update(capabilities=["gate.override"])
    assert "Override the rules" in page(client, cast.priya, address)
    answer = client.post(f"{address}override", sent, follow=True)
    assert "closed against its rules, in your name" in answer.content.decode()
    text = page(client, cast.dmitri, address)
    assert "Closed against its rules by Priya Nair" in text
    assert "the plant waits" in text
    assert "overridden" in page(client, cast.dmitri, f"/runs/{gate.run_id}/")
    assert Override.objects.get().by == cast.priya


# --- away ----------------------------------------------------------------------------------------


def away(cast: Cast, deputy: User | None) -> dict[str, Any]:
    today = timezone.now().date()
    return {
        "since": str(today), "until": str(today + timedelta(days=6)), "reason": "holiday",
        "deputy": deputy.username if deputy else "", "persona": "DS" if deputy else "",
    }  # fmt: skip


def test_i_say_that_i_am_away_and_who_acts_for_me(client: Client, cast: Cast, gate: Gate) -> None:
    assert "Noor Haddad (DS)" in page(client, cast.sofia, "/away/")
    answer = client.post("/away/", away(cast, cast.noor), follow=True)
    assert "Noted." in answer.content.decode()
    made = Delegation.objects.get()
    assert (made.until - made.since).days == 7
    assert "Noor Haddad for them" in page(client, cast.dmitri, f"/gates/{gate.pk}/")
    text = page(client, cast.noor, f"/gates/{gate.pk}/")
    assert "the deputy of Sofia Reyes" in text
    refused = client.post(f"/gates/{gate.pk}/", form(gate))
    assert refused.status_code == 403
    client.post(f"/gates/{gate.pk}/", form(gate, **{"as": "sofia"}))
    assert gate.decisions.get().who == "Noor Haddad for Sofia Reyes"
    assert "Noor Haddad for Sofia Reyes" in page(client, cast.dmitri, f"/gates/{gate.pk}/")
    page(client, cast.noor, "/away/")
    client.post(f"/away/{made.pk}/end", {})
    page(client, cast.noor, f"/gates/{gate.pk}/", status=404)


def test_a_bad_absence_is_named(client: Client, cast: Cast) -> None:
    client.force_login(cast.sofia)
    bad = [("since", {"since": "soon"}), ("until", {"until": "2020-01-01"}),
           ("deputy", {"deputy": "nobody"}), ("persona", {"persona": ""})]  # fmt: skip
    for field, changes in bad:
        answer = client.post("/away/", {**away(cast, cast.noor), **changes})
        assert answer.status_code == 422
        assert f'<span class="where">{field}</span>' in answer.content.decode()
    assert not Delegation.objects.exists()
    client.post("/away/", away(cast, None))
    assert Delegation.objects.get().deputy is None


def test_nobody_ends_what_does_not_concern_them(client: Client, cast: Cast) -> None:
    now = timezone.now()
    wish = Wish(giver=cast.sofia, since=now, until=now + timedelta(days=2))
    made = delegate(actor=acting(cast.sofia), wish=wish).data["delegation"]
    client.force_login(cast.kenji)
    assert client.post(f"/away/{made}/end", {}).status_code == 404
