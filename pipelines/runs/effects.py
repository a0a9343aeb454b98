"""Effects: what a finished step or a closed gate changes outside its run, in the same transaction.

The blueprint names an effect, the catalogue maps the name to an action of registry or monitoring
(which live above this module), and the action gets an EffectContext.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from personas.commands import Command
from personas.errors import Busy
from pipelines import catalogue
from pipelines.blueprints.refs import Json
from pipelines.lifecycles import StepState
from pipelines.runs.models import Finding, Gate, Run, Stage, Step
from pipelines.runs.rows import Rows


@dataclass(frozen=True)
class EffectContext:
    """What an effect may know: who caused it, where, and every fact and output of the run.

    `outputs` maps "stage.step" to {name: {digest, size, media}}; `facts` maps as checks read it.
    `step` is None for a gate's effect, `gate` for a step's. The effect writes its events with
    `command.recorder.record(...)` and must open no transaction of its own.
    """

    command: Command
    run: Run
    stage: Stage
    step: Step | None
    gate: Gate | None
    facts: Mapping[str, Mapping[str, Json]]
    outputs: Mapping[str, Mapping[str, Mapping[str, Json]]]


@dataclass(frozen=True)
class LapseContext:
    """What a lapse's consequences may know: an overdue finding took a gate's approval away."""

    command: Command
    run: Run
    gate: Gate
    finding: Finding


def of_step(command: Command, rows: Rows, step: Step, name: str) -> None:
    """Cause the effect of a step that has just succeeded."""
    _cause(name, _context(command, rows, stage=step.stage, step=step, gate=None))


def of_gate(command: Command, rows: Rows, gate: Gate, name: str) -> None:
    """Cause the effect of a gate that has just been approved."""
    _cause(name, _context(command, rows, stage=gate.stage, step=None, gate=gate))


def undo(command: Command, rows: Rows, stage: Stage) -> None:
    """Undo what the stage's steps have caused, for the stage is left without being done."""
    definitions = {step.key: step for step in rows.blueprint.stage(stage.key).steps}
    for (pk, key), step in rows.steps.items():
        name = definitions[key].effect if pk == stage.pk and key in definitions else ""
        action = catalogue.undo(name) if name and step.state == StepState.SUCCEEDED else None
        if action is not None:
            action(_context(command, rows, stage=stage, step=step, gate=None))


def _cause(name: str, context: EffectContext) -> None:
    try:
        action = catalogue.effect(name)
    except catalogue.Unknown as error:
        raise Busy("newer_code", f"Newer code is coming in: {error}.") from error
    action(context)
    context.command.recorder.record(
        context.run.stream,
        "effect.caused",
        subject=("stage", context.stage.pk),
        data={"effect": name, "step": context.step.key if context.step else ""},
    )


def _context(
    command: Command, rows: Rows, *, stage: Stage, step: Step | None, gate: Gate | None
) -> EffectContext:
    rows.with_results()
    outputs = {
        f"{one.stage.key}.{one.key}": one.result.outputs
        for one in (*rows.steps.values(), *rows.contract_steps.values())
        if one.result is not None
    }
    return EffectContext(
        command=command,
        run=rows.run,
        stage=stage,
        step=step,
        gate=gate,
        facts=rows.facts(),
        outputs=outputs,
    )
