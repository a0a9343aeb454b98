"""What becomes of steps, work items, gates and hand-offs."""

from collections.abc import Iterator
from typing import Final

from pipelines.blueprints.diff import REMOVED, UNCHANGED
from pipelines.blueprints.graph import hand_off_edges
from pipelines.blueprints.moving.fates import (
    ADDED,
    CARRIED,
    KEPT,
    LEFT_OUT,
    REDONE,
    REFUSED,
    Fate,
    Move,
    lost_targets,
)
from pipelines.blueprints.plan import HandOffView, StageView
from pipelines.lifecycles import (
    HAND_OFF,
    WORK_ITEM,
    GateState,
    HandOffState,
    StageState,
    StepState,
)

WAITS: Final = frozenset({StepState.PENDING, StepState.QUEUED, StepState.RETRY_WAIT})


def running(key: str, now: StageView) -> Iterator[Fate]:
    for step, state in now.steps.items():
        if state == StepState.RUNNING:
            yield Fate("step", f"{key}.{step}", state, REFUSED, "is being computed: wait for it")


def steps_of(move: Move, key: str, now: StageView) -> Iterator[Fate]:
    for step, state in now.steps.items():
        name = f"{key}.{step}"
        change = move.changes.of("step", name)
        if state in WAITS or state == StepState.FAILED:
            yield _open_step(name, state, change)
        elif state != StepState.RUNNING and change != UNCHANGED:
            yield Fate("step", name, state, KEPT, "its result is the old version's")
    for definition in move.known[key].steps:
        if definition.key not in now.steps:
            yield from _new_part(move, "step", f"{key}.{definition.key}", now)


def _open_step(name: str, state: str, change: str) -> Fate:
    if change == REMOVED:
        return Fate("step", name, state, REFUSED, "the new version has no such step")
    if change == UNCHANGED:
        return Fate("step", name, state, KEPT)
    if state == StepState.FAILED:
        return Fate("step", name, state, CARRIED, "a retry does as the new version says")
    return Fate("step", name, state, REDONE, "queued anew as the new version says")


def items_of(move: Move, key: str, now: StageView) -> Iterator[Fate]:
    for item, state in now.items.items():
        name = f"{key}.{item}"
        change = move.changes.of("item", name)
        if state in WORK_ITEM.open:
            yield _open_item(move, name, state, change)
        elif change != UNCHANGED:
            yield Fate("item", name, state, KEPT, "as it was answered")
    for definition in move.known[key].items:
        if definition.key not in now.items:
            yield from _new_part(move, "item", f"{key}.{definition.key}", now)


def _open_item(move: Move, name: str, state: str, change: str) -> Fate:
    if change == REMOVED:
        return Fate("item", name, state, REFUSED, "the new version has no such work item")
    if change == UNCHANGED:
        return Fate("item", name, state, KEPT)
    changed = next(one for one in move.changes.changes if (one.noun, one.name) == ("item", name))
    other = [part for part in ("kind", "persona") if part in changed.fields]
    if other:
        return Fate("item", name, state, REFUSED, f"has another {' and '.join(other)} there")
    return Fate("item", name, state, CARRIED, "keeps its holder, date and draft")


def _new_part(move: Move, noun: str, name: str, now: StageView) -> Iterator[Fate]:
    """A part that the round does not have: it comes with its turn, or it would come too late."""
    if move.changes.of(noun, name) == UNCHANGED:
        return
    if now.state in (StageState.ACTIVE, StageState.FAILED, StageState.READY):
        yield Fate(noun, name, "", ADDED, "comes with its turn")
    elif now.state == StageState.IN_REVIEW:
        yield Fate(noun, name, "", REFUSED, "is new in a stage under review: do the stage again")
    else:
        yield Fate(noun, name, "", LEFT_OUT, "its stage is done: do it again to have it")


def gate_of(move: Move, key: str, now: StageView) -> Iterator[Fate]:
    if now.state != StageState.IN_REVIEW:
        return
    change = move.changes.of("gate", key)
    if not now.gate:  # superseded by a move before this one; it opens anew by the new version
        if move.known[key].gate is None:
            yield Fate("gate", key, now.gate, REFUSED, "the new version has no gate here")
    elif change == REMOVED:
        yield Fate("gate", key, now.gate, REFUSED, "the new version has no gate here")
    elif key in move.wish.rebind and now.gate == GateState.OPEN:
        yield Fate("gate", key, now.gate, REDONE, "opens anew under the new rules")
    elif lost_targets(move, key):
        gone = " and ".join(lost_targets(move, key))
        why = f"may send back to {gone}, which the new version lacks: open it anew"
        yield Fate("gate", key, now.gate, REFUSED, why)
    elif change == UNCHANGED:
        yield Fate("gate", key, now.gate, KEPT)
    else:
        yield Fate("gate", key, now.gate, KEPT, "under the rules it was opened with")


def hand_offs(move: Move) -> Iterator[Fate]:
    edges = set(hand_off_edges(move.new))
    for edge, now in move.view.hand_offs.items():
        source, target = edge
        if now.state not in HAND_OFF.open:
            continue
        yield from _contract_running(source, now)
        name = f"{source}.{target}"
        if source in move.redone:
            yield Fate("hand_off", name, now.state, REDONE, "follows the sender's next round")
        elif edge not in edges:
            yield Fate("hand_off", name, now.state, REFUSED, "nothing is handed over there")
        elif _contract_same(move, source):
            yield Fate("hand_off", name, now.state, KEPT)
        elif now.state == HandOffState.PREPARING:
            yield Fate("hand_off", name, now.state, CARRIED, "its contract is computed anew")
        else:
            yield Fate("hand_off", name, now.state, KEPT, "as it was offered")


def _contract_running(source: str, now: HandOffView) -> Iterator[Fate]:
    for step, state in now.steps.items():
        if state == StepState.RUNNING:
            why = "is being computed: wait for it"
            yield Fate("contract_step", f"{source}.{step}", state, REFUSED, why)


def _contract_same(move: Move, source: str) -> bool:
    nouns = ("hand_off", "contract_step")
    own = [one for one in move.changes.changes if one.stage == source and one.noun in nouns]
    return all(one.change == UNCHANGED for one in own)
