"""Work items: claim, release, draft, complete."""

from collections.abc import Callable, Mapping
from typing import Any

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor, canonical
from personas.models import User
from pipelines.blueprints.forms import clean_item
from pipelines.lifecycles import WORK_ITEM
from pipelines.operations.contract import ParamErrors
from pipelines.runs import evidence
from pipelines.runs.actions.locks import must_run, name_of, run_of
from pipelines.runs.advance import advance
from pipelines.runs.helping import HELP, definition_of
from pipelines.runs.models import Run, Stage, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, holds, not_candidate, refuse
from pipelines.runs.reading import one
from pipelines.runs.saving import update

LARGEST_DATA = 512 * 1024  # bytes


def command_on(
    *,
    actor: Actor,
    item: WorkItem,
    name: str,
    change: Callable[[Command, Run, WorkItem, Hat], None],
    key: str | None,
    request: Mapping[str, Any] | None = None,
) -> Answer:
    """Let a person change an item under the locks of its run. Raises NotAllowed, Conflict."""
    if actor.user is None or actor.user.is_service:
        raise NotAllowed("actor.person", "Work items are for people.")
    user = actor.user

    def body(command: Command, run: Run) -> dict[str, object]:
        # People are read when they are asked for: mostly nobody asks.
        locked = one(WorkItem, item.pk, lock=True)
        locked.stage = one(Stage, locked.stage_id)
        locked.run = locked.stage.run = run
        must_run(run)
        change(command, run, locked, Hat.of(user, run))
        return summary(locked)

    return execute(
        actor=actor,
        name=name,
        lock=lambda: run_of(item.run_id),
        body=body,
        key=key,
        request={"item": item.pk, **(request or {})},
    )


def claim(*, actor: Actor, item: WorkItem, key: str | None = None) -> Answer:
    """Take the item; again by its holder is no change. Raises Conflict (claimed_by_other)."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        refuse(not_candidate(hat, locked))
        must_be_open(locked)
        if locked.holder_id == hat.user.pk:
            return
        if locked.holder_id is not None:
            raise Conflict(
                "claimed_by_other",
                f"{locked.holder} took this at {locked.claimed_at:%H:%M}.",
                state=locked.state,
                by=name_of(locked.holder),
                at=locked.claimed_at,
            )
        move(
            command,
            locked,
            "claim",
            run=run,
            holder=hat.user,
            claimed_at=command.now,
            version=locked.version + 1,
        )
        _take_stage(command, run, locked, hat)

    return command_on(actor=actor, item=item, name="claim_item", change=change, key=key)


def _take_stage(command: Command, run: Run, item: WorkItem, hat: Hat) -> None:
    """Whoever takes the first work item of a stage without an owner owns the stage.

    Who only helps the stage does not.
    """
    stage = item.stage
    free = stage.owner_id is None and stage.state == "ACTIVE" and item.kind != HELP
    if free and hat.wears(stage.persona_id):
        authors = authors_with(stage, hat.behind(stage.persona_id))
        move(
            command,
            stage,
            "assign",
            run=run,
            owner=hat.user,
            owned_at=command.now,
            author_ids=authors,
        )


def authors_with(stage: Stage, giver: User | None) -> list[int]:
    """Return the stage's authors; what a deputy does is the work of who they act for, too."""
    return sorted({*stage.author_ids, *([giver.pk] if giver else [])})


def unclaim(*, actor: Actor, item: WorkItem, key: str | None = None) -> Answer:
    """Give the item back to its persona; the draft is kept."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        must_be_open(locked)
        if not holds(hat, locked) and not hat.user.can("run.manage"):
            raise NotAllowed("item.holder", f"{name_of(locked.holder)} holds this item.")
        move(
            command,
            locked,
            "unclaim",
            run=run,
            holder=None,
            delegated_by=None,
            claimed_at=None,
            follow_up_at=None,
            hold_reason="",
            version=locked.version + 1,
        )

    return command_on(actor=actor, item=item, name="unclaim_item", change=change, key=key)


def save_draft(
    *, actor: Actor, item: WorkItem, data: Mapping[str, Any], version: int, key: str | None = None
) -> Answer:
    """Keep what has been filled in so far. Raises Conflict (stale_version) for an old copy,
    Invalid for what is too large.
    """
    _not_too_large(data)

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        mine(locked, hat)
        _fresh(locked, version)
        move(command, locked, "save_draft", run=run, draft=dict(data), version=locked.version + 1)

    return command_on(
        actor=actor,
        item=item,
        name="save_draft",
        change=change,
        key=key,
        request={"data": data, "version": version},
    )


def complete(
    *, actor: Actor, item: WorkItem, data: Mapping[str, Any], version: int, key: str | None = None
) -> Answer:
    """Complete the item; an open one is claimed with it. Raises Invalid with every field."""
    _not_too_large(data)

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        must_be_open(locked)
        refuse(not_candidate(hat, locked))
        if locked.kind == "attention":
            raise Conflict("attention", "Act on its cause; this item closes itself.")
        _fresh(locked, version)
        if locked.holder_id is None:
            move(command, locked, "claim", run=run, holder=hat.user, claimed_at=command.now)
            _take_stage(command, run, locked, hat)
        mine(locked, hat)
        definition = definition_of(run, locked)
        if definition is None:
            raise Conflict("no_form", f"“{locked.title}” has no form to fill in.")
        try:
            cleaned = clean_item(definition, data)
        except ParamErrors as error:
            fields = {f"data.{name}": texts for name, texts in error.fields.items()}
            raise Invalid(
                f"{locked.title}: some fields need another look.", fields=fields
            ) from error
        close(command, run, locked, hat, cleaned)
        advance(command, run)

    return command_on(
        actor=actor,
        item=item,
        name="complete_item",
        change=change,
        key=key,
        request={"data": data, "version": version},
    )


def _not_too_large(data: Mapping[str, Any]) -> None:
    """Evidence and every page of the run carry it along."""
    size = len(canonical(data))
    if size > LARGEST_DATA:
        raise Invalid(
            "The work item takes less than that.",
            fields={"data": [f"has {size:,} bytes as JSON; at most {LARGEST_DATA:,}"]},
        )


def close(command: Command, run: Run, item: WorkItem, hat: Hat, cleaned: Mapping[str, Any]) -> None:
    """Complete an item with clean data; what people look at is bound to their digest."""
    others = item.holder_id is not None and item.holder_id != hat.user.pk
    giver = item.holder if others else hat.behind(*item.candidates)
    item.data = dict(cleaned)
    update(item, ["data"])
    digest = evidence.digest_of(item.data)
    move(
        command,
        item,
        "complete",
        run=run,
        data={"digest": digest, **({"for": str(giver)} if giver else {})},
        completed_by=hat.user,
        completed_for=giver,
        closed_at=command.now,
        version=item.version + 1,
        data_digest=digest,
    )


def must_be_open(item: WorkItem) -> None:
    """Raise Conflict, with who closed it, unless the item is open."""
    if item.state in WORK_ITEM.open:
        return
    who, at = item.completed_by, item.closed_at
    closed = {"by": str(who), "at": at} if who and at else {}
    raise Conflict(
        "item_closed",
        f"This item is {item.state}" + (f", by {who} at {at:%H:%M}." if closed else "."),
        state=item.state,
        **closed,
    )


def mine(item: WorkItem, hat: Hat) -> None:
    """Raise Conflict unless the item is open and held by this person, or by who lends to them."""
    must_be_open(item)
    if not holds(hat, item):
        raise Conflict(
            "claimed_by_other",
            f"{name_of(item.holder)} holds this item.",
            state=item.state,
            by=name_of(item.holder),
            at=item.claimed_at,
        )


def _fresh(item: WorkItem, version: int) -> None:
    if item.version != version:
        raise Conflict(
            "stale_version",
            f"Somebody changed this meanwhile (you saw version {version}, it is {item.version}).",
            state=item.state,
            version=item.version,
        )


def summary(item: WorkItem) -> dict[str, object]:
    """Return what an answer says of a work item."""
    return {
        "item": item.pk,
        "run": item.run_id,
        "key": item.key,
        "state": item.state,
        "version": item.version,
        "holder": name_of(item.holder) if item.holder_id else None,
        "delegated_by": name_of(item.delegated_by) if item.delegated_by_id else None,
        "follow_up_at": item.follow_up_at and item.follow_up_at.isoformat(),
    }
