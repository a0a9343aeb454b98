"""Every page of a simulation says that it is one."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import Cast
from tests.domain.conftest import Later as Later
from tests.domain.conftest import later as later

PAGES = ("/", "/sign-in/", "/use-cases/", "/ledger/", "/console/", "/api/v1/docs/", "/nowhere/")
SAID = '<aside class="simulated"'


@pytest.fixture
def signed_in(client: Client, cast: Cast) -> Client:
    cast.priya.is_staff = True
    cast.priya.save()
    client.force_login(cast.priya)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_simulation_says_so(signed_in: Client, settings: Any, later: Later, page: str) -> None:
    later(days=4000)
    settings.SIMULATION = True
    body = signed_in.get(page, follow=page != "/nowhere/").content.decode()
    assert body.count(SAID) == 1
    year = body.split(SAID)[1].split("<time datetime=")[1][1:5]
    assert int(year) > 2035


@pytest.mark.parametrize("page", PAGES)
def test_a_real_database_does_not(signed_in: Client, page: str) -> None:
    assert SAID not in signed_in.get(page, follow=page != "/nowhere/").content.decode()


def test_its_people_are_listed_at_sign_in(client: Client, db: None, settings: Any) -> None:
    settings.SIMULATION = True
    assert "Oscar Lindqvist" in client.get("/sign-in/").content.decode()
