"""Use cases: the portfolio, the page of one, its people, and the start of a run."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.people import PERSONAS
from pipelines.registry import queries as registry
from pipelines.runs.policies import Hat, not_starting
from pipelines.runs.queries import use_cases as queries
from pipelines.runs.queries.comments import talk_on
from pipelines.runs.queries.track import lines
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import not_managing
from portal import access
from portal.web import track
from portal.web.errors import page
from portal.web.forms import user_of


def address_of(use_case: UseCase) -> str:
    """Return the address of a use case's page."""
    return reverse("web:use_case", args=[use_case.key])


@page
def use_cases(request: HttpRequest) -> HttpResponse:
    """Show the portfolio: who holds each use case, and how it came there."""
    given = request.GET
    number = given.get("page", "1")
    wanted = queries.Wanted(
        search=given.get("q", ""),
        state=given.get("state", "") if given.get("state", "") in queries.FILTERS else "",
        persona=given.get("persona", "")[:8],
        page=int(number) if number.isdecimal() and len(number) < 9 else 1,
    )
    found = queries.portfolio(user_of(request), wanted)
    context = {
        "section": "use_cases",
        "wanted": wanted,
        "filters": queries.FILTERS.items(),
        "personas": PERSONAS,
        "now": found.now,
        "page": found.page,
        "lines": [
            (line, track.spark(line.track) if line.track is not None else None)
            for line in found.lines
        ],
    }
    template = "use_cases/_table.html" if request.htmx else "use_cases/use_cases.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@page
def use_case(request: HttpRequest, key: str) -> HttpResponse:
    """Show one use case: who holds the baton and why, its relay, runs, people and model."""
    user, found = user_of(request), access.use_case_for(user_of(request), key)
    run = request.GET.get("run", "")
    view = queries.use_case_view(found, run_id=int(run) if run.isdecimal() else None)
    hat = Hat(user, view.held_by(user))
    streams = [f"use_case:{found.pk}", *(f"run:{each.pk}" for each in view.runs[:20])]
    context = {
        "section": "use_cases",
        "use_case": found,
        "view": view,
        "now": view.now,
        "streams": ",".join(streams),
        "holders": [(holder, view.who(holder)) for holder in view.baton.holders],
        "picture": track.draw(view.track) if view.track is not None else None,
        "lines": lines(view.track) if view.track is not None else [],
        "models": registry.models(user).filter(use_case=found),
        "not_managing": not_managing(user, found),
        "not_starting": not_starting(hat, view.shown) if view.shown else None,
        "held": hat.personas,
        "talk": talk_on(user, found, settles=bool(hat.personas)),
    }
    return render(request, "use_cases/use_case.html", context)
