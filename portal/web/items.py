"""A work item: the form its blueprint asks for, kept as a draft until it is complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from personas.commands import Answer
from personas.errors import Busy, Conflict, DomainError, Gone, Invalid
from pipelines.blueprints.spec import FieldDef
from pipelines.runs.actions import items
from pipelines.runs.models import WorkItem
from pipelines.runs.queries.items import Column, Field, ItemView, item_view
from portal import access
from portal.web import fields
from portal.web.errors import KINDS, RETRY_SECONDS, change, form_page
from portal.web.forms import actor_of, done, key_of, user_of, whole_of


@dataclass(frozen=True)
class Entry:
    """One row of a map: its name, its value, and what is known of the column it names."""

    key: str
    value: str
    more: str
    column: Column | None


@dataclass(frozen=True)
class Control:
    """A field as the page draws it, with its problems."""

    field: Field
    value: Any
    errors: Sequence[str]
    entries: tuple[Entry, ...] = ()
    saved: Any = None

    @property
    def definition(self) -> FieldDef:
        """What the blueprint says of it."""
        return self.field.definition

    @property
    def name(self) -> str:
        """Its name in the form."""
        return fields.PREFIX + self.definition.key


@form_page
def item(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form; a POST completes the item or, by its button, keeps a draft."""
    user = user_of(request)
    found = access.item_for(user, pk)
    view = item_view(user, found)
    if request.method != "POST":
        return _show(request, view)
    data = fields.read([one.definition for one in view.fields], request.POST)
    version = whole_of(request, "version") or 0
    draft = request.POST.get("do") == "draft"
    try:
        if draft:
            answer = _save(request, found, data, version)
            return done(request, answer, "Kept as a draft.", to=_address(pk))
        answer = items.complete(
            actor=actor_of(request), item=found, data=data, version=version, key=key_of(request)
        )
    except Invalid as error:
        problems = {name.removeprefix("data."): texts for name, texts in error.fields.items()}
        return _show(request, view, given=data, problems=problems, status=422)
    except (Conflict, Gone) as error:
        fresh = item_view(user, access.item_for(user, pk))
        return _show(request, fresh, given=data, moved_on=error, status=409)
    to = reverse("web:run", args=[found.run_id])
    return done(request, answer, f"“{found.title}” is complete.", to=to)


@change
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what has been filled in so far, for the page's script; answers the new version."""
    user = user_of(request)
    found = access.item_for(user, pk)
    view = item_view(user, found)
    data = fields.read([one.definition for one in view.fields], request.POST)
    try:
        answer = _save(request, found, data, whole_of(request, "version") or 0)
    except DomainError as error:
        told = {"code": error.code, "message": error.message}
        headers = {"Retry-After": RETRY_SECONDS} if isinstance(error, Busy) else {}
        return JsonResponse(told, status=KINDS[type(error)][1], headers=headers)
    return JsonResponse({"version": answer.data["version"]})


@change
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the item."""
    found = access.item_for(user_of(request), pk)
    answer = items.claim(actor=actor_of(request), item=found, key=key_of(request))
    return done(request, answer, f"“{found.title}” is yours now.", to=_address(pk))


@change
def unclaim(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the item back; its draft is kept."""
    found = access.item_for(user_of(request), pk)
    answer = items.unclaim(actor=actor_of(request), item=found, key=key_of(request))
    return done(request, answer, "Given back to its persona; the draft is kept.", to=_address(pk))


def _save(request: HttpRequest, found: WorkItem, data: Mapping[str, Any], version: int) -> Answer:
    """Keep a draft; an item that nobody holds is taken with it."""
    actor = actor_of(request)
    if found.holder_id is None and version == found.version:
        version = items.claim(actor=actor, item=found).data["version"]
    return items.save_draft(
        actor=actor, item=found, data=data, version=version, key=key_of(request)
    )


def _address(pk: int) -> str:
    return reverse("web:item", args=[pk])


def _show(
    request: HttpRequest,
    view: ItemView,
    *,
    given: Mapping[str, Any] | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    found = problems or {}
    controls = [
        _control(field, given, found.get(field.definition.key, ()), moved_on is not None)
        for field in view.fields
    ]
    context = {
        "section": "inbox",
        "streams": f"run:{view.item.run_id}",
        "self": _address(view.item.pk),
        "now": view.now,
        "view": view,
        "controls": controls,
        "problems": found,
        "moved_on": moved_on,
        "editable": view.refusal is None and view.holder_refusal is None,
    }
    return render(request, "items/item.html", context, status=status)


def _control(
    field: Field, given: Mapping[str, Any] | None, errors: Sequence[str], meanwhile: bool
) -> Control:
    value = field.value if given is None else given.get(field.definition.key)
    saved = field.value if meanwhile and field.value != value else None
    entries = _entries(field, value) if field.definition.kind == "map" else ()
    return Control(field, value, errors, entries, saved)


def _entries(field: Field, value: Any) -> tuple[Entry, ...]:
    """Rows of a map: those it must have, those suggested, those given; two empty ones to add."""
    held = value if isinstance(value, dict) else {}
    known = {column.name: column for column in field.columns}
    asked = [str(choice) for choice in field.definition.choices] or list(known)
    keys = list(dict.fromkeys([*asked, *held]))
    rows = [_entry(field, key, held.get(key), known.get(key)) for key in keys]
    if not field.definition.choices and not known:
        rows += [Entry("", "", "", None)] * 2
    return tuple(rows)


def _entry(field: Field, key: str, value: Any, column: Column | None) -> Entry:
    text = fields.text_of(value)
    named = isinstance(value, dict)
    if named and value.get(fields.SHORT_FOR) in field.definition.values:
        rest = {name: entry for name, entry in value.items() if name != fields.SHORT_FOR}
        return Entry(key, str(value[fields.SHORT_FOR]), fields.text_of(rest), column)
    return Entry(key, "" if named else text, text if named else "", column)
