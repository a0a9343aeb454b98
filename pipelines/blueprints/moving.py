"""What becomes of each row of a paused run that moves to another version; pure.

One function says it, for the dry run and for the real move. Equal keys are equal nodes. What is
finished is never judged anew: it stays, unless somebody asks for its stage to be done again. What
is open goes on at the node of its key; where there is none, the move is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.blueprints.diff import CHANGED, REMOVED, UNCHANGED, Diff, diff
from pipelines.blueprints.graph import graph, hand_off_edges
from pipelines.blueprints.plan import MET, HandOffView, RunView, StageView
from pipelines.blueprints.refs import Ref, RefKind
from pipelines.blueprints.spec import Blueprint, StageDef, StepDef
from pipelines.lifecycles import (
    HAND_OFF,
    WORK_ITEM,
    GateState,
    HandOffState,
    StageState,
    StepState,
)

KEPT: Final = "kept"  # nothing happens to it
CARRIED: Final = "carried over"  # the same row goes on as the new version says
REDONE: Final = "redone"  # the row is closed; a new one follows
DROPPED: Final = "dropped"  # it counts no more, and stays in the history
ADDED: Final = "added"  # comes with its turn
LEFT_OUT: Final = "left out"  # new, but in a stage that is done and stays so
REFUSED: Final = "refused"  # the run cannot move like this

WORKED: Final = frozenset({"DONE", "ACTIVE", "IN_REVIEW", "FAILED"})
OPEN: Final = frozenset({"READY", "ACTIVE", "IN_REVIEW", "FAILED"})
_WAITS: Final = frozenset({StepState.PENDING, StepState.QUEUED, StepState.RETRY_WAIT})


@dataclass(frozen=True)
class Wish:
    """What a person decided: stages to do again, and open gates to open anew under new rules."""

    redo: frozenset[str] = frozenset()
    rebind: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fate:
    """What becomes of one row, and why. `name` is as in a Change; `state` is as it is now."""

    noun: str
    name: str
    state: str
    fate: str
    why: str = ""


@dataclass(frozen=True)
class MovePlan:
    """Every row's fate, with what differs; `redone` are the stages that start over.

    `may_redo` and `may_rebind` are what a person may still decide.
    """

    changes: Diff
    fates: tuple[Fate, ...]
    redone: frozenset[str]
    may_redo: tuple[str, ...]
    may_rebind: tuple[str, ...]

    @property
    def refused(self) -> tuple[Fate, ...]:
        """What has no place in the new version."""
        return tuple(one for one in self.fates if one.fate == REFUSED)

    def names(self, noun: str, fate: str) -> tuple[str, ...]:
        """The names of that kind which meet that fate."""
        return tuple(one.name for one in self.fates if (one.noun, one.fate) == (noun, fate))


@dataclass(frozen=True)
class _Move:
    old: Blueprint
    new: Blueprint
    view: RunView
    wish: Wish
    sent: Mapping[str, int]
    targets: Mapping[str, Sequence[str]]
    changes: Diff
    redone: frozenset[str]
    known: Mapping[str, StageDef] = field(default_factory=dict)
    before: Mapping[str, StageDef] = field(default_factory=dict)


def plan_move(
    old: Blueprint,
    new: Blueprint,
    view: RunView,
    wish: Wish | None = None,
    *,
    sent: Mapping[str, int] | None = None,
    targets: Mapping[str, Sequence[str]] | None = None,
) -> MovePlan:
    """Say what becomes of every row.

    `sent` is how often each stage was sent back so far, `targets` where each open gate may send
    back to by the rules it was opened with.
    """
    wish = wish or Wish()
    move = _Move(
        old=old,
        new=new,
        view=view,
        wish=wish,
        sent=sent or {},
        targets=targets or {},
        changes=diff(old, new),
        redone=_redone(old, new, view, wish),
        known={stage.key: stage for stage in new.stages},
        before={stage.key: stage for stage in old.stages},
    )
    fates = (*_wishes(move), *_stages(move), *_hand_offs(move), *_references(move))
    return MovePlan(
        changes=move.changes,
        fates=fates,
        redone=move.redone,
        may_redo=tuple(key for key in move.known if _may_redo(move, key)),
        may_rebind=tuple(key for key in move.known if _may_rebind(move, key)),
    )


def _redone(old: Blueprint, new: Blueprint, view: RunView, wish: Wish) -> frozenset[str]:
    """What starts over: the stages asked for, and all that depends on them in either version."""
    found: set[str] = set()
    for key in wish.redo:
        for blueprint in (old, new):
            found |= {key} | graph(blueprint).downstream.get(key, frozenset())
    return frozenset(
        key for key in found if key in view.stages and view.stages[key].state != StageState.PENDING
    )


def _may_redo(move: _Move, key: str) -> bool:
    now = move.view.stages.get(key)
    return now is not None and now.state in {*WORKED, StageState.SKIPPED}


def _may_rebind(move: _Move, key: str) -> bool:
    now = move.view.stages.get(key)
    if now is None or now.gate != GateState.OPEN or key in move.redone:
        return False
    if move.known[key].gate is None:
        return False
    return move.changes.of("gate", key) == CHANGED or bool(_lost_targets(move, key))


def _lost_targets(move: _Move, key: str) -> list[str]:
    return [target for target in move.targets.get(key, ()) if target not in move.known]


def _wishes(move: _Move) -> Iterator[Fate]:
    for key in sorted(move.wish.redo):
        if key not in move.known or not _may_redo(move, key):
            yield Fate("stage", key, "", REFUSED, "it cannot be done again: it was not done")
    for key in sorted(move.wish.rebind):
        if key not in move.known or not _may_rebind(move, key):
            yield Fate("gate", key, "", REFUSED, "there is no open gate here whose rules changed")


def _stages(move: _Move) -> Iterator[Fate]:
    order = [*(key for key in move.known if key in move.view.stages)]
    order += [key for key in move.view.stages if key not in move.known]
    for key in order:
        now = move.view.stages[key]
        yield _stage(move, key, now)
        yield from _running(key, now)
        if key in move.known and key not in move.redone and now.state in OPEN | WORKED:
            yield from _steps(move, key, now)
            yield from _items(move, key, now)
            yield from _gate(move, key, now)
    for key in move.known:
        if key not in move.view.stages:
            yield Fate("stage", key, "", ADDED, "new in this version")


def _stage(move: _Move, key: str, now: StageView) -> Fate:
    if key not in move.known:
        return _removed(move, key, now)
    problem = _misfit(move, key, now)
    if problem:
        return Fate("stage", key, now.state, REFUSED, problem)
    if key in move.redone:
        return Fate("stage", key, now.state, REDONE, f"round {now.round + 1} follows")
    lacks = _lacks(move, key)
    if now.state == StageState.READY and lacks:
        return Fate("stage", key, now.state, CARRIED, f"waits again, for {' and '.join(lacks)}")
    if _same(move, key):
        return Fate("stage", key, now.state, KEPT)
    if now.state in MET:
        return Fate("stage", key, now.state, KEPT, "what is done is not judged anew")
    return Fate("stage", key, now.state, CARRIED, "goes on as the new version says")


def _removed(move: _Move, key: str, now: StageView) -> Fate:
    if now.state in OPEN and key not in move.redone:
        return Fate("stage", key, now.state, REFUSED, "the new version has no such stage")
    return Fate("stage", key, now.state, DROPPED, "the new version has no such stage")


def _misfit(move: _Move, key: str, now: StageView) -> str:
    """Why the round cannot stand where the new version has the stage; empty where it can."""
    stage = move.known[key]
    if move.sent.get(key, 0) > stage.max_rounds - 1:
        return (
            f"was sent back {move.sent[key]} times; the new version allows {stage.max_rounds - 1}"
        )
    if key in move.redone:
        return ""
    persona = move.before[key].persona if key in move.before else stage.persona
    if now.state in OPEN and persona != stage.persona:
        return f"is {persona}'s now and {stage.persona}'s in the new version: do it again"
    unmet = [need for need in stage.needs if not _met(move, need)]
    if now.state in WORKED and unmet:
        return f"needs {' and '.join(unmet)} first, which is not done: do it again"
    return ""


def _met(move: _Move, key: str) -> bool:
    now = move.view.stages.get(key)
    return now is not None and key not in move.redone and now.state in MET


def _lacks(move: _Move, key: str) -> list[str]:
    """The stages a READY one would wait for: undone, or with nothing on offer."""
    here = graph(move.new).stages[key]
    lacking = [need for need in here.needs if not _met(move, need)]
    for source in here.hand_offs_in:
        sender, found = move.view.stages.get(source), move.view.hand_offs.get((source, key))
        if source in lacking or sender is None or sender.state != StageState.DONE:
            continue
        if found is None or found.source_round != sender.round:
            lacking.append(source)
    return lacking


def _same(move: _Move, key: str) -> bool:
    own = [one for one in move.changes.changes if one.stage == key]
    return all(one.change == UNCHANGED for one in own)


def _running(key: str, now: StageView) -> Iterator[Fate]:
    for step, state in now.steps.items():
        if state == StepState.RUNNING:
            yield Fate("step", f"{key}.{step}", state, REFUSED, "is being computed: wait for it")


def _steps(move: _Move, key: str, now: StageView) -> Iterator[Fate]:
    for step, state in now.steps.items():
        name = f"{key}.{step}"
        change = move.changes.of("step", name)
        if state in _WAITS or state == StepState.FAILED:
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


def _items(move: _Move, key: str, now: StageView) -> Iterator[Fate]:
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


def _open_item(move: _Move, name: str, state: str, change: str) -> Fate:
    if change == REMOVED:
        return Fate("item", name, state, REFUSED, "the new version has no such work item")
    if change == UNCHANGED:
        return Fate("item", name, state, KEPT)
    changed = next(one for one in move.changes.changes if (one.noun, one.name) == ("item", name))
    other = [part for part in ("kind", "persona") if part in changed.fields]
    if other:
        return Fate("item", name, state, REFUSED, f"has another {' and '.join(other)} there")
    return Fate("item", name, state, CARRIED, "keeps its holder, date and draft")


def _new_part(move: _Move, noun: str, name: str, now: StageView) -> Iterator[Fate]:
    """A part that the round does not have: it comes with its turn, or it would come too late."""
    if move.changes.of(noun, name) == UNCHANGED:
        return
    if now.state in (StageState.ACTIVE, StageState.FAILED, StageState.READY):
        yield Fate(noun, name, "", ADDED, "comes with its turn")
    elif now.state == StageState.IN_REVIEW:
        yield Fate(noun, name, "", REFUSED, "is new in a stage under review: do the stage again")
    else:
        yield Fate(noun, name, "", LEFT_OUT, "its stage is done: do it again to have it")


def _gate(move: _Move, key: str, now: StageView) -> Iterator[Fate]:
    if now.state != StageState.IN_REVIEW or not now.gate:
        return
    change = move.changes.of("gate", key)
    if change == REMOVED:
        yield Fate("gate", key, now.gate, REFUSED, "the new version has no gate here")
    elif key in move.wish.rebind and now.gate == GateState.OPEN:
        yield Fate("gate", key, now.gate, REDONE, "opens anew under the new rules")
    elif _lost_targets(move, key):
        gone = " and ".join(_lost_targets(move, key))
        why = f"may send back to {gone}, which the new version lacks: open it anew"
        yield Fate("gate", key, now.gate, REFUSED, why)
    elif change == UNCHANGED:
        yield Fate("gate", key, now.gate, KEPT)
    else:
        yield Fate("gate", key, now.gate, KEPT, "under the rules it was opened with")


def _hand_offs(move: _Move) -> Iterator[Fate]:
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


def _contract_same(move: _Move, source: str) -> bool:
    nouns = ("hand_off", "contract_step")
    own = [one for one in move.changes.changes if one.stage == source and one.noun in nouns]
    return all(one.change == UNCHANGED for one in own)


def _references(move: _Move) -> Iterator[Fate]:
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


def _missing(move: _Move, ref: Ref) -> str:
    """Why what a reference names will never be there; empty where it is, or will be."""
    now = move.view.stages.get(ref.stage)
    if now is None or ref.stage in move.redone or now.state not in WORKED:
        return ""
    over = now.state in (StageState.DONE, StageState.IN_REVIEW)
    if ref.kind is RefKind.FIELD:
        lost = over and ref.name not in now.items
        return f"needs {ref.text}, which {ref.stage} never asked for" if lost else ""
    if ref.name not in {step.key for step in move.known[ref.stage].steps}:
        return ""  # of its hand-off's contract, which is computed with the hand-off
    if over and ref.name not in now.steps:
        return f"needs {ref.text}, which {ref.stage} never computed: do {ref.stage} again"
    if now.steps.get(ref.name) == StepState.SUCCEEDED and _other_operation(move, ref):
        return f"needs {ref.text} of another operation: do {ref.stage} again"
    return ""


def _other_operation(move: _Move, ref: Ref) -> bool:
    before = move.before.get(ref.stage)
    known = {step.key: step.operation for step in before.steps} if before else {}
    return known.get(ref.name) != move.known[ref.stage].step(ref.name).operation
