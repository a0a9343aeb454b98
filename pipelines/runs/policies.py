"""Who may do what on a run; the button, the click and the list ask here.

Each question returns the error that forbids it, or None: pages show it, actions raise it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from personas.errors import Conflict, DomainError, NotAllowed
from personas.models import User
from pipelines.lifecycles import DecisionState
from pipelines.runs.models import Decision, Gate, HandOff, Run, Stage, WorkItem
from pipelines.usecases.policies import personas_of


@dataclass(frozen=True)
class Hat:
    """A person with the personas they hold on the use case in question."""

    user: User
    personas: Sequence[str]

    @classmethod
    def of(cls, user: User, run: Run) -> "Hat":
        """Return the person's hats on the run's use case; one query."""
        return cls(user, personas_of(user, run.use_case_id))

    def wears(self, persona: str) -> bool:
        """Whether the person holds a seat of this persona."""
        return persona in self.personas


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
    if hat.personas or hat.user.can("run.manage"):
        return None
    return NotAllowed("run.seat", f"{hat.user} holds no seat on this use case.")


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
    if stage.owner_id not in (None, hat.user.pk):
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
    if hat.user.pk in (hand_off.offered_by_id, hand_off.source.owner_id):
        return NotAllowed(
            "sod.hand_off_sender",
            f"{hat.user} offered this hand-off or owns what it carries, so another person"
            " accepts it.",
        )
    return None


def not_sending(hat: Hat, hand_off: HandOff) -> DomainError | None:
    """Return why the person may not offer or withdraw the hand-off."""
    return not_owning(hat, hand_off.source)


def not_deciding(hat: Hat, gate: Gate) -> DomainError | None:
    """Return why the person may not decide in this gate: separation of duties first.

    Admins and tokens are bound too; service accounts never decide.
    """
    user = hat.user
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
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    if not any(hat.wears(persona) for persona in asked):
        return NotAllowed(
            "gate.persona",
            f"This gate asks {', '.join(asked) or 'nobody'}; {user} holds"
            f" {', '.join(hat.personas) or 'no seat'} here.",
        )
    return None


def _decided_before(user: User, gate: Gate) -> bool:
    return (
        Decision.objects.filter(gate__run=gate.run, user=user, state=DecisionState.IN_FORCE)
        .exclude(gate__stage__key=gate.stage.key)
        .exists()
    )


def refuse(error: DomainError | None) -> None:
    """Raise the error that forbids it, if there is one."""
    if error is not None:
        raise error
