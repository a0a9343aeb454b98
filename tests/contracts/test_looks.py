"""F18 for pages and console: GET, HEAD and OPTIONS leave every row of every table as it was."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.console.tables import site
from portal.web.urls import urlpatterns
from tests.api import world
from tests.cast import Cast

CHART = {"digest": "0" * 64, "theme": "light"}
STREAMS = ("events/",)  # never ends, and has tests of its own
PARAMETER = re.compile(r"<\w+:(\w+)>|\(\?P<(\w+)>[^)]*\)")


@pytest.fixture
def things(cast: Cast) -> dict[str, dict[str, Any]]:
    """One thing of every kind."""
    return world.make(cast)


def pages(things: dict[str, dict[str, Any]]) -> list[str]:
    """Every page's address with its parameters filled in."""
    found = []
    for route in urlpatterns:
        pattern = str(route.pattern)
        nouns = pattern.strip("^$").split("/")
        known = next((things[noun] for noun in nouns[:2] if noun in things), {})
        known = {"verb": "pause", "pk": things["use-cases"]["pk"], **CHART, **known}

        def value(match: re.Match[str], known: dict[str, Any] = known) -> str:
            return str(known[match[1] or match[2]])

        if pattern not in STREAMS:
            found.append("/" + PARAMETER.sub(value, pattern).strip("^$"))
    return found


def tables() -> list[str]:
    """Every table of the console, and its first row."""
    found = ["/console/"]
    for model in site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"console:{name}_changelist"))
        row = model._default_manager.first()
        if row is not None:
            found.append(reverse(f"console:{name}_change", args=[row.pk]))
    return found


def test_looking_at_pages_changes_nothing(cast: Cast, things: dict[str, dict[str, Any]]) -> None:
    client = Client()
    client.force_login(cast.amara)
    client.get("/")
    walk(client, [*pages(things), "/healthz", "/readyz", "/metrics"])


def test_looking_at_the_console_changes_nothing(
    cast: Cast, things: dict[str, dict[str, Any]]
) -> None:
    client = Client()
    client.force_login(cast.priya)
    client.get("/console/")
    walk(client, tables())


def walk(client: Client, addresses: list[str]) -> None:
    before = world.rows()
    assert before["runs.Run"]
    for address in addresses:
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = client.generic(method, address)
            assert answer.status_code < 500, (method, address)
            if hasattr(answer, "streaming_content"):
                b"".join(answer.streaming_content)
    assert world.rows() == before
