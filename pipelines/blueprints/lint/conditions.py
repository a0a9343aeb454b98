"""Rules about `when`: in the closed language, over facts that are there by then."""

from collections.abc import Iterator

from pipelines.blueprints.conditions import ConditionError, read
from pipelines.blueprints.graph import upstream
from pipelines.blueprints.lint.walk import Known, listed, problem, stages
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.spec import Blueprint, StageDef

RUN_FACTS = ("kind", "number", "trigger")  # what every run tells of itself


def conditions_are_closed(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A condition compares facts; it calls and computes nothing."""
    for path, text, _, _ in _conditions(blueprint):
        try:
            read(text)
        except ConditionError as error:
            yield problem(path, "condition", str(error), text)


def conditions_read_what_is_there(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A stage's condition is judged before it begins, a gate's after its steps."""
    for path, text, stage, own in _conditions(blueprint):
        legal = upstream(blueprint, stage.key) | ({stage.key} if own else set())
        for ref in _refs(text):
            root, *parts = ref.split(".")
            if root == "run":
                yield from _parameter(blueprint, path, parts[0], ref)
            elif parts[0] not in legal:
                message = f"refers to {ref}; stages it may look at: {listed(legal)}"
                yield problem(path, "reference", message, text)
            elif not _there(blueprint.stage(parts[0]), root, parts):
                yield problem(path, "reference", f"refers to {ref}, which does not exist", text)


def _conditions(blueprint: Blueprint) -> Iterator[tuple[str, str, StageDef, bool]]:
    for path, stage in stages(blueprint):
        if stage.when:
            yield f"{path}.when", stage.when, stage, False
        if stage.gate and stage.gate.when:
            yield f"{path}.gate.when", stage.gate.when, stage, True


def _refs(text: str) -> tuple[str, ...]:
    try:
        return read(text).refs
    except ConditionError:
        return ()


def _parameter(blueprint: Blueprint, path: str, name: str, ref: str) -> Iterator[Problem]:
    names = [parameter.key for parameter in blueprint.parameters]
    if name not in (*names, *RUN_FACTS):
        message = f"refers to {ref}; of a run are known: {listed([*names, *RUN_FACTS])}"
        yield problem(path, "reference", message)


def _there(stage: StageDef, root: str, parts: list[str]) -> bool:
    if root == "facts":
        return parts[1] in {step.key for step in stage.steps}
    return any(
        (item.key, field.key) == (parts[1], parts[2])
        for item in stage.items
        for field in item.fields
    )
