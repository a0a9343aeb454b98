"""A paused run's move to another version: what differs, what becomes of each row, one button."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from personas.errors import Conflict, DomainError, Invalid
from pipelines.runs.actions.moving import Look, look, move_run
from pipelines.runs.models import Run
from pipelines.usecases.models import BlueprintVersion
from portal import access
from portal.web.errors import form_page
from portal.web.fields import json_of
from portal.web.forms import actor_of, done, key_of, text_of, user_of

GIVEN = "p."
TONES = {
    "refused": "bad",
    "redone": "warn",
    "dropped": "warn",
    "left out": "warn",
    "carried over": "busy",
    "added": "good",
    "kept": "calm",
}
SIGNS = {"added": ("+", "good"), "removed": ("-", "bad"), "changed": ("~", "warn")}


@form_page
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a move would do; a POST does what was seen."""
    run = access.run_for(user_of(request), pk)
    if request.method != "POST":
        return _show(request, run, request.GET)
    try:
        version = access.version_to_move(run, _number(request.POST))
        answer = move_run(
            actor=actor_of(request),
            run=run,
            version=version,
            seen=text_of(request, "seen"),
            reason=text_of(request, "reason"),
            key=key_of(request),
            **_wish(request.POST),
        )
    except Invalid as error:
        return _show(request, run, request.POST, problems=error.fields, status=422)
    except Conflict as error:
        fresh = access.run_for(user_of(request), pk)
        return _show(request, fresh, request.POST, moved_on=error, status=409)
    said = f"{run.label} is on version {version.number} now; it stays paused until it is resumed."
    return done(request, answer, said, to=reverse("web:run", args=[pk]))


def _number(given: QueryDict) -> int | None:
    text = given.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 9 else None


def _wish(given: QueryDict) -> dict[str, Any]:
    """What is decided: stages to do again, gates to open anew, parameters the run never had."""
    return {
        "redo": given.getlist("redo"),
        "rebind": given.getlist("rebind"),
        "parameters": {
            name.removeprefix(GIVEN): json_of(text)
            for name, text in given.items()
            if name.startswith(GIVEN) and isinstance(text, str) and text.strip()
        },
    }


def _show(
    request: HttpRequest,
    run: Run,
    given: QueryDict,
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    versions = list(access.versions_beside(run))
    refusal: DomainError | None = moved_on if moved_on and not versions else None
    found, version = None, _wanted(run, given, versions)
    if version is not None:
        try:
            found = look(actor=actor_of(request), run=run, version=version, **_wish(given))
        except (Conflict, Invalid) as error:
            refusal = error
    context = {
        "section": "use_cases",
        "run": run,
        "versions": versions,
        "version": version,
        "look": found,
        "refusal": refusal,
        "moved_on": moved_on,
        "problems": {k: v for k, v in (problems or {}).items() if found is None or k == "reason"},
        "reason": given.get("reason", ""),
        **(_parts(found, given) if found else {}),
    }
    return render(request, "runs/move.html", context, status=status)


def _wanted(
    run: Run, given: QueryDict, versions: Sequence[BlueprintVersion]
) -> BlueprintVersion | None:
    number = _number(given)
    if number is not None:
        return access.version_to_move(run, number)
    return versions[0] if versions else None


def _parts(found: Look, given: QueryDict) -> dict[str, Any]:
    """What the page lists: rows with tones, decisions that are open, parameters that are asked."""
    plan = found.plan
    fates = [(one, TONES[one.fate]) for one in plan.fates]
    wish = _wish(given)
    had = found.run.parameters
    return {
        "fates": [pair for pair in fates if pair[0].fate != "kept" or pair[0].why],
        "kept": sum(one.fate == "kept" and not one.why for one in plan.fates),
        "changes": [(one, *SIGNS[one.change]) for one in plan.changes.real],
        "redo": [(key, key in wish["redo"], key in plan.redone) for key in plan.may_redo],
        "rebind": [(key, key in wish["rebind"]) for key in plan.may_rebind],
        "asked": [
            (one, given.get(GIVEN + one.key, ""), found.problems.get(f"parameters.{one.key}"))
            for one in found.new.parameters
            if one.key not in had
        ],
        "wish": [
            *(("redo", key) for key in wish["redo"]),
            *(("rebind", key) for key in wish["rebind"]),
            *((GIVEN + name, given.get(GIVEN + name, "")) for name in wish["parameters"]),
        ],
    }
