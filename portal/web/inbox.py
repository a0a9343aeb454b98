"""The inbox: what waits for the person who looks, and what can be done about it at once."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipelines.runs.actions import handoffs, items, stages
from pipelines.runs.queries import inbox as queries
from portal import access
from portal.web.errors import change, page
from portal.web.forms import actor_of, done, key_of, user_of


@page
def inbox(request: HttpRequest) -> HttpResponse:
    """Show what waits for this person."""
    found = queries.inbox(user_of(request))
    context = {
        "section": "inbox",
        "inbox": found,
        "now": found.now,
        "inbox_count": found.waiting,
    }
    return render(request, "inbox/inbox.html", context)


@page
def count(request: HttpRequest) -> HttpResponse:
    """Answer how much waits, for the badge on other pages."""
    answer = HttpResponse(str(queries.waiting_for(user_of(request))), content_type="text/plain")
    answer["Cache-Control"] = "no-store"
    return answer


@change
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept a hand-off."""
    hand_off = access.hand_off_for(user_of(request), pk)
    answer = handoffs.accept(actor=actor_of(request), hand_off=hand_off, key=key_of(request))
    return done(request, answer, f"Accepted: {hand_off.target.key} is yours now.")


@change
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a work item."""
    item = access.item_for(user_of(request), pk)
    answer = items.claim(actor=actor_of(request), item=item, key=key_of(request))
    return done(request, answer, f"“{item.title}” is yours now.")


@change
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a stage that nobody owns."""
    stage = access.stage_for(user_of(request), pk)
    answer = stages.take(actor=actor_of(request), stage=stage, key=key_of(request))
    return done(request, answer, f"You own {stage.key} now.")
