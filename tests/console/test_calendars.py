"""The business calendars in the console: shown, and changed through the domain's action."""

import pytest
from django.test import Client
from django.urls import reverse

from personas.models import BusinessCalendar
from tests.cast import Cast

TABLE = "console:personas_businesscalendar_changelist"
FORM = {"zone": "Europe/Berlin", "mon": "09:00-12:30, 13:30-18:00", "holidays": "2026-12-24"}


@pytest.fixture
def client(cast: Cast) -> Client:
    made = Client()
    made.force_login(cast.priya)
    return made


def act(client: Client, **more: str) -> tuple[str, list[str]]:
    body = {"action": "alter", "_selected_action": "DS", **more}
    answer = client.post(reverse(TABLE), body, follow=True)
    said = [str(message) for message in answer.context.get("messages", ())]
    return answer.content.decode(), said


def test_the_form_starts_with_the_present_hours(client: Client) -> None:
    text, _ = act(client)
    assert 'name="mon" value="00:00-24:00"' in text
    assert 'name="zone" value="UTC"' in text


def test_devops_change_hours_zone_and_holidays(client: Client) -> None:
    _, (told,) = act(client, **FORM)
    assert "done" in told
    calendar = BusinessCalendar.objects.get(persona="DS")
    assert calendar.zone == "Europe/Berlin"
    assert calendar.hours == {"mon": ["09:00-12:30", "13:30-18:00"]}
    assert [day.isoformat() for day in calendar.holidays] == ["2026-12-24"]
    assert BusinessCalendar.objects.get(persona="DE").zone == "UTC"


def test_what_is_wrong_is_said_and_nothing_is_changed(client: Client) -> None:
    text, _ = act(client, **{**FORM, "holidays": "christmas"})
    assert "No dates such as 2026-12-24: christmas" in text
    assert 'value="Europe/Berlin"' in text  # what was typed is kept
    _, (told,) = act(client, zone="Mars", mon="")
    assert "cannot be changed" in told
    assert BusinessCalendar.objects.get(persona="DS").zone == "UTC"
