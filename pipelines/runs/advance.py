"""Apply the plan: called inside the caller's transaction, under the run's lock; opens none."""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from personas.commands import Command
from personas.errors import Busy, DomainError
from personas.queries import gap
from pipelines.blueprints import moves
from pipelines.blueprints.graph import hand_off_def
from pipelines.blueprints.plan import plan
from pipelines.lifecycles import RunState, StageState
from pipelines.runs import attention, deadlines, dispatch, effects, packages, reviews, rounds
from pipelines.runs.gaps import asks_a_person
from pipelines.runs.models import HandOff, Run, Stage, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.rows import Rows, load
from pipelines.usecases.policies import personas_of

PASSES = 100  # A plan that still moves after so many passes is a defect, not patience.
MODEL_PAYLOAD = ("H4", "H5", "H6", "H7")  # hand-offs whose payload is judged on deployment


class EndlessPlan(RuntimeError):
    """The plan kept moving without coming to rest."""


def advance(command: Command, run: Run, rows: Rows | None = None) -> Rows:
    """Apply moves until nothing moves; returns the rows as they are then.

    `rows` saves loading them again where the caller has loaded them under the same lock.
    """
    rows = rows or load(run)
    for _ in range(PASSES):
        due = plan(rows.blueprint, rows.view())
        if not due:
            return rows
        for step in due:
            if rows.run.state == RunState.RUNNING:
                APPLY[type(step)](command, rows, step)
    raise EndlessPlan(f"run {run.pk} did not come to rest in {PASSES} passes")


def _create_stage(command: Command, rows: Rows, due: moves.CreateStage) -> None:
    definition = rows.blueprint.stage(due.stage)
    position = list(rows.blueprint.stages).index(definition)
    stage = Stage(
        run=rows.run,
        key=due.stage,
        round=_round(rows, due),
        position=position,
        persona_id=definition.persona,
    )
    born(command, stage, "create", run=rows.run)
    rows.stages[due.stage] = stage


def _round(rows: Rows, due: moves.CreateStage) -> int:
    """The round to open; of a stage that one move dropped and a later one brought back, the next.

    The plan knows current rounds alone, and would begin with the first again.
    """
    if due.round > 1 or not rows.run.earlier_version_ids:
        return due.round
    before = Stage.objects.filter(run=rows.run, key=due.stage)
    return (before.aggregate(last=Max("round"))["last"] or 0) + 1


def _ready(command: Command, rows: Rows, due: moves.ReadyStage) -> None:
    move(command, rows.stages[due.stage], "ready", run=rows.run)


def _activate(command: Command, rows: Rows, due: moves.ActivateStage) -> None:
    """Begin the work: the first accepter of a hand-off into the stage owns it."""
    stage = rows.stages[due.stage]
    accepted = [
        hand_off
        for (_, target), hand_off in rows.hand_offs.items()
        if target == due.stage and hand_off.state == "ACCEPTED" and hand_off.answered_by_id
    ]
    accepters = [hand_off.answered_by_id for hand_off in accepted]
    # What a deputy will do is the work of who they act for, too: neither decides on it.
    givers = {hand_off.answered_for_id for hand_off in accepted if hand_off.answered_for_id}
    owner = accepters[0] if accepters else stage.owner_id or _heir(rows, stage)
    target = rows.blueprint.stage(stage.key).target
    found = deadlines.deadline(command, [stage.persona_id], target)
    move(
        command,
        stage,
        "activate",
        run=rows.run,
        topic="stage.active",
        activated_at=command.now,
        owner_id=owner,
        owned_at=command.now if owner else None,
        due_at=found.due if found else None,
        author_ids=sorted({*stage.author_ids, *givers}),
    )
    deadlines.remind(stage, found)


def _heir(rows: Rows, stage: Stage) -> int | None:
    """Who goes on without a hand-off: the owner of a needed stage of the same persona.

    A first stage belongs to who started the run, if they hold its seat.
    """
    needs = rows.blueprint.stage(stage.key).needs
    for need in needs:
        before = rows.stages[need]
        if before.persona_id == stage.persona_id and before.owner_id is not None:
            return before.owner_id
    starter = rows.run.created_by
    if needs or starter is None:
        return None
    seated = stage.persona_id in personas_of(starter, rows.run.use_case_id)
    return starter.pk if seated else None


def _skip(command: Command, rows: Rows, due: moves.SkipStage) -> None:
    move(command, rows.stages[due.stage], "skip", run=rows.run, finished_at=command.now)


def _queue(command: Command, rows: Rows, due: moves.QueueStep) -> None:
    definition = rows.blueprint.stage(due.stage).step(due.step)
    stage = rows.stages[due.stage]
    if not definition.effect:
        dispatch.queue_step(command, rows, stage=stage, definition=definition)
        return
    place = (stage.pk, definition.key)
    known, mark = copy(rows.steps.get(place)), command.recorder.mark()
    try:
        with transaction.atomic():
            step = dispatch.queue_step(command, rows, stage=stage, definition=definition)
            if step.result is not None:
                effects.of_step(command, rows, step, definition.effect)
    except DomainError as error:
        if isinstance(error, Busy):
            raise
        # A result from the cache that may not have its effect fails its own step, once it is
        # computed anew, and not the command of somebody else that happened to come by.
        command.recorder.back_to(mark)
        rows.steps.pop(place, None)
        if known is not None:
            rows.steps[place] = known
        dispatch.queue_step(command, rows, stage=stage, definition=definition, fresh=True)


def _open_item(command: Command, rows: Rows, due: moves.OpenItem) -> None:
    stage = rows.stages[due.stage]
    definition = rows.blueprint.stage(due.stage).item(due.item)
    holder = stage.owner if definition.persona == stage.persona_id else None
    # With the stage; in another persona's calendar the same length may end at another time.
    target, start = rows.blueprint.stage(due.stage).target, stage.activated_at
    found = deadlines.deadline(command, [definition.persona], target, start=start)
    item = WorkItem(
        run=rows.run,
        stage=stage,
        key=definition.key,
        kind=definition.kind,
        title=definition.title,
        persona_id=definition.persona,
        candidates=[definition.persona],
        due_at=found.due if found else None,
        draft=_suggested(rows, stage, due.item),
    )
    born(command, item, "open", run=rows.run, topic="item.open")
    deadlines.remind(item, found)
    if holder is not None:
        move(command, item, "claim", run=rows.run, holder=holder, claimed_at=command.now)
    rows.items[stage.pk, item.key] = item


def _suggested(rows: Rows, stage: Stage, key: str) -> dict[str, Any]:
    """What the form starts with: what the last round or run said, else the fields' defaults.

    What is confirmed with a yes is confirmed anew.
    """
    last = (
        WorkItem.objects.filter(
            run__use_case=rows.run.use_case_id,
            run__kind=rows.run.kind,
            stage__key=stage.key,
            key=key,
            state="COMPLETED",
            hand_off=None,
        )
        .order_by("-id")
        .first()
    )
    fields = rows.blueprint.stage(stage.key).item(key).fields
    if last is not None:
        repeated = {field.key for field in fields if field.kind != "bool"}
        return {name: value for name, value in last.data.items() if name in repeated}
    return {field.key: field.default for field in fields if field.default is not None}


def _finish(command: Command, rows: Rows, due: moves.FinishStage) -> None:
    stage = rows.stages[due.stage]
    event = "approve" if stage.state == StageState.IN_REVIEW else "finish"
    move(command, stage, event, run=rows.run, finished_at=command.now)


def _fail(command: Command, rows: Rows, due: moves.FailStage) -> None:
    stage = rows.stages[due.stage]
    move(command, stage, "fail", run=rows.run, data={"step": due.step})
    attention.ask_attention(
        command,
        rows,
        stage=stage,
        key=f"failed_{due.step}",
        cause="step_failed",
        title=f"{due.step} failed: retry, change it, send back or give up",
        context={"step": rows.steps[stage.pk, due.step].pk},
    )


def _prepare(command: Command, rows: Rows, due: moves.PrepareHandOff) -> None:
    source, target = rows.stages[due.source], rows.stages[due.target]
    definition = hand_off_def(rows.blueprint, due.source)
    axis = "deployment" if definition.code in MODEL_PAYLOAD else "ml"
    hand_off = HandOff(
        run=rows.run,
        source=source,
        target=target,
        code=definition.code,
        gap=gap(source.persona_id, target.persona_id, axis=axis),
        package=packages.package_of(rows, source),
        checklist={
            entry.key: rows.value(entry.value) for entry in definition.checklist if entry.value
        },
    )
    born(command, hand_off, "prepare", run=rows.run, data={"from": due.source, "to": due.target})
    rows.hand_offs[due.source, due.target] = hand_off
    if asks_a_person(definition, hand_off.gap) and not definition.contract:
        attention.ask_attention(
            command,
            rows,
            stage=source,
            key=f"offer_{hand_off.pk}",
            cause="offer",
            title="Complete the checklist and hand over",
            hand_off=hand_off,
            context={"hand_off": hand_off.pk},
        )


def _queue_contract(command: Command, rows: Rows, due: moves.QueueContractStep) -> None:
    dispatch.queue_step(
        command,
        rows,
        stage=rows.stages[due.source],
        definition=rows.blueprint.stage(due.source).step(due.step),
        hand_off=rows.hand_offs[due.source, due.target],
    )


def _judge(command: Command, rows: Rows, due: moves.JudgeContract) -> None:
    packages.judge_contract(command, rows, rows.hand_offs[due.source, due.target])


def _offer(command: Command, rows: Rows, due: moves.OfferHandOff) -> None:
    hand_off = rows.hand_offs[due.source, due.target]
    packages.offer(command, rows, hand_off, by=hand_off.source.owner)


def _auto_accept(command: Command, rows: Rows, due: moves.AutoAcceptHandOff) -> None:
    hand_off = rows.hand_offs[due.source, due.target]
    move(command, hand_off, "auto_accept", run=rows.run, answered_at=command.now)


def _withdraw(command: Command, rows: Rows, due: moves.WithdrawHandOff) -> None:
    hand_off = rows.hand_offs[due.source, due.target]
    rounds.stop_contract(command, rows, hand_off)
    attention.close_attention(command, rows, WorkItem.objects.filter(hand_off=hand_off))
    reason = f"{due.target} is left out"
    move(
        command,
        hand_off,
        "withdraw",
        run=rows.run,
        answered_at=command.now,
        return_reason=reason,
        data={"reason": reason},
    )


def _submit(command: Command, rows: Rows, due: moves.SubmitStage) -> None:
    reviews.submit(command, rows, rows.stages[due.stage])


def _open_gate(command: Command, rows: Rows, due: moves.OpenGate) -> None:
    reviews.open_gate(command, rows, rows.stages[due.stage])


def _fail_run(command: Command, rows: Rows, due: moves.FailRun) -> None:
    rounds.end_run(command, rows, event="fail", reason=f"stage {due.stage} failed")


def _finish_run(command: Command, rows: Rows, _due: moves.FinishRun) -> None:
    move(command, rows.run, "succeed", run=rows.run, finished_at=command.now, topic="run.succeeded")


APPLY: Final[Mapping[type, Callable[[Command, Rows, Any], None]]] = {
    moves.CreateStage: _create_stage,
    moves.ReadyStage: _ready,
    moves.ActivateStage: _activate,
    moves.SkipStage: _skip,
    moves.QueueStep: _queue,
    moves.OpenItem: _open_item,
    moves.WithdrawHandOff: _withdraw,
    moves.SubmitStage: _submit,
    moves.OpenGate: _open_gate,
    moves.FinishStage: _finish,
    moves.FailStage: _fail,
    moves.PrepareHandOff: _prepare,
    moves.QueueContractStep: _queue_contract,
    moves.JudgeContract: _judge,
    moves.OfferHandOff: _offer,
    moves.AutoAcceptHandOff: _auto_accept,
    moves.FailRun: _fail_run,
    moves.FinishRun: _finish_run,
}
