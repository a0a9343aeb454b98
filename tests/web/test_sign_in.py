"""Sign in and out."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db


def test_every_page_asks_for_a_person(client: Client) -> None:
    for path in ("/", "/use-cases/", "/use-cases/new/", "/use-cases/late-flights/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"] == f"/sign-in/?next={path}"


def test_signs_in_in_any_case_and_goes_on(client: Client, cast: Cast) -> None:
    form = {"username": "SOFIA", "password": PASSWORD, "next": "/use-cases/"}
    answer = client.post("/sign-in/", form)
    assert answer.status_code == 302
    assert answer["Location"] == "/use-cases/"
    assert client.get("/").status_code == 200


def test_refuses_a_wrong_password_and_keeps_the_name(client: Client, cast: Cast) -> None:
    answer = client.post("/sign-in/", {"username": "sofia", "password": "wrong"})
    page = answer.content.decode()
    assert "do not match" in page
    assert 'value="sofia"' in page
    assert "wrong" not in page


def test_goes_on_to_no_other_host(client: Client, cast: Cast) -> None:
    form = {"username": "sofia", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/sign-in/", form)["Location"] == "/"


def test_demo_logins_show_in_a_demo_only(client: Client, settings: Any) -> None:
    settings.DEMO = False
    assert "pass the baton" not in client.get("/sign-in/").content.decode()
    settings.DEMO = True
    assert "pass the baton" in client.get("/sign-in/").content.decode()


def test_signs_out_by_post_only(client: Client, cast: Cast) -> None:
    client.force_login(cast.sofia)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/").status_code == 302


def test_an_address_that_leads_nowhere_says_so(client: Client) -> None:
    answer = client.get("/nothing-here/")
    assert answer.status_code == 404
    assert "/nothing-here/" in answer.content.decode()


def test_a_forged_form_is_refused_in_words(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.sofia)
    answer = client.post("/inbox/stages/1/take", {})
    assert answer.status_code == 403
    assert "open too long" in answer.content.decode()
