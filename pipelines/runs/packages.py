"""Hand-off packages: what is handed over, its contract judged, its offer."""

from collections.abc import Mapping
from typing import Any

from personas.commands import Command
from personas.models import User
from pipelines.blueprints.graph import hand_off_def
from pipelines.runs import (
    deadlines,
    evidence,
)
from pipelines.runs.attention import ask_attention, close_attention
from pipelines.runs.gaps import asks_a_person
from pipelines.runs.models import HandOff, Stage, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.reviews import write_checks
from pipelines.runs.rows import Rows


def judge_contract(command: Command, rows: Rows, hand_off: HandOff) -> None:
    """Compute the receiver's contract; red keeps the package here and asks the sender."""
    definition = hand_off_def(rows.blueprint, hand_off.source.key)
    results = evidence.judge(rows, definition.contract, rows.facts())
    checks = write_checks(command, rows, hand_off.source, results, hand_off=hand_off)
    red = [check.name for check in checks if check.blocks]
    rows.green[hand_off.pk] = not red
    if red:
        move(command, hand_off, "contract_red", run=rows.run, data={"red": red})
        ask_attention(
            command,
            rows,
            stage=hand_off.source,
            key=f"contract_{hand_off.pk}",
            cause="contract_red",
            title="The receiver's contract is red: rerun it, or withdraw",
            context={"hand_off": hand_off.pk, "checks": red},
            hand_off=hand_off,
        )
    elif asks_a_person(definition, hand_off.gap):
        ask_attention(
            command,
            rows,
            stage=hand_off.source,
            key=f"offer_{hand_off.pk}",
            cause="offer",
            title="Complete the checklist and hand over",
            hand_off=hand_off,
            context={"hand_off": hand_off.pk},
        )


def package_of(rows: Rows, stage: Stage) -> dict[str, Any]:
    """Return what a hand-off carries: every output of the stage's round, by digest."""
    return {
        step.key: step.result.outputs
        for (pk, _), step in rows.with_results().steps.items()
        if pk == stage.pk and step.result is not None
    }


def offer(
    command: Command,
    rows: Rows,
    hand_off: HandOff,
    *,
    by: User | None,
    note: str = "",
    answers: Mapping[str, Any] | None = None,
) -> None:
    """Offer the package; the sender (`by`) stays accountable until somebody accepts.

    An offer that makes itself is the sending stage's owner's, whoever's command led to it.
    """
    definition = hand_off_def(rows.blueprint, hand_off.source.key)
    due = deadlines.deadline(command, [hand_off.target.persona_id], definition.due)
    move(
        command,
        hand_off,
        "offer",
        run=rows.run,
        offered_at=command.now,
        offered_by=by,
        note=note,
        checklist={**hand_off.checklist, **(answers or {})},
        due_at=due.due if due else None,
        topic="hand_off.offered",
    )
    if definition.accept != "auto":
        deadlines.remind(hand_off, due)
    close_attention(command, rows, WorkItem.objects.filter(hand_off=hand_off))
