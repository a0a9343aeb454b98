"""Help where it is needed: words that explain themselves, what keys do, the first pages.

Registered as built-ins in the settings, so templates load nothing.
"""

from typing import Any

from django import template
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from portal.glossary import TERMS
from portal.web.tours import tour_of

register = template.Library()

PLACES = (  # the letter after "g", what it opens
    ("i", _("Inbox"), "web:inbox"),
    ("b", _("Board"), "web:board"),
    ("u", _("Use cases"), "web:use_cases"),
    ("n", _("New use case"), "web:new_use_case"),
    ("m", _("Models"), "web:models"),
    ("f", _("Flow"), "web:flow"),
    ("p", _("People"), "web:persona_map"),
    ("l", _("Ledger"), "web:ledger"),
    ("s", _("Settings"), "web:settings"),
    ("h", _("Help"), "web:help"),
)


@register.inclusion_tag("help/_keys.html")
def keys() -> dict[str, Any]:
    """Render what keys do; places that this installation lacks are left out."""
    places = []
    for key, title, name in PLACES:
        try:
            places.append((key, title, reverse(name)))
        except NoReverseMatch:
            continue
    return {"places": places}


@register.inclusion_tag("components/term.html", takes_context=True)
def term(context: Context, name: str, text: str = "") -> dict[str, object]:
    """Show a word of the glossary, explained on hover, focus and press; raises KeyError.

    Not inside of links, buttons and summaries: it is a button itself.
    """
    known = TERMS[name]
    request = context.get("request")
    number = getattr(request, "terms_shown", 0) + 1
    if request is not None:
        request.terms_shown = number
    key = f"term-{number}-{name.replace(' ', '-').replace(',', '')}"
    return {"key": key, "text": text or known.word, "meaning": known.meaning}


@register.inclusion_tag("help/_tour.html", takes_context=True)
def tour(context: Context) -> dict[str, object]:
    """Show the person's tour of the first pages until it is put away."""
    user = context["user"]
    return {"tour": tour_of(user), "user": user, "csrf_token": context.get("csrf_token")}


@register.simple_tag
def meaning(name: str) -> str:
    """Return what a word of the glossary means, as plain text; raises KeyError."""
    return str(TERMS[name].meaning)
