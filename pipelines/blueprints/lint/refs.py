"""Rules about references: they exist, they come from upstream, their media and kinds fit."""

from collections.abc import Iterator, Mapping

from pipelines.blueprints.graph import graph, upstream
from pipelines.blueprints.lint.walk import (
    Known,
    checks,
    hand_offs,
    items,
    listed,
    problem,
    steps,
    warning,
)
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.refs import Ref, RefKind
from pipelines.blueprints.spec import Blueprint, FieldDef, InputDef, StageDef, StepDef
from pipelines.operations.contract import Param, Port

# What a field gives, in the kinds of parameters.
FIELD_GIVES: Mapping[str, tuple[str, ...]] = {
    "text": ("str",),
    "longtext": ("str",),
    "date": ("str",),
    "choice": ("str", "int", "float", "bool"),
    "number": ("float", "int"),
    "money": ("float",),
    "bool": ("bool",),
    "columns": ("list",),
    "list": ("list",),
    "map": ("map",),
}


def inputs_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """An input is a step's output from here or upstream, an input of the run, or a feed."""
    for path, stage, step in steps(blueprint):
        for port, refs in step.inputs.items():
            for ref in refs:
                yield from _input_exists(blueprint, known, (f"{path}.inputs.{port}", stage, ref))


def _input_exists(
    blueprint: Blueprint, known: Known, at: tuple[str, StageDef, Ref]
) -> Iterator[Problem]:
    path, stage, ref = at
    if ref.kind is RefKind.FEED and ref.name not in known.feeds:
        message = f"is no feed; known: {listed(known.feeds)}"
        yield problem(path, "feed", message, ref.text)
    if ref.kind is RefKind.INPUT and ref.name not in {entry.key for entry in blueprint.inputs}:
        message = f"is no input of the run; known: {listed(e.key for e in blueprint.inputs)}"
        yield problem(path, "reference", message, ref.text)
    if ref.kind is RefKind.OUTPUT:
        yield from _step_exists(blueprint, path, stage, ref)
        giver = _giver(blueprint, ref)
        spec = known.operations.get(giver.operation) if giver else None
        outputs = [port.name for port in spec.outputs] if spec else []
        if spec and ref.part not in outputs:
            message = f"is no output of {spec.name}; known: {listed(outputs)}"
            yield problem(path, "reference", message, ref.text)


def _step_exists(blueprint: Blueprint, path: str, stage: StageDef, ref: Ref) -> Iterator[Problem]:
    """The step that an output or a fact comes from: of this stage or of one upstream."""
    yield from _stage_is_before(blueprint, path, stage, ref)
    if ref.stage in {other.key for other in blueprint.stages}:
        there = blueprint.stage(ref.stage)
        names = [step.key for step in there.steps]
        handed_on = graph(blueprint).stages[ref.stage].hand_offs_out
        if there.hand_off and handed_on and (ref.stage != stage.key or ".hand_off." in path):
            names += [step.key for step in there.hand_off.steps]
        if ref.name not in names:
            message = f"is no step of {ref.stage}; known: {listed(names)}"
            yield problem(path, "reference", message, ref.text)


def _stage_is_before(
    blueprint: Blueprint, path: str, stage: StageDef, ref: Ref
) -> Iterator[Problem]:
    legal = upstream(blueprint, stage.key) | {stage.key}
    if ref.stage not in legal:
        message = f"is not of this stage or one upstream; those are: {listed(legal)}"
        yield problem(path, "reference", message, ref.text)


def _giver(blueprint: Blueprint, ref: Ref) -> StepDef | None:
    for stage in blueprint.stages:
        for step in stage.all_steps():
            if (stage.key, step.key) == (ref.stage, ref.name):
                return step
    return None


def media_fit(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A port takes the media that its input gives; a list of files needs a `many` port."""
    for path, _, step in steps(blueprint):
        spec = known.operations.get(step.operation)
        ports = {port.name: port for port in spec.inputs} if spec else {}
        for name, refs in step.inputs.items():
            for ref in refs if name in ports else ():
                where = f"{path}.inputs.{name}"
                yield from _media(blueprint, known, where, ports[name], ref)


def _media(
    blueprint: Blueprint, known: Known, path: str, port: Port, ref: Ref
) -> Iterator[Problem]:
    taken = {port.media, *port.accepts}
    given = _given_media(blueprint, known, ref)
    if "any" not in taken | given and not given <= taken:
        message = f"takes {listed(taken)}, but {ref.text} gives {listed(given)}"
        yield problem(path, "media", message)
    entry = _run_input(blueprint, ref)
    if entry and entry.many and not port.many:
        yield problem(path, "media", f"takes one artefact, but {ref.text} gives many")
    if entry and not entry.required and not port.optional:
        yield problem(path, "media", f"is required, but {ref.text} may be missing")


def _given_media(blueprint: Blueprint, known: Known, ref: Ref) -> set[str]:
    entry = _run_input(blueprint, ref)
    if entry:
        return set(entry.media)
    giver = _giver(blueprint, ref) if ref.kind is RefKind.OUTPUT else None
    spec = known.operations.get(giver.operation) if giver else None
    return {port.media for port in spec.outputs if port.name == ref.part} if spec else set()


def _run_input(blueprint: Blueprint, ref: Ref) -> InputDef | None:
    found = [entry for entry in blueprint.inputs if entry.key == ref.name]
    return found[0] if found and ref.kind is RefKind.INPUT else None


def skipped_stages_give_nothing(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """An input from a stage that may be skipped is missing then."""
    for path, stage, step in steps(blueprint):
        for port, refs in step.inputs.items():
            for ref in refs:
                giver = next((s for s in blueprint.stages if s.key == ref.stage), None)
                if giver and giver.when and giver.key != stage.key:
                    message = f"comes from {giver.key}, which its condition may skip"
                    yield warning(f"{path}.inputs.{port}", "skipped", message, ref.text)


def values_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A parameter refers to what exists by then, of a fitting kind."""
    for path, stage, step in steps(blueprint):
        spec = known.operations.get(step.operation)
        params = {param.name: param for param in spec.params} if spec else {}
        for name, value in step.params.items():
            if isinstance(value, Ref):
                where = f"{path}.params.{name}"
                yield from _value_exists(blueprint, where, stage, value)
                if name in params:
                    yield from _value_fits(blueprint, where, params[name], value)
    for path, stage, check in checks(blueprint):
        for name, value in check.params.items():
            if isinstance(value, Ref):
                yield from _value_exists(blueprint, f"{path}.params.{name}", stage, value)


def entries_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A field's suggestion and a checklist's own answer exist by then."""
    for path, stage, item in items(blueprint):
        for index, field in enumerate(item.fields):
            if field.suggest:
                where = f"{path}.fields[{index}].suggest"
                yield from _value_exists(blueprint, where, stage, field.suggest)
    for path, stage, hand_off in hand_offs(blueprint):
        for index, entry in enumerate(hand_off.checklist):
            if entry.value:
                where = f"{path}.checklist[{index}].value"
                yield from _value_exists(blueprint, where, stage, entry.value)


def _value_exists(blueprint: Blueprint, path: str, stage: StageDef, ref: Ref) -> Iterator[Problem]:
    if ref.kind is RefKind.PARAMETER:
        names = [parameter.key for parameter in blueprint.parameters]
        if ref.name not in names:
            message = f"is no parameter of the run; known: {listed(names)}"
            yield problem(path, "reference", message, ref.text)
    elif ref.kind is RefKind.FACT:
        yield from _step_exists(blueprint, path, stage, ref)
    else:
        yield from _stage_is_before(blueprint, path, stage, ref)
        if not (_field(blueprint, ref) or _item_exists(blueprint, ref)):
            yield problem(path, "reference", "is no work item or field of one", ref.text)


def _item_exists(blueprint: Blueprint, ref: Ref) -> bool:
    """Whether all of a work item is meant, and there is such an item."""
    there = {(stage.key, item.key) for stage in blueprint.stages for item in stage.items}
    return not ref.part and (ref.stage, ref.name) in there


def _field(blueprint: Blueprint, ref: Ref) -> FieldDef | None:
    for stage in blueprint.stages:
        for item in stage.items:
            for field in item.fields:
                if (stage.key, item.key, field.key) == (ref.stage, ref.name, ref.part):
                    return field
    return None


def _value_fits(blueprint: Blueprint, path: str, param: Param, ref: Ref) -> Iterator[Problem]:
    if ref.kind is RefKind.PARAMETER:
        found = next((p for p in blueprint.parameters if p.key == ref.name), None)
        gives: tuple[str, ...] = (found.kind,) if found else ()
        sure = found is None or found.required or found.default is not None
    elif ref.kind is RefKind.FIELD:
        field = _field(blueprint, ref)
        gives = FIELD_GIVES[field.kind] if field else () if ref.part else ("map",)
        sure = field is None or field.required or field.default is not None
    else:
        return
    if gives and not set(gives) & _taken(param):
        message = f"must be {param.kind}, but {ref.text} is {' or '.join(gives)}"
        yield problem(path, "kind", message)
    if param.required and not sure and ref.default is None:
        yield problem(path, "kind", f"is required, but {ref.text} may be left empty")


def _taken(param: Param) -> set[str]:
    return {"int", "float"} if param.kind == "float" else {param.kind}
