"""Numbers, times and catalogues by language: what people read, and what programs read."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.template import engines
from django.utils import timezone, translation

from personas.models import Persona
from personas.people import PERSONAS
from pipelines.runs.queries.people import Passing, PersonaMap
from portal import catalogues
from portal.web import persona_map, tags

AT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)


def test_numbers_are_written_as_the_language_does() -> None:
    with translation.override("en"):
        assert (tags.number(1234.5, 1), tags.number(1234567)) == (
            "1\u202f234.5",
            "1\u202f234\u202f567",
        )
        assert tags.money(-1200.0, "EUR") == "\u22121\u202f200 EUR"
    with translation.override("de"):
        assert (tags.number(1234.5, 1), tags.number(1234567)) == ("1.234,5", "1.234.567")
        assert tags.money(-1200.0, "EUR") == "\u22121.200 EUR"
        assert tags.percent(0.425) == "42,5\u00a0%"
        assert tags.duration(2.5) == "2,5 s"


def test_a_plain_number_of_a_template_is_what_programs_read() -> None:
    template = engines["django"].from_string('<path d="M{{ x }} {{ y }}"/>{{ x|floatformat:1 }}')
    with translation.override("de"):
        assert template.render({"x": 1.5, "y": 1234}) == '<path d="M1.5 1234"/>1.5'


def test_times_are_the_readers() -> None:
    with translation.override("de"), timezone.override(ZoneInfo("Asia/Tokyo")):
        shown = tags.moment(AT)
    assert ">24. Nov 08:30</time>" in shown
    assert 'title="Di, 24. Nov 2026, 08:30:00 JST"' in shown
    assert f'datetime="{AT.isoformat()}"' in shown
    with translation.override("en"):
        assert ">23 Nov 23:30</time>" in tags.moment(AT)


def test_babel_reads_templates() -> None:
    text = """
    {% load i18n %}<p title="{% translate "It's here" %}">isn't python: ) ] }
      {% blocktranslate trimmed count n=rows %}
         one {{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
   odd indent {% translate "Open" context "a gate" %}</p>"""
    found = set(catalogues.in_text(catalogues.plain(text, "a.html")))
    assert ("Open", "a gate") in found
    assert (("one %(n)s row", "%(n)s rows"), None) in found
    assert ("It's here", None) in found


def test_every_text_is_translated_with_the_same_places() -> None:
    """A place that a translation lacks or makes up would fail while a page is shown."""
    assert catalogues.lacking(Path(settings.BASE_DIR)) == {"de": []}
    for path in catalogues.catalogues():
        for message in catalogues.read(path):
            for said in message.string if isinstance(message.string, tuple) else (message.string,):
                ids = message.id if isinstance(message.id, tuple) else (message.id,)
                places = {frozenset(re.findall(r"%\(\w+\)s", text)) for text in ids}
                assert frozenset(re.findall(r"%\(\w+\)s", said)) in places, message.id


def test_a_new_text_is_told_and_not_guessed() -> None:
    known, template = Catalog(locale="de"), Catalog()
    known.add("Open seats", "Offene Plätze")
    template.add("Open seat")
    known.update(template, no_fuzzy_matching=True)
    assert catalogues.untranslated(known) == ["Open seat"]


def shipped() -> tuple[Persona, ...]:
    return tuple(
        Persona(
            code=one.code, title=one.title, lane=one.lane,
            ml_low=one.ml.low, ml_point=one.ml.point, ml_high=one.ml.high,
            deployment_low=one.deployment.low, deployment_point=one.deployment.point,
            deployment_high=one.deployment.high,
        )
        for one in PERSONAS
    )  # fmt: skip


def passing(giver: str, receiver: str, count: int, wait: timedelta) -> Passing:
    return Passing(giver, receiver, count, 0, wait)


def test_the_map_draws_width_by_volume_and_colour_by_wait() -> None:
    view = PersonaMap(
        personas=shipped(),
        people={"DS": 3},
        points=(),
        passings=(
            passing("MLR", "OPS", 100, timedelta(days=10)),
            passing("DE", "DS", 25, timedelta(hours=1)),
            passing("DS", "DS", 1, timedelta(days=2)),
            passing("DS", "GONE", 1, timedelta(days=2)),
        ),
    )
    drawn = persona_map.picture(view)
    assert [(a.passing.giver, a.width, a.tone) for a in drawn.arrows] == [
        ("MLR", 9.0, 4),
        ("DE", 5.2, 0),
        ("DS", 2.2, 2),
    ]
    boxes = {box.code: box for box in drawn.boxes}
    assert (boxes["DS"].people, boxes["BA"].height) == (3, persona_map.THINNEST_RANGE)
    assert boxes["OPS"].mark_y < boxes["MLR"].mark_y  # experts in deployment at the top
    assert "nan" not in repr(drawn)


@pytest.mark.parametrize("point", [0, 50, 100])
def test_marks_on_one_point_are_moved_apart(point: int) -> None:
    personas = shipped()
    for one in personas:
        one.ml_point = one.deployment_point = point
    drawn = persona_map.picture(PersonaMap(personas, {}, (), ()))
    places = [box.mark_x for box in drawn.boxes]
    assert len(set(places)) == len(personas)
    assert min(places) >= drawn.left
    assert max(places) <= drawn.right
