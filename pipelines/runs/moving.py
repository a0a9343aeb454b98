"""Moving a paused run: what becomes of its rows, said and done by the same plan."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Count

from personas.commands import Command
from pipelines.blueprints.moving import (
    CARRIED,
    DROPPED,
    REDONE,
    MovePlan,
    Wish,
    plan_move,
)
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import ATTEMPT, GateState, StageState
from pipelines.runs import attention, rounds, saving
from pipelines.runs.evidence import digest_of
from pipelines.runs.models import Attempt, HandOff, Stage, Step, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.rows import Rows

REPLACED: Final = "the run moved to another version of its blueprint"


def planned(rows: Rows, new: Blueprint, wish: Wish) -> MovePlan:
    """Say what becomes of the run's rows in the other version; changes nothing."""
    sent = Stage.objects.filter(run=rows.run).exclude(return_reason="")
    counted = sent.exclude(return_code=rounds.RERUN).order_by().values_list("key")
    open_gates = [gate for gate in rows.gates.values() if gate.state == GateState.OPEN]
    return plan_move(
        rows.blueprint,
        new,
        rows.view(),
        wish,
        sent=dict(counted.annotate(n=Count("id"))),
        computed={f"{one.stage.key}.{one.key}": one.operation for one in rows.steps.values()},
        targets={gate.stage.key: gate.policy["send_back_to"] for gate in open_gates},
    )


def seal(rows: Rows, new: Blueprint, plan: MovePlan, given: Mapping[str, Any]) -> str:
    """Return the digest of exactly what a person saw: versions, every row, what follows for it."""
    view = rows.view()
    return digest_of(
        {
            "run": rows.run.pk,
            "from": rows.blueprint.digest,
            "to": new.digest,
            "stages": {
                key: [now.state, now.round, dict(now.steps), dict(now.items), now.gate]
                for key, now in view.stages.items()
            },
            "hand_offs": {
                ">".join(edge): [now.state, now.source_round, dict(now.steps)]
                for edge, now in view.hand_offs.items()
            },
            "gates": {str(pk): gate.pk for pk, gate in rows.gates.items()},
            "fates": [[f.noun, f.name, f.state, f.fate, f.why] for f in plan.fates],
            "given": dict(given),
        }
    )


def carry_out(command: Command, rows: Rows, new: Blueprint, plan: MovePlan) -> None:
    """Do what the plan says to the rows; the run itself is the caller's. Refusals come before."""
    for key in plan.names("gate", REDONE):
        _reopen_gate(command, rows, rows.stages[key])
    for key in _ordered(plan.names("stage", DROPPED), rows):
        _retire(command, rows, rows.stages[key])
    for key in _ordered(plan.names("stage", REDONE), rows):
        _start_over(command, rows, rows.stages[key], new)
    for name in plan.names("step", REDONE):
        _queue_anew(command, rows, name)
    for name in plan.names("hand_off", CARRIED):
        source, target = name.split(".")
        _compute_contract_anew(command, rows, rows.hand_offs[source, target])
    for key in plan.waiting:
        move(command, rows.stages[key], "hand_off_lost", run=rows.run)
    _fit(rows, new)


def _ordered(keys: Sequence[str], rows: Rows) -> list[str]:
    return sorted(keys, key=lambda key: rows.stages[key].position)


def _reopen_gate(command: Command, rows: Rows, stage: Stage) -> None:
    """Close the gate; with the run's next step the plan opens one under the new rules."""
    gate = rows.gates.pop(stage.pk)
    move(
        command,
        gate,
        "supersede",
        run=rows.run,
        closed_at=command.now,
        closed_by=command.actor.user,
        closing_reason=REPLACED,
        data={"stage": stage.key, "round": stage.round},
    )
    attention.close_attention(command, rows, WorkItem.objects.filter(stage=stage, hand_off=None))


def _retire(command: Command, rows: Rows, stage: Stage) -> None:
    """Take a round out of what counts; all that is open in it is closed."""
    rounds.stop(command, rows, stage, gate_event="supersede")
    event = "cancel" if stage.state == StageState.PENDING else "supersede"
    finished = stage.finished_at or command.now
    move(command, stage, event, run=rows.run, current=False, finished_at=finished)
    rows.forget(stage)
    del rows.stages[stage.key]


def _start_over(command: Command, rows: Rows, stage: Stage, new: Blueprint) -> None:
    """Open the next round, PENDING: it begins once what it needs in the new version is there."""
    _retire(command, rows, stage)
    persona = new.stage(stage.key).persona
    fresh = Stage(
        run=rows.run,
        key=stage.key,
        round=stage.round + 1,
        position=stage.position,
        persona_id=persona,
        owner=stage.owner if stage.persona_id == persona and rounds.seated(rows, stage) else None,
        return_code=rounds.RERUN,
    )
    born(command, fresh, "create", run=rows.run)
    rows.stages[stage.key] = fresh


def _queue_anew(command: Command, rows: Rows, name: str) -> None:
    """Close a step that waits for a worker; with the run's next step the plan queues its heir."""
    stage, key = name.split(".")
    place = (rows.stages[stage].pk, key)
    _close_step(command, rows, rows.steps.pop(place))


def _close_step(command: Command, rows: Rows, step: Step) -> None:
    for attempt in Attempt.objects.filter(step=step, state__in=ATTEMPT.open):
        move(command, attempt, "cancel", run=rows.run, finished_at=command.now)
    move(command, step, "cancel", run=rows.run, current=False)


def _compute_contract_anew(command: Command, rows: Rows, hand_off: HandOff) -> None:
    """Forget what is known of the contract, as when its sender asks for it again."""
    move(command, hand_off, "rerun_contract", run=rows.run)
    hand_off.checks.all().delete()
    rows.green[hand_off.pk] = None
    attention.close_attention(command, rows, WorkItem.objects.filter(hand_off=hand_off))
    for place in [place for place in rows.contract_steps if place[0] == hand_off.pk]:
        step = rows.contract_steps.pop(place)
        if step.state in ("SUCCEEDED", "FAILED"):
            step.current = False
            saving.update(step, ("current",))
        else:
            _close_step(command, rows, step)


def _fit(rows: Rows, new: Blueprint) -> None:
    """Let rows that stay say what the new version says of place, persona and operation."""
    for position, definition in enumerate(new.stages):
        stage = rows.stages.get(definition.key)
        if stage is None:
            continue
        changed = [] if stage.position == position else ["position"]
        stage.position = position
        if stage.state == StageState.PENDING and stage.persona_id != definition.persona:
            stage.persona_id = definition.persona
            changed.append("persona")
        if changed:
            saving.update(stage, changed)
        operations = {step.key: step.operation for step in definition.all_steps()}
        for step in (*rows.steps.values(), *rows.contract_steps.values()):
            wanted = operations.get(step.key, step.operation)
            if step.stage_id == stage.pk and step.state == "FAILED" and step.operation != wanted:
                step.operation = wanted
                saving.update(step, ("operation",))
