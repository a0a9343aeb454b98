"""Delegations: who is away from when until when, and who acts for them meanwhile."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Gone
from personas.ledger import Actor
from personas.models import User
from pipelines.usecases import policies
from pipelines.usecases.actions.shared import person_of, refuse
from pipelines.usecases.models import Delegation, UseCase

LONGEST = timedelta(days=92)  # own: a quarter; who is away for longer gives up the seat
MOST_OPEN = 20  # own
LONGEST_REASON = 200


@dataclass(frozen=True)
class Wish:
    """What a delegation says: who is away when, and who acts for them as what, where."""

    giver: User
    since: datetime
    until: datetime
    deputy: User | None = None
    persona: str | None = None
    use_case: UseCase | None = None
    reason: str = ""


def delegate(*, actor: Actor, wish: Wish, key: str | None = None) -> Answer:
    """Let a deputy act for a person from `since` until `until`, or say only that they are away.

    Raises NotAllowed, Invalid with every field, Conflict where the same stands already.
    """
    user = person_of(actor)
    refusal = policies.not_delegating(user, wish.giver, wish.deputy)
    if refusal:
        raise refusal
    refuse("This cannot be delegated.", _problems(wish))

    def body(command: Command, giver: User) -> dict[str, object]:
        if wish.until <= command.now:
            refuse("This cannot be delegated.", {"until": ["lies in the past"]})
        _refuse_twins(command, wish)
        made = Delegation.objects.create(
            giver=giver,
            deputy=wish.deputy,
            persona_id=wish.persona,
            use_case=wish.use_case,
            since=wish.since,
            until=wish.until,
            reason=wish.reason,
            created_by=user,
            created_at=command.now,
        )
        command.recorder.record(
            ("person", str(giver.pk)),
            "delegation.given" if wish.deputy else "absence.noted",
            subject=("delegation", made.pk),
            data={**_told(made), "reason": made.reason},
            topic="delegation.given",
        )
        return summary(made)

    return execute(
        actor=actor,
        name="delegate",
        lock=lambda: User.objects.select_for_update().get(pk=wish.giver.pk),
        body=body,
        key=key,
        request={
            "giver": wish.giver.pk,
            "deputy": wish.deputy.pk if wish.deputy else None,
            "persona": wish.persona,
            "use_case": wish.use_case.pk if wish.use_case else None,
            "since": wish.since.isoformat(),
            "until": wish.until.isoformat(),
            "reason": wish.reason,
        },
    )


def _problems(wish: Wish) -> dict[str, list[str]]:
    """Return what is wrong with the wish itself, by field."""
    found: dict[str, list[str]] = {"until": [], "reason": []}
    if wish.until <= wish.since:
        found["until"].append(f"must be after {wish.since:%Y-%m-%d %H:%M}")
    elif wish.until - wish.since > LONGEST:
        found["until"].append(f"must be at most {LONGEST.days} days after since")
    if len(wish.reason) > LONGEST_REASON:
        found["reason"].append(f"has {len(wish.reason)} characters; at most {LONGEST_REASON}")
    more = _absence_problems(wish) if wish.deputy is None else _deputy_problems(wish, wish.deputy)
    return {**found, **more}


def _absence_problems(wish: Wish) -> dict[str, list[str]]:
    told = "narrows what a deputy may do; there is no deputy"
    given = {"persona": wish.persona, "use_case": wish.use_case}
    return {name: [told] for name, value in given.items() if value}


def _deputy_problems(wish: Wish, deputy: User) -> dict[str, list[str]]:
    if not wish.persona:
        return {"persona": ["is required: what the deputy acts as"]}
    if deputy.pk == wish.giver.pk:
        return {"deputy": ["must be another person"]}
    if not deputy.is_active or deputy.is_service:
        return {"deputy": [f"{deputy} cannot act: inactive, or a service account"]}
    return {
        name: [f"{person} does not hold the persona {wish.persona}"]
        for name, person in (("persona", wish.giver), ("deputy", deputy))
        if not person.personas.filter(code=wish.persona).exists()
    }


def _refuse_twins(command: Command, wish: Wish) -> None:
    """Raise Conflict where one like it overlaps: two deputies for one place decide against it."""
    open_ones = Delegation.objects.filter(giver=wish.giver, ended_at=None, until__gt=command.now)
    if open_ones.count() >= MOST_OPEN:
        raise Conflict("delegations", f"{wish.giver} has {MOST_OPEN} open delegations; end some.")
    alike = open_ones.filter(since__lt=wish.until, until__gt=wish.since, persona_id=wish.persona)
    for other in alike.select_related("deputy", "giver", "created_by"):
        if None in (other.use_case_id, wish.use_case) or other.use_case_id == (
            wish.use_case.pk if wish.use_case else None
        ):
            raise Conflict(
                "delegated_already",
                f"{other} from {other.since:%d %b} until {other.until:%d %b}; end that first.",
                state="open",
                by=str(other.created_by),
                at=other.created_at,
            )


def end_delegation(*, actor: Actor, delegation: Delegation, key: str | None = None) -> Answer:
    """End a delegation from now on; what was decided under it stands. Raises NotAllowed, Gone."""
    user = person_of(actor)
    refusal = policies.not_ending(user, delegation)
    if refusal:
        raise refusal

    def body(command: Command, giver: User) -> dict[str, object]:
        locked = Delegation.objects.select_related("giver", "deputy", "ended_by").get(
            pk=delegation.pk
        )
        if locked.ended_at is not None or locked.until <= command.now:
            raise Gone(
                "delegation_over",
                "This delegation is over already.",
                state="ended",
                by=str(locked.ended_by or "time"),
                at=locked.ended_at or locked.until,
            )
        locked.ended_at, locked.ended_by = command.now, user
        locked.save(update_fields=["ended_at", "ended_by"])
        command.recorder.record(
            ("person", str(giver.pk)),
            "delegation.ended",
            subject=("delegation", locked.pk),
            data=_told(locked),
        )
        return summary(locked)

    return execute(
        actor=actor,
        name="end_delegation",
        lock=lambda: User.objects.select_for_update().get(pk=delegation.giver_id),
        body=body,
        key=key,
        request={"delegation": delegation.pk},
    )


def _told(made: Delegation) -> dict[str, object]:
    return {
        "giver": str(made.giver),
        "deputy": str(made.deputy or ""),
        "persona": made.persona_id or "",
        "use_case": made.use_case_id,
        "since": made.since.isoformat(),
        "until": made.until.isoformat(),
    }


def summary(made: Delegation) -> dict[str, object]:
    """Return what an answer says of a delegation."""
    return {
        "delegation": made.pk,
        **_told(made),
        "ended_at": made.ended_at.isoformat() if made.ended_at else None,
    }
