"""What every page says in the same way: personas, people, states, times, money, digests.

Registered as built-ins in the settings, so templates load nothing.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from personas.people import BY_CODE
from pipelines.runs.queries import clock
from portal.web import charts, figures, numerals
from portal.web.states import HOLLOW, STATES

register = template.Library()
register.inclusion_tag("components/interval.html")(charts.interval)
register.inclusion_tag("components/chart.html", takes_context=True)(figures.chart)

NOTHING = "\u2013"  # an en dash, where there is no value
MINUS = numerals.MINUS
SMALL = 0.01  # below, three decimals say one digit or none of a threshold

NAVIGATION = (
    ("inbox", _("Inbox"), "web:inbox"),
    ("board", _("Board"), "web:board"),
    ("use_cases", _("Use cases"), "web:use_cases"),
    ("models", _("Models"), "web:models"),
    ("flow", _("Flow"), "web:flow"),
    ("people", _("People"), "web:persona_map"),
    ("ledger", _("Ledger"), "web:ledger"),
)


@register.inclusion_tag("components/navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """Show the main pages; one that this installation lacks is left out."""
    here = context.get("section", "")
    entries = []
    for key, title, name in NAVIGATION:
        try:
            href = reverse(name)
        except NoReverseMatch:
            continue
        entries.append(
            {
                "key": key,
                "title": title,
                "href": href,
                "current": here == key,
                "count": context.get("inbox_count") if key == "inbox" else None,
            }
        )
    return {"entries": entries}


@register.inclusion_tag("components/persona.html")
def persona(code: str, named: str = "") -> dict[str, object]:
    """Show a persona's code in its hue; with "named", its title beside it."""
    known = BY_CODE.get(code)
    return {"code": code, "title": known.title if known else code, "named": named}


@register.inclusion_tag("components/person.html", takes_context=True)
def person(context: Context, who: object) -> dict[str, object]:
    """Show a person (a User or a name), or that there is none."""
    name = str(who) if who else ""
    words = name.split()
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
    return {"name": name, "initials": initials, "in_bar": who is context.get("user")}


@register.simple_tag
def state(value: object, text: str = "") -> SafeString:
    """Show a state as a badge in its tone."""
    name = str(value)
    tone, word = STATES.get(name, ("calm", name.replace("_", " ").lower()))
    hollow = " state--hollow" if name in HOLLOW else ""
    return format_html('<span class="state tone-{}{}">{}</span>', tone, hollow, text or word)


@register.filter
def state_word(value: object) -> str:
    """Return the word people read for a state."""
    return STATES.get(str(value), ("", str(value).replace("_", " ").lower()))[1]


def spell(length: timedelta | float | None) -> str:
    """Return a length of time in its two largest units ("2 d 3 h", "4 min", "0.3 s")."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    sign, seconds = (MINUS if seconds < 0 else ""), abs(seconds)
    if seconds < 10:
        return f"{sign}{numerals.decimal(seconds, 1)} s"
    if seconds < 60:
        return f"{sign}{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 10 and seconds % 60 >= 1:
        return f"{sign}{minutes} min {int(seconds % 60)} s"
    if minutes < 60:
        return f"{sign}{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{sign}{hours} h {minutes} min" if minutes else f"{sign}{hours} h"
    days, hours = divmod(hours, 24)
    return f"{sign}{days} d {hours} h" if hours and days < 14 else f"{sign}{days} d"


@register.filter
def duration(length: timedelta | float | None) -> str:
    """Spell a length of time (a timedelta or seconds)."""
    return spell(length)


def _stamp(at: datetime, text: str, classes: str = "") -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        at.isoformat(),
        numerals.exact(at),
        format_html(' class="{}"', classes) if classes else "",
        text,
    )


def _now(context: Context) -> datetime:
    """Return the database's time: the view's, else asked for once a page."""
    given = context.get("now")
    if isinstance(given, datetime):
        return given
    request = context.get("request")
    known = getattr(request, "database_time", None)
    if not isinstance(known, datetime):
        known = clock.now()
        if request is not None:
            request.database_time = known
    return known


@register.simple_tag(takes_context=True)
def ago(context: Context, at: datetime | None) -> SafeString | str:
    """Show how long ago something was, with the exact time behind it."""
    if at is None:
        return NOTHING
    length = _now(context) - at
    if timedelta(seconds=-5) < length < timedelta(seconds=10):
        return _stamp(at, gettext("just now"))
    if length > timedelta(0):
        return _stamp(at, gettext("%(time)s ago") % {"time": _coarse(length)})
    return _stamp(at, gettext("in %(time)s") % {"time": _coarse(-length)})


def _coarse(length: timedelta) -> str:
    """Return a length in its largest unit: what an age needs."""
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@register.simple_tag(takes_context=True)
def since(context: Context, at: datetime | None) -> SafeString | str:
    """Show how long something has lasted ("3 h"), with its beginning behind it."""
    if at is None:
        return NOTHING
    length = max(_now(context) - at, timedelta(0))
    return _stamp(at, _coarse(length) if length >= timedelta(seconds=5) else gettext("a moment"))


@register.simple_tag(takes_context=True)
def due(context: Context, at: datetime | None) -> SafeString | str:
    """Show a deadline: how long is left or how long it is over, in its colour and in words."""
    if at is None:
        return ""
    left = at - _now(context)
    if left < timedelta(0):
        over = gettext("%(time)s over due") % {"time": _coarse(-left)}
        return _stamp(at, over, "due due--over")
    classes = "due due--soon" if left < timedelta(hours=24) else "due"
    return _stamp(at, gettext("due in %(time)s") % {"time": _coarse(left)}, classes)


@register.simple_tag
def moment(at: datetime | None) -> SafeString | str:
    """Show an exact time ("23 Nov 14:05"), with the year and zone behind it."""
    if at is None:
        return NOTHING
    return _stamp(at, numerals.moment(at))


@register.simple_tag
def day(at: datetime | None) -> SafeString | str:
    """Show the day of a time ("23 Nov 2026"), with the exact time behind it."""
    if at is None:
        return NOTHING
    return _stamp(at, numerals.day(at))


@register.filter
def number(value: float | str | None, digits: int | None = None) -> str:
    """Write a number as the reader does, with at most four significant decimals.

    What would be rounded to nothing, or nearly, is written with two significant digits.
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (digits is None and value == int(value) and abs(value) < 1e15):
        return numerals.whole(int(value))
    if digits is None:
        digits = (
            0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 3 if abs(value) < 10 else 2
        )
        if abs(value) < SMALL:
            return numerals.significant(value)
    return numerals.decimal(value, digits)


@register.simple_tag
def money(value: float | None, currency: str = "") -> str:
    """Write an amount without cents, with its currency."""
    if value is None:
        return NOTHING
    amount = numerals.decimal(value, 0).replace("-", MINUS)
    return f"{amount} {currency}".strip()


@register.simple_tag
def percent(value: float | None, digits: int = 1) -> str:
    """Write a share (0 to 1) as a percentage."""
    return NOTHING if value is None else numerals.share(value, digits)


@register.simple_tag
def digest(value: str | None) -> SafeString | str:
    """Show the first twelve places of a digest, all of them behind it."""
    if not value:
        return NOTHING
    return format_html('<code class="digest" title="{}">{}</code>', value, value[:12])


@register.filter
def megabytes(size: int | None) -> str:
    """Write a number of bytes in the unit that fits."""
    if size is None:
        return NOTHING
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{numerals.decimal(amount, 0 if amount >= 100 or unit == 'B' else 1)} {unit}"
        amount /= 1000
    return ""


@register.simple_tag
def key_field() -> SafeString:
    """Render the hidden field that makes a repeated click the same command."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid.uuid4())


@register.simple_tag(takes_context=True)
def querystring_with(context: Context, **changes: object) -> str:
    """Return the request's query string with some values changed."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query[name] = str(value)
    return str(query.urlencode())


@register.filter
def words(name: object) -> str:
    """Return a name as people write it: without underscores."""
    return str(name).replace("_", " ")


@register.filter
def is_number(value: object) -> bool:
    """Whether a cell holds a number, which stands to the right."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@register.filter
def is_list(value: object) -> bool:
    """Whether a value is a list."""
    return isinstance(value, list | tuple)


@register.filter
def get(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """Return a mapping's value; None where there is none."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def address(noun: str, pk: object) -> str:
    """Return the address of a thing's page, or "" where this installation has no such page."""
    try:
        return reverse(f"web:{noun}", args=[pk])
    except NoReverseMatch:
        return ""


@register.filter
def add_px(place: float, offset: int) -> float:
    """Return a place in a drawing, moved by some pixels."""
    return round(place + offset, 1)


@register.filter
def minus(end: datetime, start: datetime) -> timedelta:
    """Return the time between two moments."""
    return end - start
