"""A work item as a form: its fields with what is known of the table, why it is asked, what came
before. Ten queries besides the item itself, which the edges fetch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from personas.errors import Conflict, DomainError, NotAllowed
from personas.models import User
from pipelines.blueprints.spec import FieldDef, ItemDef, StageDef
from pipelines.lifecycles import WORK_ITEM, RunState
from pipelines.runs.helping import definition_of
from pipelines.runs.models import WorkItem
from pipelines.runs.policies import Hat, not_candidate
from pipelines.runs.queries.brief import Brief, brief
from pipelines.runs.queries.clock import now as read_clock
from pipelines.runs.queries.facts import Facts, document, names, number, rows, saying
from pipelines.runs.queries.rights import of_item
from pipelines.runs.rows import Rows, load, stage_def
from pipelines.usecases.models import Seat


@dataclass(frozen=True)
class Column:
    """A column of the table, with what the steps so far found out about it."""

    name: str
    type: str = ""
    missing: float | None = None
    distinct: int | None = None
    score: float | None = None
    known: str = ""
    personal: bool = False

    @property
    def missing_percent(self) -> float | None:
        """The share of missing values, in per cent."""
        return None if self.missing is None else self.missing * 100


@dataclass(frozen=True)
class Field:
    """One field with its value: what was stated, else the draft's, else the default."""

    definition: FieldDef
    value: Any
    columns: tuple[Column, ...] = ()

    @property
    def suggestions(self) -> tuple[str, ...]:
        """The names the page offers."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Before:
    """What people of this stage stated before, in this round or an earlier one."""

    title: str
    round: int
    who: str
    at: datetime | None
    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class ItemView:
    """Everything the page of a work item shows, as of `now`."""

    item: WorkItem
    stage: StageDef
    definition: ItemDef | None
    now: datetime
    fields: tuple[Field, ...]
    suggested: bool
    brief: Brief
    steps: tuple[str, ...]
    before: tuple[Before, ...]
    holder_refusal: DomainError | None
    refusal: DomainError | None
    mine: bool
    may: Mapping[str, DomainError | None]
    people: tuple[User, ...]

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.item.state in WORK_ITEM.open


def item_view(user: User, item: WorkItem) -> ItemView:
    """Return the page of a work item."""
    run = item.run
    item.stage.run = run
    hat = Hat.of(user, run)
    held = load(run)
    stage = stage_def(run, item.stage.key)
    definition = definition_of(run, item)
    others = _others(item)
    facts = held.facts()
    persona = next((code for code in hat.personas if code in item.candidates), item.persona_id)
    return ItemView(
        item=item,
        stage=stage,
        definition=definition,
        now=read_clock(),
        fields=_fields(held, item, definition, facts=facts),
        suggested=_suggested(item, definition),
        brief=brief(persona, facts),
        steps=_steps(stage, definition),
        before=tuple(_before(stage, one) for one in others if one.data),
        holder_refusal=None if _stands_in(hat, item) else _held_by_another(item, user),
        refusal=_refusal(hat, item),
        mine=item.holder_id == user.pk or _stands_in(hat, item),
        may=of_item(hat, item),
        people=_people(item),
    )


def _people(item: WorkItem) -> tuple[User, ...]:
    """Return who else could do it, by name: those with a seat it asks for."""
    if item.state not in WORK_ITEM.open:
        return ()
    seats = Seat.objects.filter(
        use_case=item.run.use_case_id, persona__in=item.candidates, until=None, user__is_active=True
    )
    found = {seat.user: None for seat in seats.select_related("user").order_by("user__name")}
    barred = (item.holder_id, item.asked_by_id)
    return tuple(user for user in found if user.pk not in barred)


def _refusal(hat: Hat, item: WorkItem) -> DomainError | None:
    """Why the person may not fill it in now, whoever holds it; None where they may."""
    if hat.user.is_service:
        return NotAllowed("actor.person", "Work items are for people.")
    if item.state not in WORK_ITEM.open:
        who = f" by {item.completed_by}" if item.completed_by else ""
        at = f" at {item.closed_at:%d %b %H:%M}" if item.closed_at else ""
        return Conflict("item_closed", f"This is {item.state.lower()}{who}{at}.", state=item.state)
    if item.run.state != RunState.RUNNING:
        return Conflict("run_not_running", f"{item.run.label} is {item.run.state.lower()}.")
    if item.kind == "attention":
        return Conflict("attention", "Act on its cause; this item closes itself.")
    return not_candidate(hat, item)


def _suggested(item: WorkItem, definition: ItemDef | None) -> bool:
    """Whether the draft is what the last round or run said, and nobody has changed it yet."""
    if definition is None or item.version > 1 or item.state not in WORK_ITEM.open:
        return False
    defaults = {field.key: field.default for field in definition.fields}
    return any(value != defaults.get(key) for key, value in item.draft.items())


def _stands_in(hat: Hat, item: WorkItem) -> bool:
    """Whether the person is the deputy of who holds the item."""
    return any(hat.stands_in_for(item.holder_id, persona) for persona in item.candidates)


def _held_by_another(item: WorkItem, user: User) -> DomainError | None:
    if item.holder_id in (None, user.pk):
        return None
    at = f" at {item.claimed_at:%d %b %H:%M}" if item.claimed_at else ""
    return Conflict("claimed_by_other", f"{item.holder} took this{at}.", by=str(item.holder))


def _others(item: WorkItem) -> list[WorkItem]:
    """Completed items of the stage, in this round and earlier ones, newest first."""
    return list(
        WorkItem.objects.filter(run=item.run_id, stage__key=item.stage.key, state="COMPLETED")
        .exclude(pk=item.pk)
        .exclude(kind="attention")
        .select_related("stage", "completed_by")
        .order_by("-id")
    )


def _steps(stage: StageDef, definition: ItemDef | None) -> tuple[str, ...]:
    """Titles of the stage's steps that wait for this item."""
    if definition is None:
        return ()
    return tuple(
        step.title
        for step in stage.steps
        if definition.key in step.after
        or any(
            getattr(value, "name", "") == definition.key
            and getattr(value, "stage", "") == stage.key
            for value in step.params.values()
        )
    )


def _fields(
    held: Rows,
    item: WorkItem,
    definition: ItemDef | None,
    *,
    facts: Facts,
) -> tuple[Field, ...]:
    if definition is None:
        return ()
    given: Mapping[str, Any] = item.data or item.draft
    known: dict[str, Column] | None = None
    found = []
    for field in definition.fields:
        value = given.get(field.key, field.default)
        columns: Sequence[Column] = ()
        if field.suggest is not None:
            known = _columns(held, facts) if known is None else known
            listed = held.value(field.suggest)
            names_listed = listed if isinstance(listed, list) else []
            texts = [name for name in names_listed if isinstance(name, str)]
            columns = [known.get(name, Column(name)) for name in texts]
        found.append(Field(field, value, tuple(columns)))
    return tuple(found)


def _columns(held: Rows, facts: Facts) -> dict[str, Column]:
    """What is known of each column: its profile, when it is known, how much it says alone."""
    profile = next(
        (
            document(str(step.result.outputs["profile"]["digest"]))
            for step in held.steps.values()
            if step.result is not None and "profile" in step.result.outputs
        ),
        {},
    )
    sealed = saying(facts, "unavailable")
    after = set(names(sealed, "unavailable"))
    before = set(names(sealed, "available"))
    suspects = saying(facts, "pii_suspects").get("pii_suspects") or []
    personal = {s.get("column") if isinstance(s, Mapping) else s for s in suspects}
    scores = {str(row.get("column")): row for row in rows(saying(facts, "suspects"), "columns")}
    found = {}
    for entry in rows(profile, "columns"):
        name = str(entry.get("name"))
        distinct = number(entry, "distinct")
        found[name] = Column(
            name=name,
            type=str(entry.get("type") or ""),
            missing=number(entry, "null_share"),
            distinct=int(distinct) if distinct is not None else None,
            score=number(scores.get(name), "score"),
            known="after" if name in after else "before" if name in before else "",
            personal=name in personal,
        )
    return found


def _before(stage: StageDef, item: WorkItem) -> Before:
    definition = next((one for one in stage.items if one.key == item.key), None)
    labels = {field.key: field.label for field in definition.fields} if definition else {}
    pairs = [(labels.get(key, key), value) for key, value in item.data.items()]
    return Before(
        title=item.title,
        round=item.stage.round,
        who=str(item.completed_by or ""),
        at=item.closed_at,
        fields=tuple(pair for pair in pairs if pair[1] not in (None, "", [], {})),
    )
