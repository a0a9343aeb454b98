"""My settings: profile and expertise, tokens, password and sessions."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.conf import settings as baton
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from personas import profiles
from personas.actions import LONGEST_TOKEN, SCOPES, issue_token, revoke_token
from personas.errors import Conflict, Invalid
from pipelines.runs.queries.clock import now
from portal import access
from portal.web.errors import change, form_page
from portal.web.forms import actor_of, done, key_of, text_of, user_of

TOKEN_DAYS: Final = ("7", "30", "90", "365")
MOST_TOKENS: Final = 100
Problems = Mapping[str, Sequence[str]]


@form_page
def settings(request: HttpRequest) -> HttpResponse:
    """Show profile and expertise; a POST changes one of them (`do`)."""
    if request.method != "POST":
        return _show(request)
    read = _expertise if request.POST.get("do") == "expertise" else _profile
    try:
        answer = profiles.change_profile(
            actor=actor_of(request), changes=read(request), key=key_of(request)
        )
    except Invalid as error:
        return _show(request, problems=error.fields)
    return done(request, answer, _("Your settings are saved."), to=request.path)


def _profile(request: HttpRequest) -> dict[str, object]:
    names = ("name", "email", "time_zone", "language")
    return {name: text_of(request, name) for name in names if name in request.POST}


def _expertise(request: HttpRequest) -> dict[str, object]:
    return {name: points_of(request, name) for name in profiles.POINTS}


def points_of(request: HttpRequest, name: str) -> int | str | None:
    """Return posted points: a number, None where nothing is said, else the text as it came."""
    text = text_of(request, name)
    return (int(text) if text.isdecimal() and len(text) < 5 else text) if text else None


def _show(request: HttpRequest, *, problems: Problems | None = None) -> HttpResponse:
    user = user_of(request)
    posted = request.POST if problems else {}
    names = ("name", "email", "time_zone", "language", *profiles.POINTS)
    personas = list(user.personas.all())
    context = {
        "section": "settings",
        "tab": "profile",
        "problems": problems or {},
        "given": {name: posted.get(name, getattr(user, name)) for name in names},
        "personas": personas,
        "standard": {
            axis: getattr(personas[0], f"{axis}_point") if personas else None
            for axis in ("ml", "deployment")
        },
        "zones": zones(),
        "languages": baton.LANGUAGES,
        "now": now(),
    }
    return render(request, "settings/profile.html", context, status=422 if problems else 200)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Return the time zones people name: by place, and UTC."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"))


@form_page
def tokens(request: HttpRequest) -> HttpResponse:
    """Show my tokens; a POST issues one and shows its secret, this once."""
    if request.method != "POST":
        return _show_tokens(request)
    days = text_of(request, "days")
    try:
        if not days.isdecimal() or len(days) > 4:
            raise Invalid(
                _("The token cannot be issued."),
                fields={"days": [f"must be 1 to {LONGEST_TOKEN.days}, got {days[:20]!r}"]},
            )
        token, secret = issue_token(
            actor=actor_of(request),
            user=user_of(request),
            name=_short_name(request),
            scopes=[scope for scope in request.POST.getlist("scopes") if scope],
            lifetime=timedelta(days=int(days)),
            key=key_of(request),
        )
    except Invalid as error:
        return _show_tokens(request, problems=error.fields)
    answer = _show_tokens(request, issued={"token": token, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer


def _short_name(request: HttpRequest) -> str:
    name, most = text_of(request, "name"), 80
    if len(name) > most:
        told = {"name": [f"has {len(name)} characters; at most {most}"]}
        raise Invalid(_("The token cannot be issued."), fields=told)
    return name


def _show_tokens(
    request: HttpRequest,
    *,
    problems: Problems | None = None,
    issued: Mapping[str, object] | None = None,
) -> HttpResponse:
    moment = now()
    rows = list(access.own_tokens_of(user_of(request))[: MOST_TOKENS + 1])
    context: dict[str, Any] = {
        "section": "settings",
        "tab": "tokens",
        "now": moment,
        "problems": problems or {},
        "given": request.POST if problems else {},
        "chosen": request.POST.getlist("scopes") if problems else ["read"],
        "days": request.POST.get("days", "90") if problems else "90",
        "issued": issued,
        "tokens": rows[:MOST_TOKENS],
        "more": len(rows) > MOST_TOKENS,
        "scopes": _scopes(),
        "lifetimes": TOKEN_DAYS,
        "self": request.path,
    }
    return render(request, "settings/tokens.html", context, status=422 if problems else 200)


def _scopes() -> list[tuple[str, str]]:
    """Return each scope with what it lets a program do."""
    told = {
        "read": _("see what you see"),
        "write": _("change what you may change"),
        "decide": _("decide at gates and hand-offs in your name"),
        "predict": _("ask deployed models"),
        "labels": _("report true outcomes"),
    }
    return [(scope, told.get(scope, "")) for scope in SCOPES]


@change
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make one of my tokens useless at once."""
    token = access.token_for(user_of(request), pk)
    try:
        answer = revoke_token(actor=actor_of(request), token=token)
    except Conflict:
        answer = None  # a second click on the same button: it is what was wanted
    return done(
        request, answer, _("Revoked: %(token)s.") % {"token": token}, to=reverse("web:tokens")
    )


@form_page
def security(request: HttpRequest) -> HttpResponse:
    """Change my password, or sign out everywhere else (`do`)."""
    if request.method != "POST":
        return _show_security(request)
    try:
        if request.POST.get("do") == "sessions":
            answer = profiles.sign_out_elsewhere(actor=actor_of(request), key=key_of(request))
            told = _("Every other session is ended.")
        else:
            answer = profiles.change_password(
                actor=actor_of(request), change=_passwords(request), key=key_of(request)
            )
            told = _("Your password is changed, and every other session is ended.")
    except Invalid as error:
        return _show_security(request, problems=error.fields)
    # The session that asked goes on: it gets the new hash, and a new id.
    user = user_of(request)
    user.refresh_from_db(fields=["password", "sign_outs"])
    update_session_auth_hash(request, user)
    return done(request, answer, told, to=request.path)


def _passwords(request: HttpRequest) -> profiles.PasswordChange:
    """Return what was typed, spaces included. Raises Invalid where the two new ones differ."""
    new, again = request.POST.get("new", ""), request.POST.get("again", "")
    if new != again:
        told = {"again": [_("is not the same as the new password")]}
        raise Invalid(_("The password cannot be changed."), fields=told)
    return profiles.PasswordChange(request.POST.get("current", ""), new)


def _show_security(request: HttpRequest, *, problems: Problems | None = None) -> HttpResponse:
    context = {"section": "settings", "tab": "security", "problems": problems or {}}
    return render(request, "settings/security.html", context, status=422 if problems else 200)
