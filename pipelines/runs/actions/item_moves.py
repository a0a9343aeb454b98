"""Work items that change hands or wait: start, hold, resume, delegate, resolve, assign, skip."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from personas.commands import Answer, Command
from personas.errors import Conflict, Invalid
from personas.ledger import Actor
from personas.models import User
from pipelines.lifecycles import WorkItemState
from pipelines.runs.actions.items import command_on, mine, must_be_open
from pipelines.runs.actions.locks import name_of
from pipelines.runs.advance import advance
from pipelines.runs.helping import HELP, not_skippable
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.policies import (
    Hat,
    not_candidate,
    not_delegating,
    not_escalating,
    not_managing,
    refuse,
)
from pipelines.runs.rows import blueprint_of

LONGEST_HOLD = 366  # days


def start(*, actor: Actor, item: WorkItem, key: str | None = None) -> Answer:
    """Say that work on the item has begun; again is no change. Raises Conflict."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        mine(locked, hat)
        if locked.state != WorkItemState.IN_PROGRESS:
            _move(command, locked, "start", run=run)

    return command_on(actor=actor, item=item, name="start_item", change=change, key=key)


def hold(
    *, actor: Actor, item: WorkItem, follow_up: date, reason: str = "", key: str | None = None
) -> Answer:
    """Put the item aside until a date; its deadline keeps running. Raises Invalid, Conflict.

    It comes back by itself as that day begins where its holder lives.
    """

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        mine(locked, hat)
        at = _begin_of(follow_up, hat.user)
        days = (at - command.now).total_seconds() / 86_400
        if not 0 < days <= LONGEST_HOLD:
            rule = f"must be a later day within {LONGEST_HOLD} days, got {follow_up}"
            raise Invalid("The item cannot be put on hold.", fields={"follow_up": [rule]})
        if locked.state == WorkItemState.ASSIGNED:
            _move(command, locked, "start", run=run)
        move(
            command,
            locked,
            "hold",
            run=run,
            follow_up_at=at,
            hold_reason=reason,
            version=locked.version + 1,
            data={"until": at.isoformat(), "reason": reason},
        )

    return command_on(
        actor=actor,
        item=item,
        name="hold_item",
        change=change,
        key=key,
        request={"follow_up": follow_up.isoformat(), "reason": reason},
    )


def _begin_of(day: date, user: User) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(user.time_zone or "UTC"))


def resume(*, actor: Actor, item: WorkItem, key: str | None = None) -> Answer:
    """Go on with an item that is on hold, before its date. Raises Conflict."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        mine(locked, hat)
        back(command, run, locked)

    return command_on(actor=actor, item=item, name="resume_item", change=change, key=key)


def back(command: Command, run: Run, item: WorkItem) -> None:
    """Take an item from hold; its holder's, or the date's doing."""
    _move(command, item, "resume", run=run, follow_up_at=None, hold_reason="", topic="item.resumed")


def delegate(
    *, actor: Actor, item: WorkItem, to: User, reason: str = "", key: str | None = None
) -> Answer:
    """Let somebody else do the item; its holder stays accountable. Raises Invalid, Conflict."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        mine(locked, hat)
        refuse(not_delegating(locked))
        _eligible(run, locked, to, field="to")
        if to.pk == hat.user.pk:
            raise Invalid("That is you.", fields={"to": ["must be somebody else"]})
        _pass_on(command, run, locked, "delegate", holder=to, by=hat.user, reason=reason)

    return command_on(
        actor=actor,
        item=item,
        name="delegate_item",
        change=change,
        key=key,
        request={"to": to.pk, "reason": reason},
    )


def resolve(*, actor: Actor, item: WorkItem, note: str = "", key: str | None = None) -> Answer:
    """Hand a delegated item back to whose it is; the draft goes with it. Raises Conflict."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        mine(locked, hat)
        if locked.delegated_by is None:
            raise Conflict("not_delegated", "Nobody delegated this item.", state=locked.state)
        _pass_on(command, run, locked, "resolve", holder=locked.delegated_by, by=None, reason=note)

    return command_on(
        actor=actor,
        item=item,
        name="resolve_item",
        change=change,
        key=key,
        request={"note": note},
    )


def assign(
    *, actor: Actor, item: WorkItem, to: User, reason: str = "", key: str | None = None
) -> Answer:
    """Give an item to somebody (a manager's act); a reason is needed to take it from someone."""

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        must_be_open(locked)
        refuse(not_managing(hat, run))
        _eligible(run, locked, to, field="to")
        if locked.holder_id not in (None, to.pk) and not reason.strip():
            raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})
        _pass_on(command, run, locked, "assign", holder=to, by=None, reason=reason)

    return command_on(
        actor=actor,
        item=item,
        name="assign_item",
        change=change,
        key=key,
        request={"to": to.pk, "reason": reason},
    )


def skip(*, actor: Actor, item: WorkItem, reason: str, key: str | None = None) -> Answer:
    """Leave an item out (a manager's act, where the blueprint allows it). Raises Conflict."""
    _reason(reason)

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        must_be_open(locked)
        refuse(not_managing(hat, run))
        refuse(not_skippable(run, locked))
        data = {"reason": reason}
        _move(command, locked, "skip", run=run, closed_at=command.now, data=data)
        advance(command, run)

    return command_on(
        actor=actor,
        item=item,
        name="skip_item",
        change=change,
        key=key,
        request={"reason": reason},
    )


def escalate(*, actor: Actor, item: WorkItem, reason: str, key: str | None = None) -> Answer:
    """Let more people see and take the item. Raises NotAllowed: managers, or whose stage it is."""
    _reason(reason)

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        must_be_open(locked)
        refuse(not_escalating(hat, locked))
        widen(command, run, locked, reason=reason)

    return command_on(
        actor=actor,
        item=item,
        name="escalate_item",
        change=change,
        key=key,
        request={"reason": reason},
    )


def widen(command: Command, run: Run, item: WorkItem, *, reason: str) -> None:
    """Raise the item's level, and widen who may take it; who holds it keeps it.

    First the stage's own persona is asked, too, then every persona of the blueprint. A statement is
    its persona's to sign: its escalation tells people, but lets nobody else sign.
    """
    level = item.escalations + 1
    wider = dict.fromkeys([*item.candidates, item.stage.persona_id])
    if level > 1 or len(wider) == len(item.candidates) or item.kind == HELP:
        wider |= dict.fromkeys(blueprint_of(run).personas())
    if item.kind == HELP:
        wider.pop(item.stage.persona_id, None)  # who asks cannot be who answers
    if item.kind == "attestation":
        wider = dict.fromkeys(item.candidates)
    _move(
        command,
        item,
        "escalate",
        run=run,
        escalations=level,
        candidates=list(wider),
        topic="item.escalated",
        data={"level": level, "candidates": list(wider), "reason": reason},
    )


def _move(command: Command, item: WorkItem, event: str, *, run: Run, **fields: object) -> None:
    """Move an item, and let copies of it that people look at be old ones."""
    move(command, item, event, run=run, version=item.version + 1, **fields)  # type: ignore[arg-type]


def _pass_on(
    command: Command,
    run: Run,
    item: WorkItem,
    event: str,
    *,
    holder: User,
    by: User | None,
    reason: str,
) -> None:
    before = name_of(item.holder)
    move(
        command,
        item,
        event,
        run=run,
        topic=f"item.{event}",
        holder=holder,
        delegated_by=by,
        claimed_at=command.now,
        follow_up_at=None,
        hold_reason="",
        version=item.version + 1,
        data={"from": before, "to": str(holder), "reason": reason},
    )


def _eligible(run: Run, item: WorkItem, user: User, *, field: str) -> None:
    """Raise Invalid unless the person could take the item themselves."""
    refusal = not_candidate(Hat.of(user, run), item)
    if refusal is not None:
        rule = f"{user} cannot take this: it is for {', '.join(item.candidates)}"
        raise Invalid("The item cannot be passed on.", fields={field: [rule]})


def _reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})
