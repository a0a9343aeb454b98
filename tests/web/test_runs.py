"""The page of a run: how it stands, what computes, where the time went, what may be done."""

import uuid
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from personas.models import User
from pipelines.runs.models import Attempt, Run
from tests import factories
from tests.cast import Cast
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast)


def page(client: Client, user: User, run: Run) -> str:
    client.force_login(user)
    answer = client.get(f"/runs/{run.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, address: str, **form: str) -> tuple[int, str]:
    sent = {"idempotency_key": str(uuid.uuid4()), **form}
    answer = client.post(address, sent, follow=True)
    status = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
    return status, answer.content.decode()


def test_it_says_who_holds_the_baton(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    text = page(client, cast.sofia, run)
    assert "is asked to decide on Prepare" in text
    assert "Where the time went" in text
    assert "waiting for people" in text


def test_what_computes_shows_progress_and_speed(client: Client, cast: Cast) -> None:
    run = engine.run(cast, engine.stage("prepare", "DE"))
    held = engine.claim()
    Attempt.objects.filter(pk=held.id).update(
        progress=0.25,
        progress_text="joining weather",
        progress_rows=5000,
        progress_at=F("started_at") + timedelta(seconds=10),
    )
    text = page(client, cast.dmitri, run)
    assert '<progress class="progress" max="1" value="0.25"' in text
    assert "joining weather" in text
    assert "500 rows/s" in text


def test_a_cached_step_names_the_attempt_that_computed_it(
    client: Client, cast: Cast, run: Run
) -> None:
    factories.work_off(most=1)
    first = run.attempts.get(step__key="state")
    again = factories.run_of(cast, run.use_case, parameters={"seconds": 0.0})
    factories.work_off(most=1)
    text = page(client, cast.dmitri, again)
    assert "from the cache" in text
    assert f"computed by attempt {first.pk} (Run 1 of Late flights" in text


def test_a_failed_step_says_what_to_do(client: Client, cast: Cast) -> None:
    run = engine.run(cast, engine.stage("prepare", "DE"))
    engine.fail(engine.claim())
    text = page(client, cast.dmitri, run)
    assert "it broke" in text
    assert "Try again" in text
    assert "belongs to DE" in page(client, cast.sofia, run)
    client.force_login(cast.dmitri)
    address = f"/steps/{engine.step_of(run, 'work').pk}/retry"
    status, text = send(client, address, overrides="message hello")
    assert status == 422
    assert "line 1 must read name = value" in text
    status, text = send(client, address, overrides="message = another try")
    assert (status, "work is tried again." in text) == (302, True)
    attempt = engine.attempt_of(run, "work")
    assert (attempt.number, attempt.params["message"]) == (2, "another try")


def test_pause_needs_the_right_and_a_reason(client: Client, cast: Cast, run: Run) -> None:
    assert "it needs the capability run.manage" in page(client, cast.sofia, run)
    status, _ = send(client, f"/runs/{run.pk}/pause", reason="audit")
    assert status == 403
    client.force_login(cast.priya)
    assert send(client, f"/runs/{run.pk}/pause")[0] == 422
    assert send(client, f"/runs/{run.pk}/pause", reason="audit")[0] == 302
    assert "is paused: audit" in page(client, cast.priya, run)
    assert send(client, f"/runs/{run.pk}/resume")[0] == 302
    run.refresh_from_db()
    assert run.state == "RUNNING"


def test_a_second_click_cancels_once(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.amara)
    key = str(uuid.uuid4())
    sent = {"reason": "not needed", "idempotency_key": key}
    assert send(client, f"/runs/{run.pk}/cancel", **sent)[0] == 302
    assert "nothing happened twice" in send(client, f"/runs/{run.pk}/cancel", **sent)[1]
    assert send(client, f"/runs/{run.pk}/cancel", reason="again")[0] == 409


def test_a_stage_is_taken_and_run_again(client: Client, cast: Cast, run: Run) -> None:
    factories.work_off(most=1)
    stage = factories.stage_of(run, "prepare")
    client.force_login(cast.dmitri)
    assert send(client, f"/stages/{stage.pk}/take")[0] == 302
    factories.work_off()
    stage = factories.stage_of(run, "prepare")
    assert send(client, f"/stages/{stage.pk}/rerun")[0] == 422
    status, text = send(client, f"/stages/{stage.pk}/rerun", reason="new data")
    assert (status, "Round 2 of prepare is under way." in text) == (302, True)
    assert "new data" in text


def test_a_stranger_learns_nothing(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.iris)
    assert client.get(f"/runs/{run.pk}/").status_code == 404
    assert client.post(f"/runs/{run.pk}/pause", {"reason": "x"}).status_code == 404
    assert client.get(f"/runs/{run.pk}/pause").status_code == 405


def test_queries_do_not_grow_with_the_run(
    client: Client, cast: Cast, run: Run, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    gate = factories.to_gate(cast, run)
    page(client, cast.sofia, run)  # the process remembers blueprints
    with django_assert_num_queries(14):
        client.get(f"/runs/{run.pk}/")
    engine.decide(cast.sofia, gate, "request_changes")
    factories.work_off()
    with django_assert_num_queries(14):
        client.get(f"/runs/{run.pk}/")
