"""plan(blueprint, view) -> what moves next. Pure: no clock, no database, the same answer always.

The engine applies the moves and asks again until nothing moves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.blueprints import moves
from pipelines.blueprints.conditions import Facts, holds
from pipelines.blueprints.graph import Edge, Graph, StageGraph, Waits, graph, hand_off_def
from pipelines.blueprints.moves import Move
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import (
    HAND_OFF,
    WORK_ITEM,
    GateState,
    HandOffState,
    RunState,
    StageState,
    StepState,
    WorkItemState,
)

MET = frozenset({StageState.DONE, StageState.SKIPPED})
# Rounds that count no more; the stage itself is still to be done.
GONE = frozenset({StageState.SUPERSEDED, StageState.SENT_BACK, StageState.CANCELLED})
STEP_DONE = frozenset({StepState.SUCCEEDED, StepState.SKIPPED})
ITEM_DONE = frozenset({WorkItemState.COMPLETED, WorkItemState.SKIPPED})
LOST = frozenset({HandOffState.WITHDRAWN, HandOffState.RETURNED})
ACCEPTED = frozenset({HandOffState.ACCEPTED, HandOffState.AUTO_ACCEPTED})


@dataclass(frozen=True)
class StageView:
    """The latest round of a stage. A step or item that is not there yet is simply absent."""

    state: str
    round: int = 1
    steps: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    gate: str = ""
    owner: str = ""


@dataclass(frozen=True)
class HandOffView:
    """The latest hand-off over an edge. `green` is None until the contract is judged.

    `asks`: whether its checklist asks a person, be it for how far giver and receiver stand apart.
    """

    state: str
    source_round: int
    steps: Mapping[str, str] = field(default_factory=dict)
    green: bool | None = None
    asks: bool = False


@dataclass(frozen=True)
class RunView:
    """All that a plan looks at."""

    state: str = RunState.RUNNING
    stages: Mapping[str, StageView] = field(default_factory=dict)
    hand_offs: Mapping[Edge, HandOffView] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)


def plan(blueprint: Blueprint, view: RunView) -> tuple[Move, ...]:
    """Every move that is due now, in topological order; none of them contradicts another."""
    if view.state != RunState.RUNNING:
        return ()
    derived = graph(blueprint)
    found = tuple(_moves(blueprint, derived, view))
    if not found and _finished(derived, view):
        return (moves.FinishRun(),)
    return found


def _finished(derived: Graph, view: RunView) -> bool:
    return all(key in view.stages and view.stages[key].state in MET for key in derived.order)


def _moves(blueprint: Blueprint, derived: Graph, view: RunView) -> Iterator[Move]:
    for key in derived.order:
        now = view.stages.get(key)
        if now is None:
            yield moves.CreateStage(key, 1)
        elif now.state in GONE:
            yield moves.CreateStage(key, now.round + 1)
        else:
            yield from _stage_moves(blueprint, derived, view, key)


def _stage_moves(blueprint: Blueprint, derived: Graph, view: RunView, key: str) -> Iterator[Move]:
    now, here = view.stages[key], derived.stages[key]
    if now.state == StageState.PENDING:
        yield from _pending(here, view)
    elif now.state == StageState.READY:
        yield from _ready(here, view)
    elif now.state == StageState.ACTIVE:
        yield from _active(here, now, view.facts)
    elif now.state == StageState.IN_REVIEW and now.gate == GateState.APPROVED:
        yield moves.FinishStage(key)
    elif now.state == StageState.IN_REVIEW and not now.gate:
        yield moves.OpenGate(key)
    elif now.state == StageState.FAILED and here.stage.on_fail == "fail_run":
        yield moves.FailRun(key)
    elif now.state == StageState.DONE:
        for target in here.hand_offs_out:
            yield from _hand_off(blueprint, derived, view, (key, target))


def _needs_met(here: StageGraph, view: RunView) -> bool:
    return all(need in view.stages and view.stages[need].state in MET for need in here.needs)


def _givers(here: StageGraph, view: RunView) -> list[str]:
    """The stages that hand off to this one: a SKIPPED stage has nothing to hand off."""
    done = StageState.DONE
    return [source for source in here.hand_offs_in if view.stages[source].state == done]


def _in_force(view: RunView, source: str, target: str) -> HandOffView | None:
    """The hand-off of the sender's current round. An accepted one outlives rounds of the target."""
    found, sender = view.hand_offs.get((source, target)), view.stages.get(source)
    if found is None or sender is None or found.source_round != sender.round:
        return None
    return None if found.state in LOST else found


def _pending(here: StageGraph, view: RunView) -> Iterator[Move]:
    key = here.stage.key
    if not _needs_met(here, view):
        return
    if not holds(here.stage.when, view.facts):
        yield moves.SkipStage(key)
        return
    givers = _givers(here, view)
    if not givers:
        yield moves.ActivateStage(key)
        return
    coming = [_in_force(view, source, key) for source in givers]
    if all(one is not None and one.state != HandOffState.PREPARING for one in coming):
        yield moves.ReadyStage(key)


def _ready(here: StageGraph, view: RunView) -> Iterator[Move]:
    coming = [_in_force(view, source, here.stage.key) for source in _givers(here, view)]
    if all(one is not None and one.state in ACCEPTED for one in coming):
        yield moves.ActivateStage(here.stage.key)


def _active(here: StageGraph, now: StageView, facts: Facts) -> Iterator[Move]:
    key = here.stage.key
    failed = next((step for step, _ in here.steps if now.steps.get(step) == StepState.FAILED), None)
    if failed is not None:
        yield moves.FailStage(key, failed)
        return
    if _all_done(here, now):
        gate = here.stage.gate
        wanted = gate is not None and holds(gate.when, facts)
        yield moves.SubmitStage(key) if wanted else moves.FinishStage(key)
        return
    for step, waits in here.steps:
        if now.steps.get(step, StepState.PENDING) == StepState.PENDING and _over(waits, now):
            yield moves.QueueStep(key, step)
    for item, waits in here.items:
        if item not in now.items and _over(waits, now):
            yield moves.OpenItem(key, item)


def _all_done(here: StageGraph, now: StageView) -> bool:
    """Whether steps and items are done, and nobody is asked for help any more."""
    planned = {item for item, _ in here.items}
    if any(state in WORK_ITEM.open for item, state in now.items.items() if item not in planned):
        return False
    return all(now.steps.get(step) in STEP_DONE for step, _ in here.steps) and all(
        now.items.get(item) in ITEM_DONE for item, _ in here.items
    )


def _over(waits: Waits, now: StageView) -> bool:
    return all(now.steps.get(step) in STEP_DONE for step in waits.steps) and all(
        now.items.get(item) in ITEM_DONE for item in waits.items
    )


def _hand_off(blueprint: Blueprint, derived: Graph, view: RunView, edge: Edge) -> Iterator[Move]:
    source, target = edge
    now = _in_force(view, source, target)
    if now is None:
        if _wanted(derived.stages[target], view):
            yield moves.PrepareHandOff(source, target)
    elif _left_out(derived.stages[target], view):
        if now.state in HAND_OFF.open:
            yield moves.WithdrawHandOff(source, target)
    elif now.state == HandOffState.PREPARING:
        yield from _preparing(blueprint, derived.stages[source], now, edge)
    elif now.state == HandOffState.OFFERED and hand_off_def(blueprint, source).accept == "auto":
        yield moves.AutoAcceptHandOff(source, target)


def _wanted(target: StageGraph, view: RunView) -> bool:
    """Whether the target waits for it. With a condition, only once that can be judged."""
    now = view.stages.get(target.stage.key)
    if now is None or now.state != StageState.PENDING:
        return False
    if not target.stage.when:
        return True
    return _needs_met(target, view) and holds(target.stage.when, view.facts)


def _left_out(target: StageGraph, view: RunView) -> bool:
    """Whether the target is about to be skipped although something may be on its way to it.

    So it is where a run moved to a version that gave the target a condition.
    """
    now = view.stages.get(target.stage.key)
    if not target.stage.when or now is None or now.state != StageState.PENDING:
        return False
    return _needs_met(target, view) and not holds(target.stage.when, view.facts)


def _preparing(
    blueprint: Blueprint, sender: StageGraph, now: HandOffView, edge: Edge
) -> Iterator[Move]:
    source, target = edge
    for step, waits in sender.contract_steps:
        due = now.steps.get(step, StepState.PENDING) == StepState.PENDING
        if due and all(now.steps.get(before) in STEP_DONE for before in waits):
            yield moves.QueueContractStep(source, target, step)
    if any(now.steps.get(step) not in STEP_DONE for step, _ in sender.contract_steps):
        return
    definition = hand_off_def(blueprint, source)
    if definition.contract and now.green is None:
        yield moves.JudgeContract(source, target)
    elif now.green is not False and not (definition.asks_a_person or now.asks):
        yield moves.OfferHandOff(source, target)
