"""Blind gates: nobody sees another's verdict until all gave theirs, or half the time is over.

Then all are revealed, each may confirm or change theirs once, and the tally runs when all have
confirmed or the time to think again is over. Until the tally no decision closes the gate.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from personas.commands import Command
from personas.models import User
from pipelines.blueprints.spec import GateDef
from pipelines.runs.models import Comment, Decision, Gate
from pipelines.runs.moves import move
from pipelines.runs.quorum import satisfied, worn
from pipelines.runs.rows import Rows

Given = TypeVar("Given", bound=Decision)


def until(definition: GateDef, opened_at: datetime) -> datetime | None:
    """Return when time reveals a gate that opens now: half of `expires`; None where none is."""
    if not definition.blind or definition.expires is None:
        return None
    return opened_at + definition.expires / 2


def waits(command: Command, rows: Rows, gate: Gate, decisions: Sequence[Decision]) -> bool:
    """Whether the tally has to wait; reveals the verdicts where it is time."""
    if not gate.policy.get("blind"):
        return False
    if gate.revealed_at is None:
        late = gate.blind_until is not None and gate.blind_until <= command.now
        if not late and not satisfied(gate.policy, worn(gate.policy, decisions)):
            return True
        _reveal(command, rows, gate, decisions)
    return thinking(gate, command.now) and not all(one.confirmed_at for one in decisions)


def thinking(gate: Gate, now: datetime) -> bool:
    """Whether a revealed gate still waits for people to confirm or change their verdict."""
    return gate.revealed_at is not None and gate.tally_at is not None and now < gate.tally_at


def _reveal(command: Command, rows: Rows, gate: Gate, decisions: Sequence[Decision]) -> None:
    move(
        command,
        gate,
        "reveal",
        run=rows.run,
        topic="gate.revealed",
        revealed_at=command.now,
        tally_at=command.now + timedelta(seconds=gate.policy["reveal_seconds"]),
        data={"stage": gate.stage.key, "decisions": len(decisions)},
    )
    for decision in decisions:
        command.recorder.record(
            rows.run.stream,
            "decision.revealed",
            subject=("decision", decision.pk),
            data={**told(decision), "by": decision.who},
        )
    for comment in Comment.objects.filter(gate=gate).select_related("author"):
        command.recorder.record(
            rows.run.stream,
            "comment.revealed",
            subject=("comment", comment.pk),
            data={"text": comment.text, "by": str(comment.author)},
        )


def told(decision: Decision) -> dict[str, object]:
    """Return what the ledger says of a decision; of a sealed one it may not say it yet."""
    return {
        "verdict": decision.verdict,
        "reason": decision.reason,
        "code": decision.reason_code,
        **({"conditions": decision.conditions} if decision.conditions else {}),
    }


def seen_by(user: User, gate: Gate, decisions: Iterable[Given]) -> list[Given]:
    """Return the decisions this person may see now: in a sealed gate their own alone."""
    if not gate.sealed:
        return list(decisions)
    return [decision for decision in decisions if user.pk in decision.principals]
