"""Rules about hand-offs."""

from collections.abc import Iterator

from pipelines.blueprints.graph import graph
from pipelines.blueprints.lint.walk import Known, doubles, hand_offs, problem
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.spec import Blueprint


def hand_offs_change_persona(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A hand-off is where the persona changes; elsewhere it would never happen."""
    for path, stage, _ in hand_offs(blueprint):
        if not graph(blueprint).stages[stage.key].hand_offs_out:
            message = f"leads to no stage of another persona than {stage.persona}"
            yield problem(path, "hand_off", message, stage.key)


def checklists_are_unique(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A line of the checklist has its own key."""
    for path, _, hand_off in hand_offs(blueprint):
        for key in doubles(entry.key for entry in hand_off.checklist):
            yield problem(f"{path}.checklist", "duplicate", "has two lines of one key", key)


def contract_steps_are_judged(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Steps that no check judges prove nothing to the receiver."""
    for path, _, hand_off in hand_offs(blueprint):
        if hand_off.steps and not hand_off.contract:
            yield problem(f"{path}.contract", "empty", "must have a check that judges the steps")
