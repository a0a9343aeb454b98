"""Notifications: what I was told, what I have read, and how I wish to be told."""

from datetime import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from personas.commands import Answer
from personas.errors import Invalid
from pipelines.notifications import actions, kinds, queries
from portal.web.errors import change, form_page, page
from portal.web.forms import actor_of, done, key_of, text_of, user_of, whole_of

SHOWN = {"": ("new", "read"), "new": ("new",), "read": ("read",)}


@page
def notifications(request: HttpRequest) -> HttpResponse:
    """Show what the person was told, unread first; showing marks nothing."""
    user = user_of(request)
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds.KINDS else ""
    show = request.GET.get("show", "")
    show = show if show in SHOWN else ""
    given = request.GET.get("before", "")
    before = int(given) if show and given.isdecimal() and len(given) < 19 else None
    parts = [queries.part(user, key, kind=kind, before=before) for key in SHOWN[show]]
    lines = [line.pk for one in parts for day in one.days for g in day.groups for line in g.lines]
    context = {
        "section": "notifications",
        "parts": parts,
        "kind": kind,
        "show": show,
        "kinds": kinds.KINDS,
        "newest": max(lines, default=0),
        "news": sum(one.count for one in parts if one.key == "new"),
    }
    return render(request, "notifications/notifications.html", context)


@page
def count(request: HttpRequest) -> HttpResponse:
    """Answer how many are unread, for the badge in the bar."""
    found = queries.unread(user_of(request))
    text = f"{queries.MOST_COUNTED}+" if found > queries.MOST_COUNTED else str(found)
    answer = HttpResponse(text, content_type="text/plain")
    answer["Cache-Control"] = "no-store"
    return answer


@change
def read(request: HttpRequest) -> HttpResponse:
    """Mark one as read (`id`), or all that the page showed and what is older (`until`)."""
    pk, until = whole_of(request, "id"), whole_of(request, "until")
    answer = actions.mark_read(
        actor=actor_of(request),
        ids=[pk] if pk is not None else [],
        until=until,
        key=key_of(request),
    )
    number = int(answer.data["read"])
    told = ngettext("%(number)s marked as read.", "%(number)s marked as read.", number)
    return done(request, answer, told % {"number": number})


@form_page
def notification_settings(request: HttpRequest) -> HttpResponse:
    """Show how I am told; a POST says how I wish to be. Opening it changes nothing."""
    if request.method != "POST":
        return _show(request)
    try:
        answer = _set(request)
    except Invalid as error:
        return _show(request, problems=error.fields, status=422)
    return done(request, answer, _("Noted."), to=request.path)


def _set(request: HttpRequest) -> Answer:
    hour = whole_of(request, "digest_hour")
    wish: dict[str, Any] = {
        "mail": text_of(request, "mail") == "on",
        "by_kind": {kind: text_of(request, f"kind-{kind}") for kind in kinds.KINDS},
        "digest_hour": -1 if hour is None else hour,
        "quiet_from": _time(request, "quiet_from"),
        "quiet_until": _time(request, "quiet_until"),
    }
    return actions.set_preferences(actor=actor_of(request), wish=wish, key=key_of(request))


def _time(request: HttpRequest, name: str) -> time | None:
    text = text_of(request, name)
    try:
        return time.fromisoformat(text).replace(tzinfo=None) if text else None
    except ValueError:
        told = {name: [f"must be a time such as 22:00, got {text[:40]!r}"]}
        raise Invalid("This cannot be set.", fields=told) from None


def _show(request: HttpRequest, *, problems: Any = None, status: int = 200) -> HttpResponse:
    user = user_of(request)
    held: dict[str, Any] = actions.summary(queries.preferences_of(user))
    if request.method == "POST":
        held |= {n: text_of(request, n) for n in ("digest_hour", "quiet_from", "quiet_until")}
        held["mail"] = text_of(request, "mail") == "on"
        held["by_kind"] = {kind: text_of(request, f"kind-{kind}") for kind in kinds.KINDS}
    context = {
        "section": "settings",
        "problems": problems or {},
        "held": held,
        "rows": [(key, title, held["by_kind"][key]) for key, title in kinds.KINDS.items()],
        "modes": kinds.MODES,
        "hours": [(hour, f"{hour:02d}:00") for hour in range(24)],
        "configured": settings.EMAIL_CONFIGURED,
    }
    return render(request, "notifications/settings.html", context, status=status)
