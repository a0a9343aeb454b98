"""The review of a gate: evidence first, then the decision that binds to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.errors import Conflict, Gone, Invalid
from pipelines.runs.actions import gates
from pipelines.runs.models import Gate
from pipelines.runs.queries.choices import VERDICTS
from pipelines.runs.queries.review import Review, review
from portal import access
from portal.web import charts
from portal.web.errors import change, form_page
from portal.web.forms import actor_of, done, key_of, text_of, user_of, whole_of

FIELDS = ("verdict", "reason", "reason_code", "target", "seen")
DONE = {
    "approve": "You approved",
    "request_changes": "You asked for changes to",
    "reject": "You rejected",
    "abstain": "You abstained on",
    "withdraw": "You took back your decision on",
}


@form_page
def gate(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the review; a POST decides on exactly what was seen."""
    user = user_of(request)
    found = access.gate_with_evidence_for(user, pk)
    if request.method != "POST":
        return _show(request, found, {})
    given = {name: text_of(request, name) for name in FIELDS}
    try:
        answer = gates.decide(
            actor=actor_of(request),
            gate=found,
            **{name: value for name, value in given.items() if name != "target"},
            target=given["target"] if given["verdict"] == "request_changes" else "",
            key=key_of(request),
        )
    except Invalid as error:
        return _show(request, found, given, problems=error.fields, status=422)
    except (Conflict, Gone) as error:
        fresh = access.gate_with_evidence_for(user, pk)
        status = 410 if isinstance(error, Gone) else 409
        return _show(request, fresh, given, moved_on=error, status=status)
    title = found.stage.key
    return done(request, answer, f"{DONE[given['verdict']]} {title}.", to=_address(found))


@change
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a new gate on the same subject after nobody decided in time."""
    found = access.gate_for(user_of(request), pk)
    reason = text_of(request, "reason")
    answer = gates.reopen(actor=actor_of(request), gate=found, reason=reason, key=key_of(request))
    to = reverse("web:gate", args=[answer.data["gate"]])
    return done(request, answer, "The gate is open again.", to=to)


@change
def waive(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a gate go on although a check is red."""
    check = access.check_for(user_of(request), pk)
    days = whole_of(request, "days") or 0
    answer = gates.waive(
        actor=actor_of(request),
        check=check,
        reason=text_of(request, "reason"),
        days=days,
        key=key_of(request),
    )
    return done(request, answer, f"{check.name} is waived for {days} days, in your name.")


def _address(found: Gate) -> str:
    return reverse("web:gate", args=[found.pk])


def _show(
    request: HttpRequest,
    found: Gate,
    given: Mapping[str, str],
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: Conflict | Gone | None = None,
    status: int = 200,
) -> HttpResponse:
    user = user_of(request)
    shown = review(user, found, voice=request.GET.get("voice", ""))
    context = {
        "section": "inbox",
        "streams": f"run:{found.run_id}",
        "self": _address(found),
        "now": shown.now,
        "review": shown,
        "given": given,
        "problems": problems or {},
        "moved_on": moved_on,
        "verdicts": VERDICTS,
        "reason_codes": gates.REASON_CODES,
        "may_waive": user.can("gate.waive"),
        "plots": [plot for plot in _plots(shown) if plot is not None],
    }
    return render(request, "gates/gate.html", context, status=status)


def _plots(shown: Review) -> list[charts.Plot | None]:
    facts: Mapping[str, Any] = shown.curves.get("facts") or {}
    bins = (facts.get("calibration") or {}).get("bins") or []
    return [charts.roc(shown.curves.get("roc") or []), charts.calibration(bins)]
