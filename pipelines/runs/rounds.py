"""Rounds: what a send-back, a rerun or the end of a run does to stages that are under way."""

from collections.abc import Iterable

from django.db.models import QuerySet

from personas.commands import Command
from personas.errors import Conflict
from pipelines.blueprints.graph import affected
from pipelines.lifecycles import (
    ATTEMPT,
    GATE,
    HAND_OFF,
    STAGE,
    STEP,
    WORK_ITEM,
    AttemptState,
    StageState,
    can_move,
)
from pipelines.runs import deadlines, effects
from pipelines.runs.models import Attempt, Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.rows import Rows
from pipelines.usecases.models import Seat

RERUN = "rerun"  # the return code of a round its own people asked for


def rounds_left(rows: Rows, key: str) -> int:
    """Return how often the stage may still be sent back; loops are bounded.

    Counted are the rounds that a send-back, return or withdrawal opened: neither reruns nor the
    rounds that follow from an earlier stage's.
    """
    rounds = Stage.objects.filter(run=rows.run, key=key)
    sent = rounds.exclude(return_reason="").exclude(return_code=RERUN).count()
    return rows.blueprint.stage(key).max_rounds - 1 - sent


def send_back(
    command: Command,
    rows: Rows,
    *,
    source: Stage,
    target: str,
    reason: str,
    code: str,
) -> Stage:
    """Open round n+1 of `target`; everything that depends on it starts over when its turn comes.

    Raises Conflict (`max_rounds`) when the target has no round left.
    """
    if rounds_left(rows, target) < 1:
        raise Conflict(
            "max_rounds",
            f"{target} has had its {rows.blueprint.stage(target).max_rounds} rounds;"
            " approve, reject or give up.",
            stage=target,
        )
    if source.state in (StageState.IN_REVIEW, StageState.FAILED):
        stop(command, rows, source, gate_event="close")
        _retire(command, rows, source, "send_back")
    return reopen(command, rows, target=target, reason=reason, code=code)


def reopen(
    command: Command,
    rows: Rows,
    *,
    target: str,
    reason: str,
    code: str,
    refuse_cache: bool = False,
) -> Stage:
    """Supersede `target` and all that depends on it, and open the target's next round, ACTIVE."""
    for key in _in_order(rows, affected(rows.blueprint, target)):
        stage = rows.stages[key]
        if stage.state == StageState.PENDING:
            continue
        if can_move(STAGE, stage.state, "supersede"):
            stop(command, rows, stage, gate_event="supersede")
            _retire(command, rows, stage, "supersede")
        _next_round(command, rows, stage, "create")
    old = rows.stages[target]
    if can_move(STAGE, old.state, "supersede"):
        stop(command, rows, old, gate_event="supersede")
        _retire(command, rows, old, "supersede")
    owner = old.owner if old.owner is not None and seated(rows, old) else None
    length = rows.blueprint.stage(target).target
    found = deadlines.deadline(command, [old.persona_id], length)
    fresh = _next_round(
        command,
        rows,
        old,
        "reopen",
        activated_at=command.now,
        owner=owner,
        owned_at=command.now if owner else None,
        return_reason=reason,
        return_code=code,
        returned_by=command.actor.user,
        refuse_cache=refuse_cache,
        due_at=found.due if found else None,
    )
    deadlines.remind(fresh, found)
    command.recorder.record(
        rows.run.stream,
        "stage.returned",
        subject=("stage", fresh.pk),
        after=fresh.state,
        data={"stage": target, "round": fresh.round, "code": code, "reason": reason},
        topic="stage.returned",
    )
    return fresh


def _in_order(rows: Rows, keys: Iterable[str]) -> list[str]:
    wanted = set(keys)
    return [stage.key for stage in rows.blueprint.stages if stage.key in wanted]


def _retire(command: Command, rows: Rows, stage: Stage, event: str) -> None:
    move(
        command,
        stage,
        event,
        run=rows.run,
        current=False,
        finished_at=stage.finished_at or command.now,
    )
    rows.forget(stage)


def _next_round(command: Command, rows: Rows, old: Stage, event: str, **fields: object) -> Stage:
    stage = Stage(
        run=rows.run,
        key=old.key,
        round=old.round + 1,
        position=old.position,
        persona_id=old.persona_id,
        **fields,
    )
    born(command, stage, event, run=rows.run)
    rows.stages[old.key] = stage
    return stage


def seated(rows: Rows, stage: Stage) -> bool:
    """Whether the stage's owner still holds a seat for it."""
    return Seat.objects.filter(
        use_case_id=rows.run.use_case_id,
        persona_id=stage.persona_id,
        user=stage.owner,
        until=None,
        user__is_active=True,
    ).exists()


def stop(command: Command, rows: Rows, stage: Stage, *, gate_event: str) -> None:
    """Close what is open in a stage: attempts, steps, work items, gates and hand-offs."""
    run = rows.run
    _stop_attempts(command, run, Attempt.objects.filter(step__stage=stage))
    for step in Step.objects.filter(stage=stage, state__in=STEP.open):
        move(command, step, "cancel", run=run)
    for item in WorkItem.objects.filter(stage=stage, state__in=WORK_ITEM.open):
        move(command, item, "cancel", run=run, closed_at=command.now)
    for gate in Gate.objects.filter(stage=stage, state__in=GATE.open):
        move(
            command,
            gate,
            gate_event,
            run=run,
            closed_at=command.now,
            closed_by=command.actor.user,
            closing_reason="the stage was left",
        )
    for hand_off in HandOff.objects.filter(source=stage, state__in=HAND_OFF.open):
        move(command, hand_off, "withdraw", run=run, answered_at=command.now)
    if stage.state != StageState.DONE:
        effects.undo(command, rows, stage)


def stop_contract(command: Command, rows: Rows, hand_off: HandOff) -> None:
    """Close what is still being computed for a hand-off that nobody will take."""
    _stop_attempts(command, rows.run, Attempt.objects.filter(step__hand_off=hand_off))
    for (pk, _), step in rows.contract_steps.items():
        if pk == hand_off.pk and step.state in STEP.open:
            move(command, step, "cancel", run=rows.run)


def _stop_attempts(command: Command, run: Run, attempts: QuerySet[Attempt]) -> None:
    for attempt in attempts.filter(state__in=ATTEMPT.open):
        if attempt.state == AttemptState.QUEUED:
            move(command, attempt, "cancel", run=run, finished_at=command.now)
        else:
            # The supervisor sees it with its next heartbeat, and kills the child.
            Attempt.objects.filter(pk=attempt.pk).update(cancel_requested=True)


def end_run(command: Command, rows: Rows, *, event: str, reason: str) -> None:
    """End a run that failed, was given up, rejected or cancelled: all that is open is closed.

    Unless somebody cancelled, a failed stage stays FAILED: it says why the run ended.
    """
    for stage in rows.stages.values():
        stop(command, rows, stage, gate_event="close")
        kept = stage.state == StageState.FAILED and event != "cancel"
        if not kept and can_move(STAGE, stage.state, "cancel"):
            move(command, stage, "cancel", run=rows.run, finished_at=command.now)
    ended = {"cancel_asked_at" if event == "cancel" else "finished_at": command.now}
    move(
        command,
        rows.run,
        event,
        run=rows.run,
        data={"reason": reason},
        topic=f"run.{event}",
        reason=reason,
        **ended,
    )
