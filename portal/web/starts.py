"""The start of a run, and with it the end of a draft: brief, blueprint, parameters."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.errors import Invalid
from personas.people import PERSONAS
from pipelines.blueprints.spec import Blueprint
from pipelines.runs.actions import runs
from pipelines.runs.queries.plans import plan_of
from pipelines.usecases import actions, queries
from pipelines.usecases.models import BlueprintVersion, UseCase
from pipelines.usecases.policies import not_managing
from portal import access
from portal.web import parameters
from portal.web.drafts import steps
from portal.web.errors import form_page
from portal.web.forms import actor_of, done, key_of, text_of, user_of


@form_page
def start_run(request: HttpRequest, key: str) -> HttpResponse:
    """Show the brief and the parameters of a run; start it."""
    use_case = access.use_case_for(user_of(request), key)
    versions = [v for v in queries.published_versions() if v.blueprint.kind == "main"]
    version = _version(request, use_case, versions)
    problems: Mapping[str, list[str]] = {}
    if request.method == "POST" and version is not None:
        try:
            return _start(request, use_case, version)
        except Invalid as error:
            problems = error.fields
    context = _context(request, use_case, version, problems)
    context["versions"] = versions
    template = "use_cases/start.html"
    return render(request, template, context, status=422 if problems else 200)


def _version(
    request: HttpRequest, use_case: UseCase, versions: list[BlueprintVersion]
) -> BlueprintVersion | None:
    """Return the blueprint version that was asked for, the use case's own, or the first."""
    own = use_case.blueprint.key if use_case.blueprint is not None else ""
    asked = request.POST.get("blueprint") or request.GET.get("blueprint") or own
    by_key = {version.blueprint.key: version for version in versions}
    return by_key.get(asked) or next(iter(versions), None)


def _start(request: HttpRequest, use_case: UseCase, version: BlueprintVersion) -> HttpResponse:
    """Keep what was given, then start. Raises Invalid; what was kept stays kept."""
    plan = plan_of(version)
    given = parameters.read(plan, request.POST)
    actor = actor_of(request)
    managed = not_managing(user_of(request), use_case) is None
    if managed:
        changes: dict[str, Any] = {"parameters": given, "blueprint": plan.key}
        if use_case.draft:
            changes |= {
                "title": text_of(request, "title"),
                "question": text_of(request, "question"),
            }
        actions.change_use_case(actor=actor, use_case=use_case, **changes)
    inputs = {name: use_case.inputs[name] for name in use_case.inputs if _takes(plan, name)}
    answer = runs.create(
        actor=actor,
        use_case=use_case,
        version=version,
        parameters=given,
        inputs=inputs,
        key=key_of(request),
    )
    if managed and use_case.draft:
        actions.change_use_case(actor=actor, use_case=use_case, draft=False)
    text = f"{answer.data['label']} has started."
    return done(request, answer, text, to=reverse("web:use_case", args=[use_case.key]))


def _takes(plan: Blueprint, name: str) -> bool:
    return any(definition.key == name for definition in plan.inputs)


def _context(
    request: HttpRequest,
    use_case: UseCase,
    version: BlueprintVersion | None,
    problems: Mapping[str, list[str]],
) -> dict[str, Any]:
    plan = plan_of(version) if version is not None else None
    posted = request.method == "POST"
    values = parameters.read(plan, request.POST) if posted and plan else use_case.parameters
    fields = parameters.fields(plan, values, problems) if plan else []
    first = [field for field in fields if field.required or field.errors or _is_set(values, field)]
    held = {seat.persona_id for seat in queries.seats_of(use_case)}
    needed = plan.personas() if plan else ()
    return {
        "section": "use_cases",
        "use_case": use_case,
        "steps": steps("start_run") if use_case.draft else [],
        "version": version,
        "plan": plan,
        "title": request.POST.get("title", use_case.title) if posted else use_case.title,
        "question": request.POST.get("question", "") if posted else use_case.question,
        "first": first,
        "rest": [field for field in fields if field not in first],
        "inputs": [
            (definition, use_case.inputs.get(definition.key, []))
            for definition in (plan.inputs if plan else ())
        ],
        "missing": [p for p in PERSONAS if p.code in needed and p.code not in held],
        "problems": problems,
        "left": {
            name: texts
            for name, texts in problems.items()
            if not name.startswith("parameters.") and name not in ("title", "question")
        },
        "not_managing": not_managing(user_of(request), use_case),
    }


def _is_set(values: Mapping[str, Any], field: parameters.Field) -> bool:
    return values.get(field.name.removeprefix(parameters.PREFIX)) not in (None, "", [], {})
