"""What becomes of each row of a paused run that moves to another version; pure.

One function says it, for the dry run and for the real move. Equal keys are equal nodes. What is
finished is never judged anew: it stays, unless somebody asks for its stage to be done again. What
is open goes on at the node of its key; where there is none, the move is refused.
"""

from collections.abc import Mapping, Sequence

from pipelines.blueprints.diff import diff
from pipelines.blueprints.graph import graph
from pipelines.blueprints.moving.fates import (
    ADDED,
    CARRIED,
    DROPPED,
    KEPT,
    LEFT_OUT,
    REDONE,
    REFUSED,
    Fate,
    Move,
    MovePlan,
    Wish,
    may_rebind,
    may_redo,
)
from pipelines.blueprints.moving.parts import hand_offs
from pipelines.blueprints.moving.references import references
from pipelines.blueprints.moving.stages import stages, wishes
from pipelines.blueprints.plan import RunView
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import StageState

__all__ = [
    "ADDED",
    "CARRIED",
    "DROPPED",
    "KEPT",
    "LEFT_OUT",
    "REDONE",
    "REFUSED",
    "Fate",
    "MovePlan",
    "Wish",
    "plan_move",
]


def plan_move(
    old: Blueprint,
    new: Blueprint,
    view: RunView,
    wish: Wish | None = None,
    *,
    sent: Mapping[str, int] | None = None,
    targets: Mapping[str, Sequence[str]] | None = None,
    computed: Mapping[str, str] | None = None,
) -> MovePlan:
    """Say what becomes of every row.

    `sent` is how often each stage was sent back so far, `targets` where each open gate may send
    back to by the rules it was opened with, `computed` by which operation each finished step
    ("features.build") was: where that is not said, by the old version's.
    """
    wish = wish or Wish()
    move = Move(
        old=old,
        new=new,
        view=view,
        wish=wish,
        sent=sent or {},
        targets=targets or {},
        computed=computed or {},
        changes=diff(old, new),
        redone=redone_by(old, new, view, wish),
        known={stage.key: stage for stage in new.stages},
        before={stage.key: stage for stage in old.stages},
    )
    fates = (*wishes(move), *stages(move), *hand_offs(move), *references(move))
    return MovePlan(
        changes=move.changes,
        fates=fates,
        redone=move.redone,
        may_redo=tuple(key for key in move.known if may_redo(move, key)),
        may_rebind=tuple(key for key in move.known if may_rebind(move, key)),
    )


def redone_by(old: Blueprint, new: Blueprint, view: RunView, wish: Wish) -> frozenset[str]:
    """What starts over: the stages asked for, and all that depends on them in either version."""
    found: set[str] = set()
    for key in wish.redo:
        for blueprint in (old, new):
            found |= {key} | graph(blueprint).downstream.get(key, frozenset())
    return frozenset(
        key for key in found if key in view.stages and view.stages[key].state != StageState.PENDING
    )
