"""The start of a run, and with it the end of a draft: brief, blueprint, parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from personas.errors import Invalid
from personas.people import PERSONAS
from pipelines.artefacts.actions import upload
from pipelines.blueprints.spec import Blueprint, InputDef
from pipelines.runs.actions import runs
from pipelines.runs.queries.plans import plan_of
from pipelines.usecases import actions, queries
from pipelines.usecases.models import BlueprintVersion, UseCase
from pipelines.usecases.policies import not_managing
from portal import access, uploads
from portal.web import parameters
from portal.web.drafts import TABLES, steps
from portal.web.errors import form_page, refusal
from portal.web.forms import actor_of, done, key_of, text_of, user_of

SHOWN = ("title", "question")  # fields whose problems stand beside them
FILE = "i."  # before the key of an input, in the name of its field


@csrf_exempt  # only until the limit is in place: `_start_run` checks the token
def start_run(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show the start of a run; what is too large is refused before it is read."""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            uploads.prepare(request)
        except uploads.TooLarge as error:
            return refusal(request, error)
    return _start_run(request, key)


@form_page
@csrf_protect
def _start_run(request: HttpRequest, key: str) -> HttpResponse:
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
    inputs |= _keep_files(request, plan, use_case, managed=managed)
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


def _keep_files(
    request: HttpRequest, plan: Blueprint, use_case: UseCase, *, managed: bool
) -> dict[str, list[dict[str, str]]]:
    """Keep the files that came with the form, each as the input that it is for. Raises Invalid.

    They stay with the use case where this person may change it, whatever else is wrong.
    """
    found: dict[str, list[dict[str, str]]] = {}
    problems: dict[str, list[str]] = {}
    for definition in filter(_is_file, plan.inputs):
        file = request.FILES.get(FILE + definition.key)
        if file is None:
            continue
        path = Path(cast(TemporaryUploadedFile, file).temporary_file_path())
        name = uploads.clean_name(file.name or "")
        try:
            media = _media(path, name, definition)
        except Invalid as error:
            problems[f"inputs.{definition.key}"] = [t for f in error.fields.values() for t in f]
            continue
        kept = upload(actor=actor_of(request), path=path, media=media, name=name)
        part = {"digest": str(kept.data["digest"]), "media": str(kept.data["media"])}
        found[definition.key] = [{"name": Path(name).stem or definition.key, **part}]
    if found and managed:
        inputs = {**use_case.inputs, **found}
        actions.change_use_case(actor=actor_of(request), use_case=use_case, inputs=inputs)
    if problems:
        raise Invalid("Some files cannot be taken.", fields=problems)
    return found


def _media(path: Path, name: str, definition: InputDef) -> str:
    """The medium of a file, as one that the input takes. Raises Invalid saying why it is none."""
    named = name.lower().rpartition(".")[2]
    wanted = named if named in definition.media else definition.media[0]
    return uploads.media_of(path, name=name, wanted=wanted)


def _is_file(definition: InputDef) -> bool:
    """Whether the page takes the input as one file; tables are brought and looked at before."""
    return definition.key != TABLES and not definition.many


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
        "inputs": _inputs(plan, use_case, problems, connection=values.get("connection")),
        "upload_limit": settings.UPLOAD_LIMIT_MB,
        "missing": [p for p in PERSONAS if p.code in needed and p.code not in held],
        "problems": problems,
        "left": {
            name: texts
            for name, texts in problems.items()
            if not name.startswith(("parameters.", "inputs.")) and name not in SHOWN
        },
        "not_managing": not_managing(user_of(request), use_case),
    }


def _inputs(
    plan: Blueprint | None,
    use_case: UseCase,
    problems: Mapping[str, list[str]],
    *,
    connection: object,
) -> list[dict[str, Any]]:
    """The inputs of the plan as the page shows them: what is kept, and a field for a file."""
    return [
        {
            "title": definition.title,
            "help": definition.help,
            "required": definition.required,
            "connection": connection if definition.connects else "",
            "parts": use_case.inputs.get(definition.key, []),
            "field": FILE + definition.key if _is_file(definition) else "",
            "accept": ",".join(f".{medium}" for medium in definition.media),
            "errors": problems.get(f"inputs.{definition.key}", []),
        }
        for definition in (plan.inputs if plan else ())
    ]


def _is_set(values: Mapping[str, Any], field: parameters.Field) -> bool:
    return values.get(field.name.removeprefix(parameters.PREFIX)) not in (None, "", [], {})
