"""A new use case, step by step: data, columns, people, start. Each step is kept as a draft."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from personas.errors import Invalid, NotAllowed
from pipelines.artefacts.actions import upload
from pipelines.artefacts.connections import Source, names_for
from pipelines.runs import previews
from pipelines.runs.inspections import inspect
from pipelines.runs.previews import preview
from pipelines.usecases import actions, queries
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import not_managing
from portal import access, uploads
from portal.web import sources
from portal.web.errors import change, form_page, refusal
from portal.web.forms import actor_of, key_of, text_of, user_of
from portal.web.targets import target_problems

STEPS = (
    ("new_use_case", "Question and data"),
    ("draft_columns", "What Baton found"),
    ("seats", "People"),
    ("start_run", "Brief and start"),
)
MOST_FILES = 12
SHORT = 90  # characters of a question that may be a title
LONGEST_TITLE = 160
TABLES = "tables"
OF_FILES = ("base", "joins")  # parameters that name tables


def steps(current: str) -> list[dict[str, object]]:
    """Return the steps for the page's head, with what is done and where we are."""
    at = [name for name, _ in STEPS].index(current)
    return [
        {"name": name, "title": title, "number": i + 1, "done": i < at, "current": i == at}
        for i, (name, title) in enumerate(STEPS)
    ]


@csrf_exempt  # only until the limit is in place: `_new` checks the token
def new_use_case(request: HttpRequest) -> HttpResponseBase:
    """Ask for a question and its files; what is too large is refused before it is read."""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            uploads.prepare(request)
        except uploads.TooLarge as error:
            return refusal(request, error)
    return _new(request)


@form_page
@csrf_protect
def _new(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {
        "section": "use_cases",
        "steps": steps("new_use_case"),
        "upload_limit": settings.UPLOAD_LIMIT_MB,
        "connections": names_for(),
    }
    if request.method != "POST":
        return render(request, "use_cases/new.html", context)
    source = sources.posted(request)
    try:
        sources.refuse_both(source, files=len(request.FILES.getlist("files")))
        tables = _keep_files(request)
        title = text_of(request, "title") or _title_of(text_of(request, "question"), tables)
        answer = actions.create_use_case(
            actor=actor_of(request),
            title=title,
            question=text_of(request, "question"),
            inputs={TABLES: tables} if tables else {},
            parameters=source.as_parameters(),
            draft=True,
            idempotency_key=key_of(request),
        )
    except Invalid as error:
        context |= {"problems": error.fields, "given": request.POST, "message": error.message}
        return render(request, "use_cases/new.html", context, status=422)
    if source.connection:
        return _read(request, own_draft(request, str(answer.data["key"])), source)
    name = "web:draft_columns" if tables else "web:seats"
    return redirect(name, key=answer.data["key"])


def _keep_files(request: HttpRequest) -> list[dict[str, str]]:
    """Keep the request's files and return how a run names them. Raises Invalid by file."""
    tables: list[dict[str, str]] = []
    problems: dict[str, list[str]] = {}
    files = request.FILES.getlist("files")
    if len(files) > MOST_FILES:
        raise Invalid(
            "Too many files.", fields={"files": [f"takes {MOST_FILES} files, got {len(files)}"]}
        )
    for file in files:
        path = Path(cast(TemporaryUploadedFile, file).temporary_file_path())
        name = uploads.clean_name(file.name or "")
        try:
            media = uploads.media_of(path, name=name)
            if media not in ("csv", "parquet"):
                raise Invalid("", fields={"files": [f"{name}: is neither CSV nor Parquet"]})
        except Invalid as error:
            problems.setdefault("files", []).extend(t for f in error.fields.values() for t in f)
            continue
        kept = upload(actor=actor_of(request), path=path, media=media, name=name)
        tables.append(
            {
                "name": _short_name(name, {table["name"] for table in tables}),
                "digest": str(kept.data["digest"]),
                "media": str(kept.data["media"]),
            }
        )
    if problems:
        raise Invalid("Some files cannot be used; choose the others again, too.", fields=problems)
    return tables


def _short_name(name: str, taken: set[str]) -> str:
    stem = Path(name).stem or "table"
    number = 2
    short = stem
    while short in taken:
        short, number = f"{stem}-{number}", number + 1
    return short


def _title_of(question: str, tables: list[dict[str, str]]) -> str:
    """Return a title for a draft that has none yet: a short question, or its first file's name."""
    if question and (len(question) <= SHORT or not tables):
        return question.split("\n")[0][:LONGEST_TITLE]
    if not tables:
        return ""
    return tables[0]["name"].replace("_", " ").replace("-", " ").strip().capitalize()


@csrf_exempt  # only until the limit is in place: `_files` checks the token
def files(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take further or corrected files of a draft, or leave one out."""
    if request.user.is_authenticated:
        try:
            uploads.prepare(request)
        except uploads.TooLarge as error:
            return refusal(request, error)
    return _files(request, key)


@change
@csrf_protect
def _files(request: HttpRequest, key: str) -> HttpResponse:
    use_case = own_draft(request, key)
    kept: dict[str, dict[str, str]] = {
        table["name"]: table for table in use_case.inputs.get(TABLES, [])
    }
    for table in _keep_files(request):
        kept[table["name"]] = table
    kept.pop(request.POST.get("drop", ""), None)
    inputs = {**use_case.inputs, TABLES: list(kept.values())}
    given = sources.without(use_case.parameters) if kept else use_case.parameters
    actions.change_use_case(
        actor=actor_of(request), use_case=use_case, inputs=inputs, parameters=given
    )
    return redirect("web:draft_columns", key=key)


@form_page
def source(request: HttpRequest, key: str) -> HttpResponse:
    """Take the connection of a draft with its query or path, and look at what is there."""
    use_case = own_draft(request, key)
    if request.method != "POST":
        return redirect("web:draft_columns", key=key)
    return _read(request, use_case, sources.posted(request))


def _read(request: HttpRequest, use_case: UseCase, source: Source) -> HttpResponse:
    """Keep what is asked for, be it wrong, and look; what is wrong is shown beside its field.

    Files stay until something was read in their place.
    """
    actor, tables = actor_of(request), use_case.inputs.get(TABLES, [])
    if tables and not source.connection:
        return redirect("web:draft_columns", key=use_case.key)
    parameters = {**sources.without(use_case.parameters), **source.as_parameters()}
    actions.change_use_case(actor=actor, use_case=use_case, parameters=parameters)
    use_case.refresh_from_db()
    if source.connection:
        with suppress(Invalid):  # the page says so, from what was written down of it
            preview(actor=actor, use_case=use_case, source=source)
            _only_read(request, use_case)
    return redirect("web:draft_columns", key=use_case.key)


def _only_read(request: HttpRequest, use_case: UseCase) -> None:
    """What was read takes the place of the files, and of what said how they belong together."""
    use_case.refresh_from_db()
    actions.change_use_case(
        actor=actor_of(request),
        use_case=use_case,
        parameters={k: v for k, v in use_case.parameters.items() if k not in OF_FILES},
        inputs={name: parts for name, parts in use_case.inputs.items() if name != TABLES},
    )


def own_draft(request: HttpRequest, key: str) -> UseCase:
    """Return the use case if this person may change it. Raises NotFound, NotAllowed."""
    found = access.use_case_for(user_of(request), key)
    refused = not_managing(user_of(request), found)
    if refused is not None:
        raise refused
    if found.retired_at is not None:
        raise NotAllowed("use_case.retired", f"“{found.title}” is retired.")
    return found


@form_page
def columns(request: HttpRequest, key: str) -> HttpResponse:
    """Show what Baton found in the files; take the target, time and key columns."""
    use_case = own_draft(request, key)
    source = Source.of(use_case.parameters)
    unread = previews.problems(use_case, source)
    read = previews.known(use_case, source) if source.connection and not unread else None
    tables = [read] if read else use_case.inputs.get(TABLES, [])
    base = _base(request, use_case, tables)
    looked = [_look(request, table) for table in tables]
    found = next((each for each in looked if each["name"] == base), None)
    problems: Mapping[str, list[str]] = {}
    if request.method == "POST":
        problems = _column_problems(request, found)
        if not problems:
            _keep_columns(request, use_case, base, _suiting(request, found))
            return redirect("web:seats", key=use_case.key)
    context = {
        "section": "use_cases",
        "steps": steps("draft_columns"),
        "use_case": use_case,
        "looked": looked,
        "base": base,
        "found": found,
        "chosen": _chosen(request, use_case, found),
        "problems": problems,
        "source": source,
        "read": read,
        "unread": unread,
        "connections": names_for(use_case.key),
    }
    template = "use_cases/columns.html"
    return render(request, template, context, status=422 if problems else 200)


def _base(request: HttpRequest, use_case: UseCase, tables: list[dict[str, str]]) -> str:
    """Return the base table's name: as posted, asked for in the address, kept, or the first."""
    names = [table["name"] for table in tables]
    wanted = (
        request.POST.get("base", ""),
        request.GET.get("base", ""),
        str(use_case.parameters.get("base", "")),
    )
    return next((name for name in wanted if name in names), names[0] if names else "")


def _look(request: HttpRequest, table: Mapping[str, str]) -> dict[str, Any]:
    """Return what a worker's child found in one file; what went wrong is a problem like others."""
    artefact = access.artefact_for(user_of(request), table["digest"])
    name = artefact.name or table["name"]
    try:
        return {**table, "file_name": name, **inspect(artefact, name=name)}
    except Invalid as error:
        texts = [text for texts in error.fields.values() for text in texts] or [error.message]
        problems = [{"message": text, "severity": "error"} for text in texts]
        return {**table, "file_name": name, "usable": False, "problems": problems, "columns": []}


def _chosen(
    request: HttpRequest, use_case: UseCase, found: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what the form shows: as posted, else as kept, else as Baton suggests."""
    if request.method == "POST":
        return {**request.POST.dict(), "exclude": request.POST.getlist("exclude")}
    if use_case.parameters.get("target"):
        own = use_case.blueprint.key if use_case.blueprint is not None else ""
        return {**use_case.parameters, "brought": own.startswith("brought-")}
    if found is None:
        return {}
    return {
        "target": found.get("suggested_target"),
        "time_column": found.get("suggested_time"),
        "key_column": found.get("suggested_key"),
        "group_column": found.get("suggested_group"),
        "blueprint": found.get("suggested_blueprint"),
    }


def _column_problems(request: HttpRequest, found: Mapping[str, Any] | None) -> dict[str, list[str]]:
    if found is None or not found.get("usable"):
        return {"base": ["this table cannot be used yet; see what is wrong with it"]}
    names = {column["name"] for column in found["columns"]}
    problems: dict[str, list[str]] = {}
    target = request.POST.get("target", "")
    if not target:
        problems["target"] = ["choose the column to predict"]
    problems |= target_problems(found, target, positive=request.POST.get("positive", ""))
    for field in ("target", "time_column", "key_column", "group_column"):
        value = request.POST.get(field, "")
        if value and value not in names:
            problems[field] = [f"{found['file_name']} has no column {value!r}"]
    for field, what in (("time_column", "time"), ("key_column", "key"), ("group_column", "group")):
        if target and request.POST.get(field, "") == target:
            problems[field] = [f"the {what} column cannot be the target, too"]
    return problems


def _suiting(request: HttpRequest, found: Mapping[str, Any] | None) -> str:
    """The published blueprint that suits the chosen target; as posted where it suits none."""
    chosen = request.POST.get("target", "")
    tasks = {column["name"]: column.get("task") for column in (found or {}).get("columns", [])}
    task = tasks.get(chosen)
    texts = set((found or {}).get("suggested_texts") or ()) - {chosen}
    kind = "text" if texts and task == "classification" else "tabular"
    wanted = f"{'brought' if request.POST.get('brought') else kind}-{task}"
    published = {version.blueprint.key for version in queries.published_versions()}
    return wanted if wanted in published else request.POST.get("blueprint", "")


def _keep_columns(request: HttpRequest, use_case: UseCase, base: str, blueprint: str) -> None:
    given: dict[str, Any] = {
        name: request.POST.get(name, "")
        for name in ("target", "time_column", "key_column", "group_column", "positive")
    }
    given["exclude"] = [name for name in request.POST.getlist("exclude") if name != given["target"]]
    tables = use_case.inputs.get(TABLES, [])
    given["base"] = base if len(tables) > 1 else ""
    kept = {name: value for name, value in given.items() if value}
    others = {k: v for k, v in use_case.parameters.items() if k not in given}
    if tables:  # a connection that could not be read does not count
        others = sources.without(others)
    actions.change_use_case(
        actor=actor_of(request),
        use_case=use_case,
        parameters={**others, **kept},
        blueprint=blueprint or None,
    )
