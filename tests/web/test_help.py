"""Help: the glossary, the words that explain themselves, the tour of first pages, the keys."""

import re

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import reverse

from personas.models import Event, User
from personas.people import BY_CODE, PERSONAS
from pipelines.blueprints.shipped import shipped
from portal.glossary import TERMS
from portal.web.stages_ahead import ahead
from portal.web.tours import tour_of, tours
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_the_page_holds_every_word_and_stage(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    page = client.get("/help/").content.decode()
    for term in TERMS.values():
        assert f"<dt>{term.word}</dt>" in page
    for stage in shipped("tabular-classification").stages:
        assert stage.title.replace("&", "&amp;") in page


def test_a_persona_is_spared_the_others_words(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    page = client.get("/help/", {"persona": "ba"}).content.decode()
    assert "<dt>ECE</dt>" not in page
    assert "<dt>interval</dt>" in page
    assert client.get("/help/", {"persona": "<b>"}).status_code == 200


def test_every_term_names_known_personas() -> None:
    for name, term in TERMS.items():
        assert set(term.of) <= set(BY_CODE), name
        assert str(term.meaning).endswith("."), name


def test_a_word_explains_itself_without_scripts() -> None:
    request = RequestFactory().get("/")
    page = Template('{% term "hand-off" %} {% term "hand-off" "Hand-offs" %}').render(
        Context({"request": request})
    )
    ids = re.findall(r'popovertarget="([^"]+)" aria-describedby="([^"]+)"', page)
    assert len(set(ids)) == 2
    assert all(first == second and f'id="{first}" popover' in page for first, second in ids)
    assert ">Hand-offs</button>" in page
    assert "style=" not in page


def test_what_happens_next_is_what_the_plan_says() -> None:
    frame, *_rest, last = ahead(shipped("tabular-classification"))
    assert frame.deciders == (("DS", 1),)
    assert [one.key for one in frame.next] == ["source"]
    assert {"BA", "DS", "DE"} <= frame.concerns
    assert last.next == ()


def test_every_persona_has_a_tour_of_pages_that_are_there() -> None:
    known = dict(tours())
    assert set(known) == {one.code for one in PERSONAS}
    for steps in known.values():
        assert 4 <= len(steps) <= 5
        assert all(reverse(step.page) for step in steps)


def test_the_tour_stands_on_the_inbox_until_it_is_put_away(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    assert "Your first pages" in client.get("/").content.decode()
    answer = client.post("/help/tour", {"shown": "no"}, follow=True)
    assert "Your first pages" not in answer.content.decode()
    assert Event.objects.filter(type="person.tour_closed", actor=cast.amara).count() == 1
    client.force_login(cast.dmitri)
    assert "Your first pages" in client.get("/").content.decode()
    client.force_login(cast.amara)
    client.post("/help/tour", {"shown": "yes"})
    assert "Your first pages" in client.get("/").content.decode()
    answer = client.post("/api/v1/me/tour", {"shown": False}, content_type="application/json")
    assert answer.json() == {"tour": False}
    assert tour_of(User.objects.get(pk=cast.amara.pk)) is None


def test_a_reader_without_a_persona_has_a_tour_too(cast: Cast) -> None:
    reader = User.objects.create_user("reader", name="A Reader")
    tour = tour_of(reader)
    assert tour is not None
    assert tour.persona == ""


def test_every_page_carries_the_keys_and_where_they_lead(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    for address in ("/", "/use-cases/", "/help/", "/search/"):
        page = client.get(address).content.decode()
        assert page.count('id="keys"') == 1
        assert 'href="/use-cases/" data-go="u"' in page
    client.logout()
    assert 'id="keys"' not in client.get("/sign-in/").content.decode()


def test_the_glossary_is_answered_as_data(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    rows = client.get("/api/v1/glossary").json()
    assert len(rows) == len(TERMS)
    assert {"name", "group", "word", "meaning", "personas"} == set(rows[0])
