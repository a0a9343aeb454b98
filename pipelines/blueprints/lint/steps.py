"""Rules about steps: the operation, its ports, its literal parameters, the order in a stage."""

from collections.abc import Iterator

from pipelines.blueprints.graph import item_waits, step_waits
from pipelines.blueprints.lint.walk import Known, doubles, items, listed, problem, stages, steps
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.refs import Ref
from pipelines.blueprints.spec import Blueprint, StageDef
from pipelines.operations.contract import param_problems


def operations_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Every operation is in the catalogue."""
    for path, _, step in steps(blueprint):
        if step.operation not in known.operations:
            reason = known.refused.get(step.operation)
            message = f"is no operation; known: {listed(known.operations)}"
            if reason:
                message = f"cannot be used: {reason}"
            yield problem(f"{path}.operation", "operation", message, step.operation)


def effects_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Every effect is in the catalogue."""
    for path, _, step in steps(blueprint):
        if step.effect and step.effect not in known.effects:
            message = f"is no effect; known: {listed(known.effects)}"
            yield problem(f"{path}.effect", "effect", message, step.effect)


def keys_are_unique(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Steps, contract steps and items of a stage share one name space: `after` names any."""
    for path, stage in stages(blueprint):
        names = [step.key for step in stage.all_steps()] + [item.key for item in stage.items]
        for key in doubles(names):
            yield problem(path, "duplicate", "has two steps or items of one key", key)


def ports_are_fed(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Each required port has an input, and each input has a port."""
    for path, _, step in steps(blueprint):
        spec = known.operations.get(step.operation)
        if spec is None:
            continue
        ports = {port.name: port for port in spec.inputs}
        for name in step.inputs:
            if name not in ports:
                message = f"is no input of {spec.name}; known: {listed(ports)}"
                yield problem(f"{path}.inputs.{name}", "port", message)
        for name, port in ports.items():
            refs = step.inputs.get(name, ())
            if not refs and not port.optional:
                yield problem(f"{path}.inputs.{name}", "port", f"is required by {spec.name}")
            if len(refs) > 1 and not port.many:
                message = f"takes one artefact, got {len(refs)}"
                yield problem(f"{path}.inputs.{name}", "port", message)


def literals_are_legal(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Parameters suit the operation's declaration, as far as they are written down."""
    for path, _, step in steps(blueprint):
        spec = known.operations.get(step.operation)
        if spec is None:
            continue
        params = {param.name: param for param in spec.params}
        for name in step.params:
            if name not in params:
                message = f"is no parameter of {spec.name}; known: {listed(params)}"
                yield problem(f"{path}.params.{name}", "param", message)
        for name, param in params.items():
            value = step.params.get(name, param.default)
            if isinstance(value, Ref):
                if not value.has_default or value.default is None:
                    continue
                value = value.default
            for message in param_problems(param, value):
                yield problem(f"{path}.params.{name}", "param", message)


def after_exists(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """`after` names steps or items of the same stage."""
    for path, stage, step in steps(blueprint):
        own = {other.key for other in stage.steps} | {item.key for item in stage.items}
        if ".hand_off." in path:
            own |= {other.key for other in stage.all_steps()}
        yield from _after(path, own - {step.key}, step.after)
    for path, stage, item in items(blueprint):
        own = {other.key for other in stage.steps} | {other.key for other in stage.items}
        yield from _after(path, own - {item.key}, item.after)


def _after(path: str, own: set[str], after: tuple[str, ...]) -> Iterator[Problem]:
    for index, name in enumerate(after):
        if name not in own:
            message = f"is no other step or item of this stage; known: {listed(own)}"
            yield problem(f"{path}.after[{index}]", "after", message, name)


def no_circle_in_a_stage(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Steps and items of a stage may not wait for each other."""
    for path, stage in stages(blueprint):
        stuck = _stuck(_waits(stage))
        if stuck:
            message = f"has steps or items that wait for each other: {', '.join(stuck)}"
            yield problem(path, "cycle", message)


def _waits(stage: StageDef) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for step in stage.all_steps():
        waits = step_waits(stage, step)
        found[step.key] = waits.steps | waits.items
    for item in stage.items:
        waits = item_waits(stage, item)
        found[item.key] = waits.steps | waits.items
    return found


def _stuck(waits: dict[str, frozenset[str]]) -> list[str]:
    """What can never start; names that do not exist are somebody else's finding."""
    left = dict(waits)
    while ready := [key for key, before in left.items() if not before & left.keys()]:
        for key in ready:
            del left[key]
    return list(left)
