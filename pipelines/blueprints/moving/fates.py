"""What a move to another version says of a row, and what it looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.blueprints.diff import CHANGED, Diff
from pipelines.blueprints.plan import MET, RunView
from pipelines.blueprints.spec import Blueprint, StageDef
from pipelines.lifecycles import GateState, StageState

KEPT: Final = "kept"  # nothing happens to it
CARRIED: Final = "carried over"  # the same row goes on as the new version says
REDONE: Final = "redone"  # the row is closed; a new one follows
DROPPED: Final = "dropped"  # it counts no more, and stays in the history
ADDED: Final = "added"  # comes with its turn
LEFT_OUT: Final = "left out"  # new, but in a stage that is done and stays so
REFUSED: Final = "refused"  # the run cannot move like this

WORKED: Final = frozenset({"DONE", "ACTIVE", "IN_REVIEW", "FAILED"})
OPEN: Final = frozenset({"READY", "ACTIVE", "IN_REVIEW", "FAILED"})


@dataclass(frozen=True)
class Wish:
    """What a person decided: stages to do again, and open gates to open anew under new rules."""

    redo: frozenset[str] = frozenset()
    rebind: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fate:
    """What becomes of one row, and why. `name` is as in a Change; `state` is as it is now.

    `waits`: the row is a READY stage that must wait again, for what the new version wants first.
    """

    noun: str
    name: str
    state: str
    fate: str
    why: str = ""
    waits: bool = False


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

    @property
    def waiting(self) -> tuple[str, ...]:
        """The READY stages that are to wait again; all others stay READY."""
        return tuple(one.name for one in self.fates if one.waits)

    def names(self, noun: str, fate: str) -> tuple[str, ...]:
        """The names of that kind which meet that fate."""
        return tuple(one.name for one in self.fates if (one.noun, one.fate) == (noun, fate))


@dataclass(frozen=True)
class Move:
    """The run as it is, where it is to go, and what was decided."""

    old: Blueprint
    new: Blueprint
    view: RunView
    wish: Wish
    sent: Mapping[str, int]
    targets: Mapping[str, Sequence[str]]
    computed: Mapping[str, str]
    changes: Diff
    redone: frozenset[str]
    known: Mapping[str, StageDef] = field(default_factory=dict)
    before: Mapping[str, StageDef] = field(default_factory=dict)


def may_redo(move: Move, key: str) -> bool:
    """Whether the stage has anything to do again."""
    now = move.view.stages.get(key)
    return now is not None and now.state in {*WORKED, StageState.SKIPPED}


def may_rebind(move: Move, key: str) -> bool:
    """Whether an open gate of the stage could ask by other rules."""
    now = move.view.stages.get(key)
    if now is None or now.gate != GateState.OPEN or key in move.redone:
        return False
    if move.known[key].gate is None:
        return False
    return move.changes.of("gate", key) == CHANGED or bool(lost_targets(move, key))


def lost_targets(move: Move, key: str) -> list[str]:
    """The stages an open gate may send back to that the new version lacks."""
    return [target for target in move.targets.get(key, ()) if target not in move.known]


def met(move: Move, key: str) -> bool:
    """Whether the stage is done, and stays so."""
    now = move.view.stages.get(key)
    return now is not None and key not in move.redone and now.state in MET
