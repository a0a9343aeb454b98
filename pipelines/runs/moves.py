"""The one function that moves a row along its life cycle, and writes the event of it."""

from collections.abc import Mapping
from typing import Final

from django.db import models

from personas.commands import Command
from personas.errors import Conflict
from pipelines import lifecycles
from pipelines.lifecycles import IllegalMove, Machine
from pipelines.runs import saving
from pipelines.runs.models import (
    Attempt,
    Decision,
    Finding,
    Gate,
    HandOff,
    Run,
    Stage,
    Step,
    WorkItem,
)

MACHINES: Final[Mapping[type[models.Model], Machine]] = {
    Run: lifecycles.RUN,
    Stage: lifecycles.STAGE,
    Step: lifecycles.STEP,
    Attempt: lifecycles.ATTEMPT,
    WorkItem: lifecycles.WORK_ITEM,
    Gate: lifecycles.GATE,
    Decision: lifecycles.DECISION,
    Finding: lifecycles.FINDING,
    HandOff: lifecycles.HAND_OFF,
}

Row = Run | Stage | Step | Attempt | WorkItem | Gate | Decision | Finding | HandOff


def move(
    command: Command,
    row: Row,
    event: str,
    *,
    run: Run,
    data: Mapping[str, object] | None = None,
    topic: str = "",
    **fields: object,
) -> None:
    """Move a row by an event of its life cycle, set `fields`, save only those, write the event.

    Raises Conflict (`illegal_move`) where the life cycle has no such move from the row's state.
    """
    machine = MACHINES[type(row)]
    before = row.state
    try:
        row.state = lifecycles.move(machine, before, event)
    except IllegalMove as error:
        raise Conflict(
            "illegal_move",
            f"{machine.name} {row} is {before}; {event!r} is not possible now.",
            state=before,
        ) from error
    if isinstance(row, Run):
        fields["moved_at"] = command.now  # what ends a run is the last that may write its row
    for name, value in fields.items():
        setattr(row, name, value)
    saving.update(row, ("state", *fields))
    command.recorder.record(
        run.stream,
        f"{machine.name}.{event}",
        subject=(machine.name, row.pk),
        before=before,
        after=row.state,
        data={**_names(row), **(data or {})},
        topic=topic,
    )


def born(
    command: Command,
    row: Row,
    event: str,
    *,
    run: Run,
    data: Mapping[str, object] | None = None,
    topic: str = "",
    then: str = "",
) -> None:
    """Save a new row in the state its first event leads to, and write the event.

    With `then` a second event follows at once: two events, but one statement.
    """
    machine = MACHINES[type(row)]
    path = [lifecycles.NEW, lifecycles.move(machine, lifecycles.NEW, event)]
    if then:
        path.append(lifecycles.move(machine, path[-1], then))
    row.state = path[-1]
    saving.insert(row)
    for name, before, after in zip((event, then), path, path[1:], strict=False):
        command.recorder.record(
            run.stream,
            f"{machine.name}.{name}",
            subject=(machine.name, row.pk),
            before=before,
            after=after,
            data={**_names(row), **(data or {})},
            topic=topic,
        )


def _names(row: models.Model) -> dict[str, object]:
    """What a reader of the ledger needs to recognise the row without a look-up."""
    if isinstance(row, Stage):
        return {"stage": row.key, "round": row.round}
    if isinstance(row, Step | WorkItem):
        return {"key": row.key}
    if isinstance(row, Attempt):
        return {"operation": row.operation, "number": row.number}
    return {}
