"""The review of a gate: evidence first, then the decision that binds to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.commands import Answer
from personas.errors import Conflict, Gone, Invalid
from pipelines.registry.queries import runs_that_answer
from pipelines.runs.actions import blind, gates, looks, overrides, verdicts
from pipelines.runs.conditions import DEFAULT_DAYS, DEFAULT_SEVERITY
from pipelines.runs.models import Gate
from pipelines.runs.models.findings import SEVERITIES
from pipelines.runs.queries.choices import VERDICTS
from pipelines.runs.queries.review import review
from portal import access
from portal.web import confusion
from portal.web.errors import change, form_page
from portal.web.figures import table_asked
from portal.web.forms import actor_of, done, key_of, text_of, user_of, whole_of
from portal.web.plots import plots_of

FORM_ROWS = 3
MOST_ROWS = 10
FIELDS = ("verdict", "reason", "reason_code", "target", "seen")
DONE = {
    "approve": "You approved",
    "approve_with_conditions": "You approved, with conditions,",
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
    given: dict[str, Any] = {name: text_of(request, name) for name in FIELDS}
    given["conditions"] = _conditions(request)
    given["as"] = text_of(request, "as")
    try:
        answer = _decide(request, found, given)
    except Invalid as error:
        return _show(request, found, given, problems=error.fields, status=422)
    except (Conflict, Gone) as error:
        fresh = access.gate_with_evidence_for(user, pk)
        status = 410 if isinstance(error, Gone) else 409
        return _show(request, fresh, given, moved_on=error, status=status)
    title = found.stage.key
    return done(request, answer, f"{DONE[given['verdict']]} {title}.", to=_address(found))


def _decide(request: HttpRequest, found: Gate, given: Mapping[str, Any]) -> Answer:
    """Take the decision the form says; what belongs to another verdict is left out of it."""
    verdict = given["verdict"]
    return gates.decide(
        actor=actor_of(request),
        gate=found,
        **{name: given[name] for name in FIELDS if name != "target"},
        target=given["target"] if verdict == "request_changes" else "",
        conditions=given["conditions"] if verdict == "approve_with_conditions" else (),
        on_behalf_of=access.person_named(given["as"], field="as") if given["as"] else None,
        key=key_of(request),
    )


def _conditions(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the conditions that were written down; a row without a text is none."""
    rows = []
    for number in range(MOST_ROWS):
        text = text_of(request, f"condition.{number}.text")
        if text:
            days = whole_of(request, f"condition.{number}.days")
            rows.append(
                {
                    "text": text,
                    "severity": text_of(request, f"condition.{number}.severity"),
                    "persona": text_of(request, f"condition.{number}.persona"),
                    "days": 0 if days is None else days,
                }
            )
    return rows


@change
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Stay with one's verdict after the reveal of a blind gate."""
    found = access.gate_for(user_of(request), pk)
    answer = blind.confirm(actor=actor_of(request), gate=found, key=key_of(request))
    return done(request, answer, "Your verdict stays as it is.", to=_address(found))


@change
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that the page was looked at: the page's script asks once it is visible, or a button."""
    found = access.gate_for(user_of(request), pk)
    answer = looks.look(actor=actor_of(request), gate=found, key=key_of(request))
    return done(request, answer, "Noted: what comes after this is shown to you first.")


@change
def override(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a gate against its rules."""
    found = access.gate_for(user_of(request), pk)
    answer = overrides.override(
        actor=actor_of(request),
        gate=found,
        verdict=text_of(request, "verdict"),
        seen=text_of(request, "seen"),
        reason=text_of(request, "reason"),
        key=key_of(request),
    )
    closed = answer.data["state"] != "OPEN"
    text = "The gate is closed against its rules, in your name."
    asked = "Noted in your name; a second person has to say the same."
    return done(request, answer, text if closed else asked, to=_address(found))


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
    given: Mapping[str, Any],
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: Conflict | Gone | None = None,
    status: int = 200,
) -> HttpResponse:
    user = user_of(request)
    shown = review(user, found, voice=request.GET.get("voice", ""), live=runs_that_answer())
    plots = plots_of(shown.curves, shown.ageing)
    if (asked := table_asked(request, plots)) is not None:
        return asked
    context = {
        "section": "inbox",
        "streams": f"run:{found.run_id}",
        "self": _address(found),
        "now": shown.now,
        "review": shown,
        "given": given,
        "check_threads": shown.talk.at("check"),
        "figure_threads": [t for found in shown.talk.at("figure").values() for t in found],
        "problems": problems or {},
        "moved_on": moved_on,
        "verdicts": VERDICTS,
        "reason_codes": verdicts.REASON_CODES,
        "may_waive": user.can("gate.waive"),
        "rows": _rows(given.get("conditions") or []),
        "severities": SEVERITIES,
        "matrix": confusion.confusion(shown.curves.get("facts") or {}),
        "plots": plots,
    }
    return render(request, "gates/gate.html", context, status=status)


def _rows(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The form's rows for conditions: what was given, and empty ones up to three."""
    usual = {"text": "", "severity": DEFAULT_SEVERITY, "persona": "", "days": DEFAULT_DAYS}
    rows = [{**usual, **one} for one in given]
    rows += [dict(usual) for _ in range(max(FORM_ROWS - len(rows), 0))]
    return [{"ref": str(number), **row} for number, row in enumerate(rows)]
