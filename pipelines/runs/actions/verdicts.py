"""What a verdict must be, and what it does: judged on locked rows, then put in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from personas.commands import Command
from personas.errors import Conflict, DomainError, Gone, Invalid
from personas.models import User
from pipelines.lifecycles import GateState, Verdict
from pipelines.runs import blind, reviews
from pipelines.runs.actions.locks import name_of
from pipelines.runs.conditions import clean as clean_conditions
from pipelines.runs.models import Decision, Gate, Run
from pipelines.runs.moves import born, move
from pipelines.runs.policies import Hat
from pipelines.runs.rows import Rows

VERDICTS = (
    Verdict.APPROVE,
    Verdict.APPROVE_WITH_CONDITIONS,
    Verdict.REQUEST_CHANGES,
    Verdict.REJECT,
    Verdict.ABSTAIN,
    Verdict.WITHDRAW,
)


REASON_CODES = {
    "data_problem": "the data are wrong or not enough",
    "leakage": "the model knows what it cannot know",
    "not_available": "a feature is not there at prediction time",
    "quality": "the quality does not suffice",
    "fairness": "a group is treated worse",
    "unclear": "it cannot be judged from what is here",
    "incomplete": "something is missing",
    "value": "it is not worth it",
    "other": "something else",
}


NEEDS_REASON = (Verdict.REQUEST_CHANGES, Verdict.REJECT)


APPROVALS = (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)


LONGEST_REASON = 10_000


@dataclass(frozen=True)
class Decider:
    """Who decides: a person in their own right, or in the place of `giver`."""

    hat: Hat
    giver: User | None

    @property
    def personas(self) -> Sequence[str]:
        """The personas whose places the decision may fill."""
        return self.hat.of_giver(self.giver) if self.giver else self.hat.personas


def check_conditions(
    gate: Gate, verdict: str, given: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the conditions as they are kept. Raises Invalid, naming each field."""
    if verdict != Verdict.APPROVE_WITH_CONDITIONS:
        if given:
            told = [f"belong to {Verdict.APPROVE_WITH_CONDITIONS}, not to {verdict}"]
            raise Invalid("The decision cannot be taken.", fields={"conditions": told})
        return []
    if not gate.policy.get("conditions", True):
        told = ["this gate takes no conditions: approve, or request changes"]
        raise Invalid("The decision cannot be taken.", fields={"verdict": told})
    asked, problems = clean_conditions(given, use_case_id=gate.run.use_case_id)
    if problems:
        raise Invalid("The conditions need another look.", fields=problems)
    return asked


def check_input(gate: Gate, *, verdict: str, reason: str, reason_code: str, target: str) -> None:
    targets = gate.policy["send_back_to"]
    problems: dict[str, list[str]] = {}
    if verdict not in VERDICTS:
        problems["verdict"] = [f"must be one of {', '.join(VERDICTS)}, got {verdict!r}"]
    if verdict in NEEDS_REASON and not reason.strip():
        problems["reason"] = [f"{verdict} needs a reason"]
    if len(reason) > LONGEST_REASON:
        problems["reason"] = [f"has {len(reason)} characters; at most {LONGEST_REASON}"]
    if verdict == Verdict.REQUEST_CHANGES and reason_code not in REASON_CODES:
        problems["reason_code"] = [f"must be one of {', '.join(REASON_CODES)}, got {reason_code!r}"]
    if verdict == Verdict.REQUEST_CHANGES and not targets:
        problems["verdict"] = ["this gate names no stage to send back to"]
    if target and target not in targets:
        problems["target"] = [f"must be one of {', '.join(targets)}, got {target!r}"]
    if problems:
        raise Invalid("The decision cannot be taken.", fields=problems)


def done_already(gate: Gate, mine: Decision, request: Mapping[str, Any]) -> bool:
    """Whether the person's decision in force is this very one: a second click has no effect."""
    if gate.state in (GateState.SUPERSEDED, GateState.EXPIRED):
        return False
    same = ("verdict", "reason", "reason_code", "target")
    return (
        mine.subject_digest == request["seen"]
        and mine.conditions == request.get("conditions", [])
        and all(getattr(mine, name) == request[name] for name in same)
    )


def own_of(given: Sequence[Decision], user: User, giver: User | None) -> Decision | None:
    """Return the decision that a new one would replace: a deputy's falls to their giver, too."""
    behind = giver.pk if giver else None
    for decision in given:
        if decision.user_id == user.pk and decision.on_behalf_of_id == behind:
            return decision
        if giver is None and decision.on_behalf_of_id == user.pk:
            return decision
    return None


def _refuse_two_hats(given: Sequence[Decision], decider: Decider, mine: Decision | None) -> None:
    """Raise Conflict where the person, or who they act for, has decided here in another way."""
    people = {decider.hat.user.pk, decider.giver.pk if decider.giver else None}
    for other in given:
        if other is not mine and not people.isdisjoint(other.principals):
            raise Conflict(
                "two_hats",
                f"{other.who} decided here already; one person's decision counts once.",
                by=other.who,
                at=other.at,
                state="decided",  # and not what: the gate may be sealed
            )


def _refuse_second_change(gate: Gate, decider: Decider, now: datetime) -> None:
    """Raise Conflict where somebody confirmed or changed theirs after a blind gate's reveal."""
    if not blind.thinking(gate, now):
        return
    people = [decider.hat.user.pk, *([decider.giver.pk] if decider.giver else [])]
    mine = gate.decisions.filter(Q(user__in=people) | Q(on_behalf_of__in=people))
    if mine.filter(confirmed_at__isnull=False).exists():
        raise Conflict(
            "changed_once",
            "After the reveal each confirms or changes once; the tally runs at"
            f" {gate.tally_at:%d %b %H:%M}.",
            state=gate.state,
        )


def why_closed(run: Run, gate: Gate, user: User) -> DomainError | None:
    """Return why it is too late, saying who decided what and when; None while it is open."""
    if gate.state == GateState.OPEN:
        return None
    data = {
        "state": gate.state,
        "by": name_of(gate.closed_by),
        "at": gate.closed_at,
        "reason": gate.closing_reason,
    }
    if gate.state in (GateState.EXPIRED, GateState.CLOSED_UNDECIDED):
        return Gone("gate_closed", f"This gate was closed: {gate.closing_reason}.", **data)
    if gate.state == GateState.SUPERSEDED:
        return Conflict("superseded_subject", "A newer round is under way.", **data)
    return Conflict(
        "already_decided",
        f"{data['by']} closed this gate as {gate.state} at {gate.closed_at:%H:%M}.",
        **data,
    )


def take(
    command: Command,
    rows: Rows,
    gate: Gate,
    decider: Decider,
    given: Sequence[Decision],
    request: Mapping[str, Any],
) -> None:
    """Put the decision in force, and close the gate if that is what it leads to."""
    verdict, hat = request["verdict"], decider.hat
    mine = own_of(given, hat.user, decider.giver)
    if verdict == Verdict.WITHDRAW:
        if mine is None:
            raise Conflict("nothing_to_withdraw", f"{hat.user} has no decision in force here.")
        move(command, mine, "withdraw", run=rows.run)
        if gate.revealed_at is not None:
            reviews.tally(command, rows, gate, [one for one in given if one is not mine])
        return
    if verdict in APPROVALS:
        _refuse_red(command, gate)
    _refuse_two_hats(given, decider, mine)
    _refuse_second_change(gate, decider, command.now)
    if mine is not None:
        move(command, mine, "change", run=rows.run)
    decision = Decision(
        gate=gate,
        user=hat.user,
        on_behalf_of=decider.giver,
        personas=list(decider.personas),
        verdict=verdict,
        reason=request["reason"],
        reason_code=request["reason_code"],
        target=request["target"],
        conditions=request.get("conditions", []),
        subject_digest=request["seen"],
        command=command.id,
        at=command.now,
        confirmed_at=command.now if gate.revealed_at else None,
    )
    born(
        command,
        decision,
        "decide",
        run=rows.run,
        topic="gate.decision",
        data={
            "gate": gate.pk,
            "stage": gate.stage.key,
            "subject": gate.subject_digest,
            **({"for": str(decider.giver)} if decider.giver else {}),
            # Everybody on the use case reads the ledger: a sealed verdict is told at the reveal.
            **({"sealed": True} if gate.sealed else blind.told(decision)),
        },
    )
    others = [earlier for earlier in given if earlier is not mine]
    reviews.tally(command, rows, gate, [*others, decision])


def _refuse_red(command: Command, gate: Gate) -> None:
    red = reviews.red_checks(gate, command.now)
    if red:
        raise Conflict(
            "check_red",
            f"Approval waits: {', '.join(check.name for check in red)} is not green.",
            state=gate.state,
            checks=[check.name for check in red],
        )
