"""A try on the model's page: web asks the real prediction process, as the person who tries."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from pipelines.serving.models import Prediction
from tests.release import person
from tests.serve.conftest import Asking
from tests.serve.test_predict import go_live, sent_rows, until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_try_is_answered_with_version_deployment_and_approval(
    client: Client, asking: Asking, settings: Settings
) -> None:
    made = asking.release
    go_live(asking)
    settings.SERVE_URL = str(asking.http.base_url).rstrip("/")
    row = sent_rows(asking, 1)[0]
    cleo = person("Cleo")
    client.force_login(cleo)
    types = made.version.facts["types"]
    form = {f"i.{name}": as_text(row[name]) for name in types}
    made.model.refresh_from_db()
    answer = client.post(f"/models/{made.model.name}/", form)
    text = answer.content.decode()
    assert answer.status_code == 200, re.sub(r"\s+", " ", text)[-3000:]
    shown = text[text.index('id="answer"') :]
    assert "<dt>version</dt><dd>1</dd>" in shown
    assert "<dt>approval</dt><dd><a href=" in shown
    assert until(lambda: Prediction.objects.filter(key__startswith="try-").exists())
    assert Prediction.objects.get(key__startswith="try-").asked_by == cleo
    assert not cleo.tokens.filter(name="a try on the page", revoked_at=None).exists()


def as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
