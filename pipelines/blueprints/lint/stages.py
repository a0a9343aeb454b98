"""Rules about stages and the graph they make."""

from collections.abc import Iterator
from itertools import combinations

from pipelines.blueprints.graph import graph
from pipelines.blueprints.lint.walk import Known, doubles, listed, problem, stages, warning
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.refs import RESERVED
from pipelines.blueprints.spec import Blueprint

MAX_ROUNDS = 20  # own: who needs more has another problem


def has_stages(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A plan without stages plans nothing."""
    if not blueprint.stages:
        yield problem("stages", "empty", "must have at least one stage")


def keys_are_unique(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A key names one thing."""
    for key in doubles(stage.key for stage in blueprint.stages):
        yield problem("stages", "duplicate", "has two stages of one key", key)
    for key in doubles(entry.key for entry in blueprint.inputs):
        yield problem("inputs", "duplicate", "has two inputs of one key", key)
    for key in doubles(entry.key for entry in blueprint.parameters):
        yield problem("parameters", "duplicate", "has two parameters of one key", key)


def keys_are_free(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A stage must not be named like the start of a reference."""
    for path, stage in stages(blueprint):
        if stage.key in RESERVED:
            yield problem(f"{path}.key", "reserved", f"must not be {listed(RESERVED)}", stage.key)


def personas_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Every stage belongs to a persona."""
    for path, stage in stages(blueprint):
        if stage.persona not in known.personas:
            message = f"is no persona; known: {listed(known.personas)}"
            yield problem(f"{path}.persona", "persona", message, stage.persona)


def needs_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """What a stage needs is a stage."""
    keys = {stage.key for stage in blueprint.stages}
    for path, stage in stages(blueprint):
        for index, need in enumerate(stage.needs):
            if need not in keys:
                message = f"is no stage; known: {listed(keys)}"
                yield problem(f"{path}.needs[{index}]", "needs", message, need)


def no_cycle(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Stages may not wait for each other; going back is what send-back is for."""
    reach = graph(blueprint).downstream
    for path, stage in stages(blueprint):
        if stage.key in reach[stage.key]:
            circle = sorted(key for key in reach[stage.key] if stage.key in reach[key])
            message = f"waits for itself through {', '.join(circle)}; to go back, use send_back_to"
            yield problem(f"{path}.needs", "cycle", message, list(stage.needs))


def loops_are_bounded(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A send-back is a loop, and every loop ends."""
    for path, stage in stages(blueprint):
        if not 1 <= stage.max_rounds <= MAX_ROUNDS:
            message = f"must be 1 to {MAX_ROUNDS}, so that the loop of send-backs ends"
            yield problem(f"{path}.max_rounds", "unbounded", message, stage.max_rounds)


def stages_do_something(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A stage with nothing in it is done at once, which is rarely meant."""
    for path, stage in stages(blueprint):
        if not stage.steps and not stage.items and stage.gate is None:
            yield warning(path, "idle", "has no steps, work items or gate", stage.key)


def gated_branches_meet(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """No gate inside a branch that a join does not wait for: others would run past the review."""
    reach = graph(blueprint).downstream
    paths = {stage.key: path for path, stage in stages(blueprint)}
    gated = {stage.key for stage in blueprint.stages if stage.gate}
    if len(paths) != len(blueprint.stages):
        return
    for one, other in combinations(paths, 2):
        if one in reach[other] or other in reach[one] or reach[one] & reach[other]:
            continue
        for key, beside in ((one, other), (other, one)):
            if key in gated:
                message = f"is in a branch that no join waits for: {beside} never meets it"
                yield problem(f"{paths[key]}.gate", "unjoined", message, key)
