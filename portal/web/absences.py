"""Away: who acts for me while I am not here, and for whom I act."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from personas.commands import Answer
from personas.errors import Invalid
from personas.models import User
from pipelines.runs.queries.clock import now
from pipelines.usecases import actions, queries
from pipelines.usecases.policies import under_way
from portal import access
from portal.web.errors import change, form_page
from portal.web.forms import actor_of, done, key_of, text_of, user_of

UTC = ZoneInfo("UTC")


@form_page
def absences(request: HttpRequest) -> HttpResponse:
    """Show my absences and whom I stand in for; a POST notes one more."""
    if request.method != "POST":
        return _show(request)
    try:
        answer = _delegate(request)
    except Invalid as error:
        return _show(request, problems=error.fields, status=422)
    return done(request, answer, "Noted.", to=request.path)


def _delegate(request: HttpRequest) -> Answer:
    """Note the absence the form says, from the first day's begin to the last day's end."""
    user = user_of(request)
    first, last = _day(request, "since"), _day(request, "until")
    deputy, persona = text_of(request, "deputy"), text_of(request, "persona")
    key = text_of(request, "use_case")
    wish = actions.Wish(
        giver=user,
        deputy=access.person_named(deputy, field="deputy") if deputy else None,
        persona=persona or None,
        use_case=access.use_case_for(user, key) if key else None,
        since=_midnight(user, first),
        until=_midnight(user, last + timedelta(days=1)),
        reason=text_of(request, "reason"),
    )
    return actions.delegate(actor=actor_of(request), wish=wish, key=key_of(request))


def _day(request: HttpRequest, name: str) -> date:
    try:
        return date.fromisoformat(text_of(request, name))
    except ValueError:
        told = {name: [f"must be a day such as 2027-03-31, got {text_of(request, name)!r}"]}
        raise Invalid("This cannot be noted.", fields=told) from None


def _midnight(user: User, day: date) -> datetime:
    """Return when the day begins where the person is."""
    try:
        zone = ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return datetime.combine(day, time(), tzinfo=zone)


@change
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a delegation from now on."""
    found = access.delegation_for(user_of(request), pk)
    answer = actions.end_delegation(actor=actor_of(request), delegation=found, key=key_of(request))
    return done(request, answer, f"Ended: {found}.")


def _show(
    request: HttpRequest, *, problems: Mapping[str, Sequence[str]] | None = None, status: int = 200
) -> HttpResponse:
    user = user_of(request)
    moment = now()
    mine = queries.personas_held(user)
    context = {
        "section": "away",
        "now": moment,
        "given": request.POST,
        "problems": problems or {},
        "delegations": queries.delegations_of(user, moment),
        "under_way": set(under_way().values_list("pk", flat=True)),
        "personas": mine,
        "deputies": queries.possible_deputies(user, mine),
        "use_cases": access.use_cases_of(user).filter(retired_at=None).order_by("title")[:200],
    }
    return render(request, "people/away.html", context, status=status)
