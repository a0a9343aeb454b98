"""Rules about the checks of gates and contracts."""

from collections.abc import Iterator

from pipelines.blueprints.graph import upstream
from pipelines.blueprints.lint.walk import Known, checks, listed, problem
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.spec import Blueprint, StageDef


def checks_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Every check is in the catalogue."""
    for path, _, check in checks(blueprint):
        if check.name not in known.checks:
            message = f"is no check; known: {listed(known.checks)}"
            yield problem(f"{path}.name", "check", message, check.name)


def checks_read_what_is_there(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A check that names a step or an item names one that has run by then."""
    for path, stage, check in checks(blueprint):
        for name in ("step", "item"):
            value = check.params.get(name)
            if isinstance(value, str) and not _there(blueprint, stage, name, value):
                message = f"is no {name} (stage.{name}) of this stage or one upstream"
                yield problem(f"{path}.params.{name}", "reference", message, value)


def _there(blueprint: Blueprint, stage: StageDef, kind: str, value: str) -> bool:
    key, _, name = value.partition(".")
    if key != stage.key and key not in upstream(blueprint, stage.key):
        return False
    there = blueprint.stage(key)
    names = there.all_steps() if kind == "step" else there.items
    return name in {entry.key for entry in names}
