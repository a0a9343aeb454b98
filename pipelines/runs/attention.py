"""Attention items: a person is asked because something cannot go on by itself."""

from collections.abc import Mapping
from typing import Any, Final

from personas.commands import Command
from pipelines.runs.models import HandOff, Stage, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.reading import fetch
from pipelines.runs.rows import Rows


def ask_attention(
    command: Command,
    rows: Rows,
    *,
    stage: Stage,
    key: str,
    cause: str,
    title: str,
    context: Mapping[str, Any],
    hand_off: HandOff | None = None,
) -> WorkItem:
    """Open a work item for the stage's owner (or its persona): something needs a person."""
    item = WorkItem(
        run=rows.run,
        stage=stage,
        hand_off=hand_off,
        key=key[:60],
        kind="attention",
        title=title,
        persona_id=stage.persona_id,
        candidates=[stage.persona_id],
        context={"cause": cause, **context},
    )
    born(command, item, "open", run=rows.run, topic="item.attention", data={"cause": cause})
    if stage.owner_id is not None:
        move(command, item, "claim", run=rows.run, holder=stage.owner, claimed_at=command.now)
    return item


def close_of_stage(command: Command, rows: Rows, stage: Stage) -> None:
    for item in fetch(WorkItem, _ASKING, [stage.pk]):
        move(command, item, "cancel", run=rows.run, closed_at=command.now)


_ASKING: Final = (
    "stage_id = %s AND hand_off_id IS NULL AND kind = 'attention'"
    " AND state IN ('OPEN', 'ASSIGNED', 'IN_PROGRESS', 'ON_HOLD') ORDER BY id"
)


def close_attention(command: Command, rows: Rows, items: Any) -> None:
    """Cancel attention items whose cause is gone."""
    open_states = ("OPEN", "ASSIGNED", "IN_PROGRESS", "ON_HOLD")
    for item in items.filter(kind="attention", state__in=open_states):
        move(command, item, "cancel", run=rows.run, closed_at=command.now)
