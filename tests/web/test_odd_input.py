"""Odd but legal HTTP: what no table can hold is refused on every page, never a defect of ours."""

import pytest
from django.test import Client
from django.urls import reverse

from portal.web import fields
from tests import factories
from tests.cast import Cast


@pytest.fixture
def dmitri(client: Client, cast: Cast) -> Client:
    """Dmitri's browser."""
    client.force_login(cast.dmitri)
    return client


def test_a_text_with_a_null_is_refused(dmitri: Client, cast: Cast) -> None:
    run = factories.hello_run(cast)
    stage = run.stages.first()
    assert stage is not None
    answer = dmitri.post(reverse("web:rerun", args=[stage.pk]), {"reason": "a\0b"})
    assert answer.status_code == 422
    assert "reason" in answer.content.decode()


def test_an_address_with_a_null_is_refused(dmitri: Client) -> None:
    assert dmitri.get("/ledger/", {"person": "a\0b"}).status_code == 422


@pytest.mark.parametrize("text", ["1e999", "nan", "-inf", "9" * 5000])
def test_what_is_no_finite_number_stays_a_text(text: str) -> None:
    assert fields.number_of(text) == text
    assert fields.entry_of(f"a = {text}") == {"a": text}
    assert isinstance(fields.entry_of(text), str)
