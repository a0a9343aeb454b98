"""Help: the glossary by persona, what happens next in each stage, and the tour of first pages."""

from functools import cache
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from personas.actions import show_tour
from personas.errors import Invalid
from personas.people import BY_CODE, PERSONAS
from pipelines.blueprints.shipped import shipped
from pipelines.blueprints.spec import Blueprint
from portal.glossary import GROUPS
from portal.web.errors import change, page
from portal.web.forms import actor_of, done, key_of, text_of, user_of
from portal.web.stages_ahead import Ahead, ahead

SHOWN_PLAN: Final = "tabular-classification"


@cache
def _plan() -> Blueprint:
    """Return the plan by which the page tells what happens next: the longest that comes along."""
    return shipped(SHOWN_PLAN)


@cache
def _ahead() -> tuple[Ahead, ...]:
    return ahead(_plan())


@page
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the help; `persona` leaves out words that this persona rarely meets."""
    asked = request.GET.get("persona", "").upper()
    code = asked if asked in BY_CODE else ""
    groups = [
        (key, title, [(name, term) for name, term in terms.items() if _meets(term.of, code)])
        for key, title, terms in GROUPS
    ]
    user = user_of(request)
    context = {
        "section": "help",
        "groups": groups,
        "code": code,
        "personas": PERSONAS,
        "plan": _plan(),
        "ahead": [one for one in _ahead() if not code or code in one.concerns],
        "tour_closed": user.tour_closed_at is not None,
    }
    return render(request, "help/help.html", context)


def _meets(of: tuple[str, ...], code: str) -> bool:
    return not code or not of or code in of


@change
def tour(request: HttpRequest) -> HttpResponse:
    """Show the tour again, or put it away. Raises Invalid."""
    asked = text_of(request, "shown")
    if asked not in ("yes", "no"):
        raise Invalid("The tour is shown or not.", fields={"shown": ["must be yes or no"]})
    shown = asked == "yes"
    answer = show_tour(actor=actor_of(request), shown=shown, key=key_of(request))
    said = "The tour stands on your inbox again." if shown else "Put away. Help shows it again."
    return done(request, answer, said, to="/")
