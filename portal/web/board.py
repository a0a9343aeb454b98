"""The board: what is under way, by stage and by who holds it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from personas.people import PERSONAS
from pipelines.portfolio import board as queries
from portal import access
from portal.web import track, views
from portal.web.errors import page
from portal.web.forms import user_of

KINDS = {"main": _("Use cases"), "watch": _("Watch runs")}
LANES = {"persona": _("Lanes by persona"), "use_case": _("Lanes by use case")}
SPARK_WIDTH = 148.0
TIERS = ("1", "2", "3")


def asked_of(request: HttpRequest) -> queries.Asked:
    """Return what the address asks of the board; what it does not know counts as not asked."""
    given = request.GET
    kind, lanes, tier = given.get("kind", ""), given.get("lanes", ""), given.get("tier", "")
    return queries.Asked(
        kind=kind if kind in KINDS else "main",
        lanes=lanes if lanes in LANES else "persona",
        persona=given.get("persona", "")[:8],
        use_case=given.get("use_case", "").strip()[:60],
        tier=int(tier) if tier in TIERS else None,
        blueprint=given.get("blueprint", "")[:60],
        mine=given.get("mine") == "1",
        late=given.get("late") == "1",
        stage=given.get("stage", "")[:60],
    )


@page
def board(request: HttpRequest) -> HttpResponse:
    """Show the board."""
    user, asked = user_of(request), asked_of(request)
    found = queries.board(user, asked)
    sparks = {card.stage: track.spark(card.track, width=SPARK_WIDTH) for card in found.all_cards}
    context = {
        "section": "board",
        "now": found.now,
        "asked": asked,
        "board": found,
        "sparks": sparks,
        "kinds": KINDS.items(),
        "lane_kinds": LANES.items(),
        "personas": PERSONAS,
        "tiers": TIERS,
        "plans": access.blueprints_of(user).filter(kind=asked.kind).order_by("title"),
        "views": views.kept(user, "board", request.GET),
    }
    template = "board/_board.html" if request.htmx else "board/board.html"  # type: ignore[attr-defined]
    return render(request, template, context)
