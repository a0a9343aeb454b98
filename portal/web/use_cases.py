"""Use cases: the portfolio, the page of one, its people, and the start of a run."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from personas.people import PERSONAS
from pipelines.portfolio import lists
from pipelines.registry import queries as registry
from pipelines.runs.policies import Hat, not_starting
from pipelines.runs.queries import use_cases as queries
from pipelines.runs.queries.comments import talk_on
from pipelines.runs.queries.track import lines
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import not_managing
from portal import access
from portal.sheets import Cell, csv_file, sheet
from portal.web import track, views
from portal.web.errors import page
from portal.web.forms import user_of


def address_of(use_case: UseCase) -> str:
    """Return the address of a use case's page."""
    return reverse("web:use_case", args=[use_case.key])


STATES = {
    "": _("All states"),
    "open": _("Under way"),
    "new": _("Not started"),
    "over": _("Finished"),
}
# What the columns are sorted by, in their order on the page, and which stand to the right.
COLUMNS = (
    ("title", _("Use case"), False),
    ("holder", _("Who holds it now"), False),
    ("stage", _("Stage and relay so far"), False),
    ("age", _("In stage for"), True),
    ("value", _("Value a year"), True),
    ("tier", _("Tier"), True),
    ("score", _("Test Score, of 7"), True),
    ("forecast", _("Done by (forecast)"), False),
    ("champion", _("Champion"), False),
    ("alerts", _("Open alerts"), True),
)


def wanted_of(request: HttpRequest) -> lists.Wanted:
    """Return what the address asks of the portfolio; what it does not know counts as not asked."""
    given = request.GET
    number, tier = given.get("page", "1"), given.get("tier", "")
    state, sort = given.get("state", ""), given.get("sort", "")
    return lists.Wanted(
        search=given.get("q", ""),
        state=state if state in STATES else "",
        persona=given.get("persona", "")[:8],
        tier=int(tier) if tier in ("1", "2", "3") else None,
        blueprint=given.get("blueprint", "")[:60],
        sort=sort if sort.removeprefix("-") in lists.SORTS else "moved",
        page=max(int(number), 1) if number.isdecimal() and len(number) < 9 else 1,
    )


@page
def use_cases(request: HttpRequest) -> HttpResponse:
    """Show the portfolio: who holds each use case, what it is worth, when it may be done."""
    user, wanted = user_of(request), wanted_of(request)
    found = lists.portfolio(user, wanted)
    context = {
        "section": "use_cases",
        "wanted": wanted,
        "found": found,
        "filters": STATES.items(),
        "tiers": lists.TIERS,
        "personas": PERSONAS,
        "plans": access.blueprints_of(user).filter(kind="main").order_by("title"),
        "views": views.kept(user, "portfolio", request.GET),
        "now": found.now,
        "heads": [(key, text, right, *_turn(key, wanted)) for key, text, right in COLUMNS],
        "lines": [
            (line, track.spark(line.track, width=120) if line.track is not None else None)
            for line in found.lines
        ],
    }
    template = "use_cases/_table.html" if request.htmx else "use_cases/use_cases.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _turn(key: str, wanted: lists.Wanted) -> tuple[str, str]:
    """Return what a click on the head sorts by, and how it is sorted now (as ARIA says it)."""
    if wanted.column != key:
        return key, ""
    falling = lists.SORTS[key][2] is not wanted.turned
    return key if wanted.turned else f"-{key}", "descending" if falling else "ascending"


EXPORTED = (
    *("key", "title", "state", "stage", "persona", "owner", "in_stage_since", "in_stage_seconds"),
    *("due", "value_per_year", "currency", "risk_tier", "test_score", "forecast_p50"),
    *("forecast_p85", "model", "champion_version", "live_since", "open_alerts", "red_alerts"),
    "blueprint",
)


@page
def export(request: HttpRequest) -> HttpResponse:
    """Answer what is looked for, on all pages, as CSV."""
    found = lists.exported(user_of(request), wanted_of(request))
    return csv_file("use-cases", sheet(EXPORTED, (_cells(line) for line in found)))


def _cells(line: lists.Line) -> tuple[Cell, ...]:
    times = (line.due, line.forecast, line.forecast_p85, line.live_since, line.since)
    due, p50, p85, live, since = (at.isoformat() if at else None for at in times)
    return (
        *(line.use_case.key, line.use_case.title, line.latest.state if line.latest else None),
        *(line.stage_title or None, line.persona or None, line.owner or None, since),
        *(line.age.total_seconds() if line.age is not None else None, due, line.value),
        *(line.currency or None, line.tier, line.score, p50, p85, line.model or None),
        *(line.champion, live, line.alerts, line.red_alerts, line.blueprint or None),
    )


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
