"""The pages of models: what answers, on whose approval; roll back, alerts, a try."""

import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from pipelines.monitoring.models import Alert
from pipelines.registry.models import Deployment
from pipelines.serving.models import Prediction
from tests.release import Release, cause, gate_of, person, release, run_of, step_with, use_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Release:
    """A version that answers a quarter of the callers; its run asks for 1,000 answers."""
    parameters = {"canary_share": 0.25, "canary_predictions": 1000, "canary_hours": 24}
    found = release(parameters=parameters)
    cause("deploy_canary", found.run)
    return found


def seated(client: Client, made: Release, persona: str) -> None:
    client.force_login(person(f"The {persona}", use_case=made.case, persona=persona))


def page(client: Client, made: Release) -> str:
    answer = client.get(f"/models/{made.model.name}/")
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, address: str, **form: str) -> tuple[int, str]:
    answer = client.post(address, {"idempotency_key": str(uuid.uuid4()), **form}, follow=True)
    status = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
    return status, answer.content.decode()


def answered(made: Release, count: int) -> None:
    """The canary has answered so many rows."""
    deployment = Deployment.objects.get(model=made.model)
    for number in range(count):
        Prediction.objects.create(
            model=made.model,
            version=made.version,
            deployment=deployment,
            mode="canary",
            served_by="model",
            key=f"k{number}",
            score=0.5,
            inputs={"wind": 12.5},
            request=uuid.uuid4(),
            event_time=f"2026-01-0{number % 9 + 1}T00:00:00Z",
        )


def test_the_list_says_what_answers(client: Client, made: Release) -> None:
    seated(client, made, "OPS")
    text = client.get("/models/").content.decode()
    assert made.model.name in text
    assert "canary v1 25 %" in text
    client.force_login(person("Stranger"))
    assert "No model yet" in client.get("/models/").content.decode()


def test_the_canary_says_how_much_it_has_to_answer(client: Client, made: Release) -> None:
    answered(made, 9)
    seated(client, made, "OPS")
    text = page(client, made)
    assert "25 % of the callers" in text
    assert "of 1\u202f000 needed" in text
    assert "of 24 h needed" in text
    assert '<progress class="progress" max="1000" value="9"' in text
    assert "8 d" in text  # the event time that nine answers cover
    assert f"approval {made.version.approval_id}" in text


def test_rolling_back_needs_a_seat_and_a_reason(client: Client, made: Release) -> None:
    address = f"/models/{made.model.name}/rollback"
    seated(client, made, "BA")
    assert "takes a seat as OPS or MLE" in page(client, made)
    assert send(client, address, reason="errors")[0] == 403
    seated(client, made, "OPS")
    assert send(client, address)[0] == 422
    key = str(uuid.uuid4())
    assert send(client, address, reason="errors", idempotency_key=key)[0] == 302
    status, text = send(client, address, reason="errors", idempotency_key=key)
    assert (status, "nothing happened twice" in text) == (302, True)
    assert "rolled back: errors" in text
    assert not Deployment.objects.filter(model=made.model, ended_at=None).exists()
    assert "nothing_deployed" in page(client, made)


def alarm(made: Release) -> Alert:
    found = {"cause": "drift", "severity": "red", "text": "wind: PSI 0.60, limit 0.25"}
    watch = run_of(made.case, kind="watch")
    drift = step_with(watch, "watch.drift", {}, {"alert_list": [found]}, position=9)
    cause("raise_alerts", watch, step=drift)
    return Alert.objects.get()


def test_alerts_are_acknowledged_and_resolved_once(client: Client, made: Release) -> None:
    alert = alarm(made)
    seated(client, made, "BA")
    assert "takes a seat as DS or MLE" in page(client, made)
    assert send(client, f"/alerts/{alert.pk}/acknowledge")[0] == 403
    seated(client, made, "DS")
    assert "wind: PSI 0.60" in page(client, made)
    assert send(client, f"/alerts/{alert.pk}/acknowledge")[0] == 302
    assert send(client, f"/alerts/{alert.pk}/resolve")[0] == 422
    assert send(client, f"/alerts/{alert.pk}/resolve", resolution="a retrain")[0] == 302
    assert "a retrain" in page(client, made)
    status, text = send(client, f"/alerts/{alert.pk}/resolve", resolution="again")
    assert status == 409
    assert "RESOLVED" in text


def test_a_try_keeps_what_was_typed_where_it_is_wrong(client: Client, made: Release) -> None:
    answered(made, 1)
    seated(client, made, "SWE")
    assert 'value="12.5"' in page(client, made)  # the row asked last
    status, text = send(client, f"/models/{made.model.name}/", **{"i.wind": "strong"})
    assert status == 422
    assert "must be a number, got &#x27;strong&#x27;" in text
    assert 'value="strong"' in text


def test_a_try_says_when_nobody_answers(client: Client, made: Release, settings: Settings) -> None:
    settings.SERVE_URL = "http://127.0.0.1:9"  # the discard port: nothing listens there
    seated(client, made, "SWE")
    status, text = send(client, f"/models/{made.model.name}/", **{"i.wind": "4"})
    assert status == 503
    assert "The prediction process does not answer" in text
    assert 'value="4"' in text
    tokens: Any = person("The SWE").tokens
    assert tokens.filter(revoked_at=None).count() == 0


def test_a_stranger_learns_nothing(client: Client, made: Release) -> None:
    alert = alarm(made)
    client.force_login(person("Stranger"))
    assert client.get(f"/models/{made.model.name}/").status_code == 404
    assert client.post(f"/models/{made.model.name}/rollback", {"reason": "x"}).status_code == 404
    assert client.post(f"/alerts/{alert.pk}/acknowledge").status_code == 404


def test_queries_are_fixed(
    client: Client, made: Release, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alarm(made)
    seated(client, made, "DS")
    with django_assert_num_queries(15):
        client.get(f"/models/{made.model.name}/")
    again = release(use_case("other"), seed=1)
    cause("deploy_shadow", again.run, gate=gate_of(again.run))
    answered(made, 3)
    with django_assert_num_queries(15):
        client.get(f"/models/{made.model.name}/")
