"""A finding: what an approval asked for, and the evidence that it was done."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.commands import Answer
from personas.errors import Conflict, Gone, Invalid
from pipelines.runs.actions import findings
from pipelines.runs.models import Finding
from pipelines.runs.queries.clock import now
from pipelines.runs.queries.findings import finding_view
from portal import access
from portal.web.errors import form_page
from portal.web.forms import actor_of, done, key_of, text_of, user_of, whole_of

SAID = {
    "resolve": "The finding is resolved, with your evidence.",
    "extend": "The finding has more time.",
}


@form_page
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the finding; a POST resolves or extends it."""
    user = user_of(request)
    found = access.finding_for(user, pk)
    if request.method != "POST":
        return _show(request, found)
    verb = text_of(request, "do")
    try:
        answer = _act(request, found, verb)
    except Invalid as error:
        return _show(request, found, problems=error.fields, status=422)
    except (Conflict, Gone) as error:
        fresh = access.finding_for(user, pk)
        status = 410 if isinstance(error, Gone) else 409
        return _show(request, fresh, moved_on=error, status=status)
    return done(request, answer, SAID[verb], to=reverse("web:finding", args=[pk]))


def _act(request: HttpRequest, found: Finding, verb: str) -> Answer:
    """Do what the button says. Raises Invalid for an unknown one."""
    actor, key = actor_of(request), key_of(request)
    if verb == "resolve":
        return findings.resolve(
            actor=actor,
            finding=found,
            evidence=text_of(request, "evidence"),
            artefacts=text_of(request, "artefacts").split(),
            key=key,
        )
    if verb == "extend":
        return findings.extend(
            actor=actor,
            finding=found,
            days=whole_of(request, "days") or 0,
            reason=text_of(request, "reason"),
            key=key,
        )
    raise Invalid("Nothing was done.", fields={"do": [f"must be one of {', '.join(SAID)}"]})


def _show(
    request: HttpRequest,
    found: Finding,
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: Conflict | Gone | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "section": "inbox",
        "streams": f"run:{found.run_id}",
        "self": reverse("web:finding", args=[found.pk]),
        "now": now(),
        "view": finding_view(user_of(request), found),
        "given": request.POST,
        "problems": problems or {},
        "moved_on": moved_on,
    }
    return render(request, "findings/finding.html", context, status=status)
