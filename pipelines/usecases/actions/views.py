"""Keep and remove the views of lists that a person has named."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from personas.commands import Answer, Command, execute
from personas.errors import Conflict
from personas.ledger import Actor
from personas.models import User
from pipelines.usecases.actions.shared import person_of, refuse
from pipelines.usecases.models import SavedView

# What a view of a page may say; where one is in it (`page`) is no part of a view.
KNOWN: Final = {
    "board": ("kind", "lanes", "persona", "use_case", "tier", "blueprint", "mine", "late", "stage"),
    "portfolio": ("q", "state", "persona", "tier", "blueprint", "sort"),
}
MOST: Final = 30  # own, of one person and page
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 500


def view_query(page: str, query: str) -> str:
    """Return the query with what the page knows and nothing else, in the page's order."""
    pairs = dict(parse_qsl(query.lstrip("?")[:5000]))
    return urlencode([(name, pairs[name]) for name in KNOWN[page] if pairs.get(name)])


def save_view(*, actor: Actor, page: str, name: str, query: str, key: str | None = None) -> Answer:
    """Keep a view of the person's own; one of the same name is replaced. Raises Invalid."""
    user, name = person_of(actor), " ".join(name.split())
    _refuse_odd(page, name, query)
    kept = view_query(page, query)

    def body(command: Command, locked: User) -> dict[str, object]:
        views = SavedView.objects.filter(user=locked, page=page)
        if views.exclude(name=name).count() >= MOST:
            full = f"has {MOST} views already; remove one first"
            refuse("The view cannot be kept.", {"name": [full]})
        made, _ = views.update_or_create(
            user=locked,
            page=page,
            name=name,
            defaults={"query": kept, "saved_at": command.now},
        )
        said: dict[str, object] = {"page": page, "name": name, "query": kept}
        _record(command, made, "view.saved", said)
        return {"view": made.pk, **said}

    return execute(
        actor=actor,
        name="save_view",
        lock=lambda: User.objects.select_for_update().get(pk=user.pk),
        body=body,
        key=key,
        request={"page": page, "name": name, "query": query},
    )


def _refuse_odd(page: str, name: str, query: str) -> None:
    problems: dict[str, list[str]] = {"page": [], "name": [], "query": []}
    if page not in KNOWN:
        problems["page"].append(f"must be one of {', '.join(KNOWN)}, got {page[:40]!r}")
    if not name:
        problems["name"].append("is required: what you call the view")
    elif len(name) > LONGEST_NAME:
        problems["name"].append(f"has {len(name)} characters; at most {LONGEST_NAME}")
    if page in KNOWN and len(view_query(page, query)) > LONGEST_QUERY:
        problems["query"].append(f"is longer than {LONGEST_QUERY} characters")
    refuse("The view cannot be kept.", problems)


def remove_view(*, actor: Actor, view: SavedView, key: str | None = None) -> Answer:
    """Remove a view of the person's own. Raises Conflict where it is gone already."""
    user = person_of(actor)

    def body(command: Command, locked: User) -> dict[str, object]:
        gone, _ = SavedView.objects.filter(pk=view.pk, user=locked).delete()
        if not gone:
            raise Conflict("view_removed", "This view has been removed already.", state="removed")
        _record(command, view, "view.removed", {"page": view.page, "name": view.name})
        return {"view": view.pk, "removed": True}

    return execute(
        actor=actor,
        name="remove_view",
        lock=lambda: User.objects.select_for_update().get(pk=user.pk),
        body=body,
        key=key,
        request={"view": view.pk},
    )


def _record(command: Command, view: SavedView, type_: str, data: dict[str, object]) -> None:
    command.recorder.record(
        ("person", str(view.user_id)), type_, subject=("view", view.pk), data=data
    )
