"""What is still to be computed needs results that are there, or will be."""

from collections.abc import Iterator

from pipelines.blueprints.moving.fates import (
    REFUSED,
    WORKED,
    Fate,
    Move,
)
from pipelines.blueprints.refs import Ref, RefKind
from pipelines.blueprints.spec import StepDef
from pipelines.lifecycles import HandOffState, StageState, StepState

PASSED_ON = frozenset(
    {
        HandOffState.OFFERED,
        HandOffState.ESCALATED,
        HandOffState.ACCEPTED,
        HandOffState.AUTO_ACCEPTED,
    }
)


def references(move: Move) -> Iterator[Fate]:
    """What is still to be computed needs results that are there, or will be."""
    for stage in move.new.stages:
        now = None if stage.key in move.redone else move.view.stages.get(stage.key)
        if now is not None and now.state in (StageState.SKIPPED, StageState.IN_REVIEW):
            continue
        done = now is not None and now.state == StageState.DONE
        for step in stage.hand_off.steps if done and stage.hand_off else stage.all_steps():
            if now is not None and now.steps.get(step.key) == StepState.SUCCEEDED:
                continue
            for ref in _refs(step):
                why = _missing(move, ref)
                if why:
                    yield Fate("step", f"{stage.key}.{step.key}", "", REFUSED, why)


def _refs(step: StepDef) -> list[Ref]:
    given = [ref for refs in step.inputs.values() for ref in refs]
    given += [value for value in step.params.values() if isinstance(value, Ref)]
    wanted = (RefKind.OUTPUT, RefKind.FACT, RefKind.FIELD)
    return [ref for ref in given if ref.kind in wanted and not ref.has_default]


def _missing(move: Move, ref: Ref) -> str:
    """Why what a reference names will never be there; empty where it is, or will be."""
    now = move.view.stages.get(ref.stage)
    if now is None or ref.stage in move.redone or now.state not in WORKED:
        return ""
    over = now.state in (StageState.DONE, StageState.IN_REVIEW)
    if ref.kind is RefKind.FIELD:
        lost = over and ref.name not in now.items
        return f"needs {ref.text}, which {ref.stage} never asked for" if lost else ""
    if ref.name not in {step.key for step in move.known[ref.stage].steps}:
        return _missing_in_contract(move, ref)
    if over and ref.name not in now.steps:
        return f"needs {ref.text}, which {ref.stage} never computed: do {ref.stage} again"
    if now.steps.get(ref.name) == StepState.SUCCEEDED and _other_operation(move, ref):
        return f"needs {ref.text} of another operation: do {ref.stage} again"
    return ""


def _missing_in_contract(move: Move, ref: Ref) -> str:
    """A contract's step is computed with the hand-off: once that has passed on, it is too late."""
    gone = [
        now.steps
        for (source, _), now in move.view.hand_offs.items()
        if source == ref.stage and now.state in PASSED_ON
    ]
    if not gone or any(ref.name in steps for steps in gone):
        return ""
    return f"needs {ref.text}, which was never computed for its hand-off: do {ref.stage} again"


def _other_operation(move: Move, ref: Ref) -> bool:
    before = move.before.get(ref.stage)
    known = {step.key: step.operation for step in before.steps} if before else {}
    by = move.computed.get(f"{ref.stage}.{ref.name}", known.get(ref.name))
    return by != move.known[ref.stage].step(ref.name).operation
