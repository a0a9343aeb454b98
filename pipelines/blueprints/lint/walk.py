"""Walking a blueprint with paths, and what lint knows about the world around it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pipelines.blueprints.problems import Problem, shown
from pipelines.blueprints.spec import (
    Blueprint,
    CheckUse,
    GateDef,
    HandOffDef,
    ItemDef,
    StageDef,
    StepDef,
)
from pipelines.operations.contract import Spec


@dataclass(frozen=True)
class Known:
    """The names that exist. `people`: how many people can act as each persona, if known.

    `refused`: why an operation that a package brings cannot be used.
    """

    personas: Collection[str]
    operations: Mapping[str, Spec]
    checks: Collection[str]
    effects: Collection[str]
    feeds: Collection[str]
    people: Mapping[str, int] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


Rule: TypeAlias = Callable[[Blueprint, Known], Iterator[Problem]]


def problem(path: str, rule: str, message: str, value: object = None) -> Problem:
    """An error."""
    return Problem(path, rule, message, "" if value is None else shown(value))


def warning(path: str, rule: str, message: str, value: object = None) -> Problem:
    """A warning: said, but it refuses nothing."""
    return Problem(path, rule, message, "" if value is None else shown(value), "warning")


def listed(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(names)) or "none"


def stages(blueprint: Blueprint) -> Iterator[tuple[str, StageDef]]:
    """Every stage with its path."""
    for index, stage in enumerate(blueprint.stages):
        yield f"stages[{index}]", stage


def steps(blueprint: Blueprint) -> Iterator[tuple[str, StageDef, StepDef]]:
    """Every step, contract steps of hand-offs too."""
    for path, stage in stages(blueprint):
        for index, step in enumerate(stage.steps):
            yield f"{path}.steps[{index}]", stage, step
        for index, step in enumerate(stage.hand_off.steps if stage.hand_off else ()):
            yield f"{path}.hand_off.steps[{index}]", stage, step


def items(blueprint: Blueprint) -> Iterator[tuple[str, StageDef, ItemDef]]:
    """Every work item."""
    for path, stage in stages(blueprint):
        for index, item in enumerate(stage.items):
            yield f"{path}.items[{index}]", stage, item


def gates(blueprint: Blueprint) -> Iterator[tuple[str, StageDef, GateDef]]:
    """Every gate."""
    for path, stage in stages(blueprint):
        if stage.gate:
            yield f"{path}.gate", stage, stage.gate


def hand_offs(blueprint: Blueprint) -> Iterator[tuple[str, StageDef, HandOffDef]]:
    """Every hand-off that is written down."""
    for path, stage in stages(blueprint):
        if stage.hand_off:
            yield f"{path}.hand_off", stage, stage.hand_off


def checks(blueprint: Blueprint) -> Iterator[tuple[str, StageDef, CheckUse]]:
    """Every check of a gate or of a contract."""
    for path, stage, gate in gates(blueprint):
        for index, check in enumerate(gate.checks):
            yield f"{path}.checks[{index}]", stage, check
    for path, stage, hand_off in hand_offs(blueprint):
        for index, check in enumerate(hand_off.contract):
            yield f"{path}.contract[{index}]", stage, check


def doubles(keys: Iterable[str]) -> list[str]:
    """The keys that come more than once."""
    return [key for key, count in Counter(keys).items() if count > 1]
