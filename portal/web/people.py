"""People: who there is, who is away; and the map of what they are good at."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from personas import profiles
from personas.errors import Invalid
from personas.models import Persona, User
from personas.policies import may_manage_users
from pipelines.runs.queries import people as queries
from pipelines.runs.queries.clock import now
from portal import access
from portal.web import persona_map
from portal.web.errors import form_page, page
from portal.web.forms import actor_of, done, key_of, text_of, user_of
from portal.web.settings import points_of


@page
def people(request: HttpRequest) -> HttpResponse:
    """Show people by name: personas, seats, whether away and until when, who acts for them."""
    user = user_of(request)
    after = request.GET.get("after", "")
    wanted = queries.Wanted(
        word=request.GET.get("q", "").strip()[:120],
        persona=request.GET.get("persona", "")[:8],
        after=int(after) if after.isdecimal() and len(after) < 19 else None,
        away=request.GET.get("away") == "1",
    )
    context = {
        "section": "people",
        "tab": "people",
        "now": now(),
        "wanted": wanted,
        "view": queries.people(access.people_of(user), access.use_cases_of(user), wanted),
    }
    return render(request, "people/people.html", context)


@form_page
def the_map(request: HttpRequest) -> HttpResponse:
    """Show the persona map; a POST sets my own point, or a persona's ranges (`do`)."""
    if request.method != "POST":
        return _show(request, problems={})
    try:
        if request.POST.get("do") == "ranges":
            persona = access.persona_for(text_of(request, "persona"))
            answer = profiles.change_ranges(
                actor=actor_of(request),
                persona=persona,
                ranges={name: _whole(request, name) for name in profiles.RANGES},
                key=key_of(request),
            )
            told = _("The ranges of %(persona)s are saved.") % {"persona": persona}
        else:
            own = {name: points_of(request, name) for name in profiles.POINTS}
            answer = profiles.change_profile(
                actor=actor_of(request), changes=own, key=key_of(request)
            )
            told = _("Your point is saved.")
    except Invalid as error:
        return _show(request, problems=error.fields)
    return done(request, answer, told, to=request.path)


def _whole(request: HttpRequest, name: str) -> int:
    """Return posted points. Raises Invalid where that is no whole number."""
    found = points_of(request, name)
    if not isinstance(found, int):
        told = {name: [f"must be a whole number from 0 to {profiles.EXPERT}"]}
        raise Invalid(_("The ranges cannot be changed."), fields=told)
    return found


def _show(request: HttpRequest, *, problems: dict[str, list[str]]) -> HttpResponse:
    user = user_of(request)
    view = queries.persona_map(access.people_of(user), access.use_cases_of(user), user)
    posted = request.POST if problems else {}
    context = {
        "section": "people",
        "tab": "map",
        "now": now(),
        "view": view,
        "picture": persona_map.picture(view),
        "rows": {persona.code: persona for persona in view.personas},
        "waits": [_("up to 4 h"), _("a day"), _("3 days"), _("a week"), _("longer")],
        "problems": problems,
        "standard": _standard(user, view.personas),
        "given": {name: posted.get(name, getattr(user, name)) for name in profiles.POINTS},
        "edited": posted.get("persona", ""),
        "posted": posted,
        "may_edit": may_manage_users(user),
    }
    return render(request, "people/map.html", context, status=422 if problems else 200)


def _standard(user: User, personas: Sequence[Persona]) -> dict[str, int | None]:
    """Return where the person's first persona stands: what an empty field means."""
    held = {persona.pk for persona in user.personas.all()}
    first = next((persona for persona in personas if persona.pk in held), None)
    return {axis: getattr(first, f"{axis}_point", None) for axis in ("ml", "deployment")}
