"""What becomes of stages."""

from collections.abc import Iterator

from pipelines.blueprints.diff import UNCHANGED
from pipelines.blueprints.graph import graph
from pipelines.blueprints.moving.fates import (
    ADDED,
    CARRIED,
    DROPPED,
    KEPT,
    OPEN,
    REDONE,
    REFUSED,
    WORKED,
    Fate,
    Move,
    may_rebind,
    may_redo,
    met,
)
from pipelines.blueprints.moving.parts import gate_of, items_of, running, steps_of
from pipelines.blueprints.plan import MET, StageView
from pipelines.lifecycles import StageState


def wishes(move: Move) -> Iterator[Fate]:
    for key in sorted(move.wish.redo):
        if key not in move.known or not may_redo(move, key):
            yield Fate("stage", key, "", REFUSED, "it cannot be done again: it was not done")
    for key in sorted(move.wish.rebind):
        if key not in move.known or not may_rebind(move, key):
            yield Fate("gate", key, "", REFUSED, "there is no open gate here whose rules changed")


def stages(move: Move) -> Iterator[Fate]:
    order = [*(key for key in move.known if key in move.view.stages)]
    order += [key for key in move.view.stages if key not in move.known]
    for key in order:
        now = move.view.stages[key]
        yield _stage(move, key, now)
        yield from running(key, now)
        if key in move.known and key not in move.redone and now.state in OPEN | WORKED:
            yield from steps_of(move, key, now)
            yield from items_of(move, key, now)
            yield from gate_of(move, key, now)
    for key in move.known:
        if key not in move.view.stages:
            yield Fate("stage", key, "", ADDED, "new in this version")


def _stage(move: Move, key: str, now: StageView) -> Fate:
    if key not in move.known:
        return _removed(move, key, now)
    problem = _misfit(move, key, now)
    if problem:
        return Fate("stage", key, now.state, REFUSED, problem)
    if key in move.redone:
        return Fate("stage", key, now.state, REDONE, f"round {now.round + 1} follows")
    lacks = _lacks(move, key)
    if now.state == StageState.READY and lacks:
        why = f"waits again, for {' and '.join(lacks)}"
        return Fate("stage", key, now.state, CARRIED, why, waits=True)
    if _same(move, key):
        return Fate("stage", key, now.state, KEPT)
    if now.state in MET:
        return Fate("stage", key, now.state, KEPT, "what is done is not judged anew")
    return Fate("stage", key, now.state, CARRIED, "goes on as the new version says")


def _removed(move: Move, key: str, now: StageView) -> Fate:
    if now.state in OPEN and key not in move.redone:
        return Fate("stage", key, now.state, REFUSED, "the new version has no such stage")
    return Fate("stage", key, now.state, DROPPED, "the new version has no such stage")


def _misfit(move: Move, key: str, now: StageView) -> str:
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
    unmet = [need for need in stage.needs if not met(move, need)]
    if now.state in WORKED and unmet:
        return f"needs {' and '.join(unmet)} first, which is not done: do it again"
    return ""


def _lacks(move: Move, key: str) -> list[str]:
    """The stages a READY one would wait for: undone, or with nothing on offer."""
    here = graph(move.new).stages[key]
    lacking = [need for need in here.needs if not met(move, need)]
    for source in here.hand_offs_in:
        sender, found = move.view.stages.get(source), move.view.hand_offs.get((source, key))
        if source in lacking or sender is None or sender.state != StageState.DONE:
            continue
        if found is None or found.source_round != sender.round:
            lacking.append(source)
    return lacking


def _same(move: Move, key: str) -> bool:
    own = [one for one in move.changes.changes if one.stage == key]
    return all(one.change == UNCHANGED for one in own)
