"""Who may do what on a run; the button, the click and the list ask here.

Each question returns the error that forbids it, or None: pages show it, actions raise it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from personas.errors import Conflict, DomainError, NotAllowed
from personas.kept import Kept
from personas.models import User
from pipelines.lifecycles import DecisionState
from pipelines.runs.models import Decision, Finding, Gate, HandOff, Run, Stage, WorkItem
from pipelines.runs.quorum import counting
from pipelines.usecases.models import Seat
from pipelines.usecases.policies import seats_worn_by


def _seats(user_id: int, use_case_id: int) -> QuerySet[Seat]:
    seats = seats_worn_by(user_id).filter(use_case_id=use_case_id)
    return seats.select_related("user").order_by("persona__lane")


_SEATS: Final = Kept(_seats, user_id=int, use_case_id=int)


@dataclass(frozen=True)
class Lent:
    """The personas another person lets somebody act as in their place, now."""

    giver: User
    personas: tuple[str, ...]


@dataclass(frozen=True)
class Hat:
    """A person with the personas they hold on the use case in question, and those lent to them."""

    user: User
    personas: Sequence[str]
    lent: Sequence[Lent] = ()

    @classmethod
    def of(cls, user: User, run: Run) -> "Hat":
        """Return the person's hats on the run's use case; one query."""
        if not user.is_active or user.is_service:
            return cls(user, [])
        return cls.from_seats(user, _SEATS.all(user_id=user.pk, use_case_id=run.use_case_id))

    @classmethod
    def from_seats(cls, user: User, seats: Iterable[Seat]) -> "Hat":
        """Return the hat that seats of one use case make, in their order."""
        own: list[str] = []
        lent: dict[User, list[str]] = {}
        for seat in seats:
            of_whom = own if seat.user_id == user.pk else lent.setdefault(seat.user, [])
            of_whom.append(seat.persona_id)
        return cls(user, own, tuple(Lent(giver, tuple(held)) for giver, held in lent.items()))

    def wears(self, persona: str) -> bool:
        """Whether the person may act as this persona: from their own seat, or as a deputy."""
        return persona in self.personas or any(persona in lent.personas for lent in self.lent)

    def stands_in_for(self, user_id: int | None, persona: str) -> bool:
        """Whether the person is now the deputy of this one as this persona."""
        return any(one.giver.pk == user_id and persona in one.personas for one in self.lent)

    def behind(self, *personas: str) -> User | None:
        """Return for whom the person acts as one of these personas; None from their own seat."""
        if any(persona in self.personas for persona in personas):
            return None
        return next(
            (one.giver for one in self.lent if not set(one.personas).isdisjoint(personas)), None
        )

    def of_giver(self, giver: User) -> Sequence[str]:
        """Return the personas this person lent them; none where they are no deputy."""
        return next((one.personas for one in self.lent if one.giver.pk == giver.pk), ())


def not_managing(hat: Hat, run: Run, *, initiator: bool = False) -> DomainError | None:
    """Return why the person may not manage the run (pause, cancel, ...)."""
    if hat.user.can("run.manage"):
        return None
    if initiator and run.created_by_id == hat.user.pk:
        return None
    return NotAllowed(
        "run.manage",
        f"{hat.user} may not manage this run: it needs the capability run.manage"
        + (" or to have started it." if initiator else "."),
    )


def not_starting(hat: Hat, run: Run) -> DomainError | None:
    """Return why the person may not create or start a run of the use case."""
    if hat.personas or hat.lent or hat.user.can("run.manage"):
        return None
    return NotAllowed("run.seat", f"{hat.user} holds no seat on this use case.")


def not_looking(hat: Hat | None) -> DomainError | None:
    """Return why no look is noted: only of people with a seat here, their own or a lent one."""
    if hat is not None and (hat.personas or hat.lent):
        return None
    return NotAllowed("look.seat", "Looks are noted of people with a seat on this use case.")


def not_taking(hat: Hat, stage: Stage) -> DomainError | None:
    """Return why the person may not become the stage's owner: managers need its seat, too."""
    if hat.wears(stage.persona_id):
        return None
    return NotAllowed(
        "stage.persona",
        f"{stage.key} belongs to {stage.persona_id}; {hat.user} holds"
        f" {', '.join(hat.personas) or 'no seat'} here.",
    )


def not_owning(hat: Hat, stage: Stage) -> DomainError | None:
    """Return why the person may not act for the stage: not its owner, not of its persona."""
    if hat.user.can("run.manage"):
        return None
    refusal = not_taking(hat, stage)
    if refusal is not None:
        return refusal
    own = stage.owner_id in (None, hat.user.pk)
    if not own and not hat.stands_in_for(stage.owner_id, stage.persona_id):
        return NotAllowed("stage.owner", f"{stage.key} is owned by {stage.owner}.")
    return None


def not_candidate(hat: Hat, item: WorkItem) -> DomainError | None:
    """Return why the person may not take the work item."""
    if item.asked_by_id == hat.user.pk:
        return NotAllowed("help.asker", f"{hat.user} asked for this, so somebody else answers.")
    if any(hat.wears(persona) for persona in item.candidates):
        return None
    return NotAllowed(
        "item.persona",
        f"This is for {', '.join(item.candidates)}; {hat.user} holds"
        f" {', '.join(hat.personas) or 'no seat'} here.",
    )


def holds(hat: Hat, item: WorkItem) -> bool:
    """Whether the person holds the item, or stands in for who does."""
    return item.holder_id == hat.user.pk or any(
        hat.stands_in_for(item.holder_id, persona) for persona in item.candidates
    )


def not_delegating(item: WorkItem) -> DomainError | None:
    """Return why nobody can delegate this item now, or None."""
    if item.kind == "attention":
        return Conflict("attention", "Act on its cause, or let a manager assign its stage.")
    if item.delegated_by_id is not None:
        return Conflict(
            "delegated_already",
            f"{item.delegated_by} stays accountable for this; hand it back instead.",
            by=str(item.delegated_by),
        )
    return None


def not_escalating(hat: Hat, item: WorkItem) -> DomainError | None:
    """Return why the person may not escalate the item."""
    if hat.user.can("run.manage") or item.stage.owner_id == hat.user.pk:
        return None
    return NotAllowed(
        "item.escalate", f"{hat.user} neither owns {item.stage.key} nor manages runs."
    )


def not_receiving(hat: Hat, hand_off: HandOff) -> DomainError | None:
    """Return why the person may not accept or return the hand-off."""
    if not hat.wears(hand_off.target.persona_id):
        return NotAllowed(
            "hand_off.persona",
            f"This is handed to {hand_off.target.persona_id}; {hat.user} holds"
            f" {', '.join(hat.personas) or 'no seat'} here.",
        )
    giver = hat.behind(hand_off.target.persona_id)
    senders = {hand_off.offered_by_id, hand_off.source.owner_id, *hand_off.source.author_ids}
    if hat.user.pk in (hand_off.offered_by_id, hand_off.source.owner_id) or (
        giver is not None and not senders.isdisjoint((giver.pk, hat.user.pk))
    ):
        return NotAllowed(
            "sod.hand_off_sender",
            f"{hat.user} offered this hand-off or owns what it carries, so another person"
            " accepts it.",
        )
    return None


def not_sending(hat: Hat, hand_off: HandOff) -> DomainError | None:
    """Return why the person may not offer or withdraw the hand-off."""
    return not_owning(hat, hand_off.source)


def not_deciding(hat: Hat, gate: Gate, giver: User | None = None) -> DomainError | None:
    """Return why the person may not decide in this gate: separation of duties first.

    With `giver` they decide in that person's place: the rules bind both of them. Admins and tokens
    are bound too; service accounts never decide.
    """
    for person in (hat.user,) if giver is None else (hat.user, giver):
        refusal = not_independent(person, gate)
        if refusal is not None:
            return refusal
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    if giver is not None:
        return _not_lent(hat, giver, asked)
    if not any(persona in hat.personas for persona in asked):
        return NotAllowed(
            "gate.persona",
            f"This gate asks {', '.join(asked) or 'nobody'}; {hat.user} holds"
            f" {', '.join(hat.personas) or 'no seat'} here.",
        )
    return None


def _not_lent(hat: Hat, giver: User, asked: Sequence[str]) -> DomainError | None:
    lent = hat.of_giver(giver)
    if not lent:
        return NotAllowed(
            "delegation.none", f"{hat.user} does not act for {giver} on this use case now."
        )
    if not any(persona in lent for persona in asked):
        return NotAllowed(
            "gate.persona",
            f"This gate asks {', '.join(asked) or 'nobody'}; {giver} lets {hat.user} act as"
            f" {', '.join(lent)}.",
        )
    return None


def not_independent(user: User, gate: Gate) -> DomainError | None:
    """Return which separation of duties keeps this one person from the gate, in whatever role."""
    if user.is_service:
        return NotAllowed("sod.service_account", f"{user} is a service account; people decide.")
    if user.pk in gate.author_ids:
        return NotAllowed(
            "sod.subject_author",
            f"{user} made part of what is under review, so others decide on it.",
        )
    if "run_initiator" in gate.policy["exclude"] and gate.run.created_by_id == user.pk:
        return NotAllowed("sod.run_initiator", f"{user} started this run, so others decide.")
    if "earlier_deciders" in gate.policy["exclude"] and _decided_before(user, gate):
        return NotAllowed("sod.earlier_decider", f"{user} decided in an earlier gate of this run.")
    return None


def undecided(gate: Gate, decisions: Sequence[Decision]) -> list[list[str]]:
    """Return the personas of each seated person who may still decide in the gate."""
    decided = {pk for decision in decisions for pk in decision.principals}
    seats = Seat.objects.filter(use_case_id=gate.run.use_case_id, until=None, user__is_active=True)
    held: dict[User, list[str]] = {}
    for seat in seats.exclude(user__in=decided).select_related("user"):
        held.setdefault(seat.user, []).append(seat.persona_id)
    return [
        counting(gate.policy, codes, {user.pk})
        for user, codes in held.items()
        if not_independent(user, gate) is None
    ]


def _decided_before(user: User, gate: Gate) -> bool:
    """Whether the person, or a deputy of theirs, decided; lists bring the deciders along."""
    known: Sequence[int] | None = getattr(gate, "earlier_users", None)
    if known is not None:
        return user.pk in known or user.pk in getattr(gate, "earlier_givers", ())
    return (
        Decision.objects.filter(gate__run=gate.run, state=DecisionState.IN_FORCE)
        .filter(Q(user=user) | Q(on_behalf_of=user))
        .exclude(gate__stage__key=gate.stage.key)
        .exists()
    )


def not_overriding(hat: Hat, gate: Gate) -> DomainError | None:
    """Return why the person may not close the gate against its rules.

    It takes the capability, and somebody whose work it is not and who does not decide here anyway.
    """
    if hat.user.is_service:
        return not_independent(hat.user, gate)
    if not hat.user.can("gate.override"):
        return NotAllowed("gate.override", "Overriding takes the capability gate.override.")
    if gate.policy.get("override") == "never":
        return NotAllowed("gate.override_never", "The blueprint lets nobody override this gate.")
    refusal = not_independent(hat.user, gate)
    if refusal is not None:
        return refusal
    given = gate.decisions.filter(Q(user=hat.user) | Q(on_behalf_of=hat.user))
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    if any(hat.wears(persona) for persona in asked) or given.exists():
        return NotAllowed(
            "sod.decider", f"{hat.user} is asked to decide here; who decides does not override."
        )
    return None


def not_resolving(hat: Hat, finding: Finding) -> DomainError | None:
    """Return why the person may not resolve the finding: it belongs to one persona."""
    if hat.user.is_service:
        return NotAllowed("actor.person", "Findings are for people.")
    if hat.wears(finding.persona_id):
        return None
    return NotAllowed(
        "finding.persona",
        f"This finding belongs to {finding.persona_id}; {hat.user} holds"
        f" {', '.join(hat.personas) or 'no seat'} here.",
    )


def not_extending(hat: Hat, finding: Finding) -> DomainError | None:
    """Return why the person may not give the finding more time.

    Only one who may decide in its gate does (who put the condition, or a peer), and so never who
    made what is under review.
    """
    return not_deciding(hat, finding.gate)


def refuse(error: DomainError | None) -> None:
    """Raise the error that forbids it, if there is one."""
    if error is not None:
        raise error
