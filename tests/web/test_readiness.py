"""The readiness page and its twin in the API."""

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from pipelines.checks.worries.meaning import meaning
from pipelines.readiness.actions import Statement, attest
from pipelines.readiness.queries import readiness
from pipelines.usecases.models import UseCase
from tests import factories
from tests.api import world
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def use_case(cast: Cast) -> UseCase:
    return factories.use_case(cast)


@pytest.fixture
def things(cast: Cast) -> dict[str, dict[str, Any]]:
    """One thing of every kind, with a released package to sign for."""
    return world.make(cast)


def test_without_a_run_it_says_what_would_fill_it(
    client: Client, cast: Cast, use_case: UseCase
) -> None:
    client.force_login(cast.sofia)
    text = client.get(f"/use-cases/{use_case.key}/readiness/").content.decode()
    assert "no run yet: start one" in text
    assert "one in each of 4 equally weak sections: 0.0 → 1.0" in text
    assert "Nobody has looked yet" in text
    assert "Nobody has signed anything yet" in text
    assert text.count("</svg> not looked at<") == 26


def test_what_the_run_shows_earns_points(client: Client, cast: Cast) -> None:
    case = engine.use_case(cast)
    fields = [{"key": "ethics", "label": "Ethics", "kind": "text"}]
    stage = engine.stage(
        "evaluate",
        "MLR",
        items=[engine.form("limits", fields=fields)],
        gate=engine.gate("DS", checks=[{"name": "target_met", "blocking": False}]),
    )
    run = engine.run(cast, stage, on=case)
    engine.fill(cast.kenji, engine.item_of(run, "limits"), ethics="people decide")
    found = {result.test.id: result.finding for result in readiness(case).tests}
    assert (found["Model7"].points, found["Model1"].points) == (0.5, 0.5)
    assert found["Model7"].text == "Stated: people decide"
    engine.decide(cast.sofia, engine.gate_of(run))
    found = {result.test.id: result.finding for result in readiness(case).tests}
    assert found["Model1"].points == 1.0
    assert "approved by Sofia Reyes" in found["Model1"].text
    assert (found["Model1"].noun, found["Model1"].pk) == ("gate", engine.gate_of(run).pk)


def test_the_api_answers_the_same(client: Client, cast: Cast, use_case: UseCase) -> None:
    factories.run_of(cast, use_case)
    client.force_login(cast.sofia)
    found = client.get(f"/api/v1/use-cases/{use_case.key}/readiness").json()
    assert found["score"] == readiness(use_case).score
    assert [section["key"] for section in found["sections"]] == [
        "data",
        "model",
        "infra",
        "monitor",
    ]
    assert len(found["tests"]) == 28
    assert found["tests"][0]["next"].startswith("Sign the data contract")
    assert (found["tests"][0]["basis"], found["tests"][0]["signers"]) == ("not done", ["DE"])
    assert found["next_test"] == found["advice"][0]["test"] == "Data1"
    assert found["score_after"] == 0.5  # the plan is versioned: half a point of Model1 is there
    assert len(found["worries"]) == 26


def test_the_worries_are_told_in_the_readers_voice_or_another(
    client: Client, cast: Cast, use_case: UseCase
) -> None:
    client.force_login(cast.tomas)
    own = next(iter(cast.tomas.personas.values_list("code", flat=True)))
    address = f"/use-cases/{use_case.key}/readiness/"
    text = client.get(address).content.decode()
    assert escape(meaning("W1")[own]) in text
    assert text.count('class="radar__name"') == 26
    assert text.count('class="radar__column"') == 6
    as_analyst = client.get(f"{address}?voice=BA").content.decode()
    assert escape(meaning("W1")["BA"]) in as_analyst
    assert escape(meaning("W1")[own]) not in as_analyst
    assert client.get(f"{address}?voice=nobody").content.decode().count("aria-current") >= 1
    worry = client.get(f"/api/v1/use-cases/{use_case.key}/readiness").json()["worries"][0]
    assert worry["meaning"]["BA"] == meaning("W1")["BA"]
    assert (worry["columns"], worry["rows"], worry["level"]) == ([], None, "not looked at")


def test_the_analyst_is_the_second_voice(client: Client, cast: Cast) -> None:
    case = engine.use_case(cast)
    fields = [{"key": "understood", "label": "I stand by it", "kind": "bool"}]
    stage = engine.stage(
        "evaluate",
        "MLR",
        items=[engine.form("limits", fields=fields)],
        gate=engine.gate("BA", checks=[{"name": "worries", "blocking": False}]),
    )
    run = engine.run(cast, stage, on=case)
    engine.fill(cast.kenji, engine.item_of(run, "limits"), understood=True)
    assert readiness(case).worries[25].level == "note"
    engine.decide(cast.amara, engine.gate_of(run))
    found = readiness(case).worries[25]
    assert found.level == "clear"
    assert "approved by Amara" in found.text


def test_a_stranger_learns_nothing(client: Client, cast: Cast, use_case: UseCase) -> None:
    client.force_login(cast.iris)
    assert client.get(f"/use-cases/{use_case.key}/readiness/").status_code == 404
    for more in ("readiness", "readiness/history", "attestations"):
        assert client.get(f"/api/v1/use-cases/{use_case.key}/{more}").status_code == 404


def test_signed_by_page_seen_everywhere(
    client: Client, cast: Cast, things: dict[str, dict[str, Any]]
) -> None:
    """Priya signs; a mistake keeps what she typed; Kenji finds no form; she takes it back."""
    key = things["use-cases"]["key"]
    where = f"/use-cases/{key}/readiness/"
    client.force_login(cast.priya)
    assert 'id="sign-Infra7"' in client.get(where).content.decode()
    form = {"test": "Infra7", "persona": "OPS", "seen": things["use-cases"]["seen"], "days": "30"}
    answer = client.post(f"/use-cases/{key}/attest", {**form, "statement": "ok", "evidence": "no"})
    assert answer.status_code == 422
    assert "neither an address" in answer.content.decode()
    assert ">ok</textarea>" in answer.content.decode()
    said = {**form, "statement": "walked <b>back</b>", "evidence": "/runs/1/"}
    answer = client.post(f"/use-cases/{key}/attest", {**said, "seen": "0" * 64})
    assert (answer.status_code, "look again" in answer.content.decode()) == (409, True)
    assert client.post(f"/use-cases/{key}/attest", said).status_code == 302
    text = client.get(where).content.decode()
    assert "walked &lt;b&gt;back&lt;/b&gt;" in text
    assert '<polyline class="steps__line"' in text
    assert 'Infra7</span> <span class="nowrap">0.0 → 0.5' in text
    assert 'id="sign-Infra7"' not in text
    past = client.get(f"/api/v1/use-cases/{key}/readiness/history").json()["results"]
    assert past[0]["changes"][0]["test"] == "Infra7"
    signed = client.get(f"/api/v1/use-cases/{key}/attestations?test=Infra7").json()["results"]
    assert [(one["state"], one["user"]["name"]) for one in signed] == [("STANDING", "Priya Nair")]
    client.force_login(cast.kenji)
    assert "Take it back" not in client.get(where).content.decode()
    client.force_login(cast.priya)
    client.post(f"/attestations/{signed[0]['id']}/withdraw", {"reason": "of another day"})
    assert "of another day" in client.get(where).content.decode()


def test_queries_are_fixed(
    client: Client,
    cast: Cast,
    use_case: UseCase,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    run = factories.run_of(cast, use_case)
    gate = factories.to_gate(cast, run)
    engine.decide(cast.sofia, gate)
    factories.work_off()
    client.force_login(cast.sofia)
    client.get(f"/use-cases/{use_case.key}/readiness/")  # the process remembers blueprints
    with django_assert_max_num_queries(28):
        client.get(f"/use-cases/{use_case.key}/readiness/")


def test_queries_do_not_grow_with_what_was_signed_and_released(
    client: Client,
    cast: Cast,
    things: dict[str, dict[str, Any]],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    key = things["use-cases"]["key"]
    case = UseCase.objects.get(key=key)
    for user, test in ((cast.priya, "Infra6"), (cast.priya, "Mon6"), (cast.lena, "Infra5")):
        statement = Statement(test, "I looked at it", world.subject_of(case, test))
        attest(actor=acting(user), use_case=case, statement=statement)
    client.force_login(cast.lena)
    client.get(f"/use-cases/{key}/readiness/")
    with django_assert_max_num_queries(30):
        client.get(f"/use-cases/{key}/readiness/")
