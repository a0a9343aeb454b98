"""Rules about work items, their fields, and the parameters and inputs of a run."""

from collections.abc import Iterator

from pipelines.blueprints.forms import as_param, field_problems
from pipelines.blueprints.lint.walk import Known, doubles, items, listed, problem
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.spec import Blueprint, FieldDef
from pipelines.operations.contract import param_problems


def item_personas_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Somebody can do the work item."""
    for path, _, item in items(blueprint):
        if item.persona not in known.personas:
            message = f"is no persona; known: {listed(known.personas)}"
            yield problem(f"{path}.persona", "persona", message, item.persona)


def items_ask_something(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A form has fields; an attestation is a statement and may stand alone."""
    for path, _, item in items(blueprint):
        if item.kind == "form" and not item.fields:
            yield problem(f"{path}.fields", "empty", "must have at least one field", item.key)


def fields_are_unique(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A field's key names one field."""
    for path, _, item in items(blueprint):
        for key in doubles(field.key for field in item.fields):
            yield problem(f"{path}.fields", "duplicate", "has two fields of one key", key)


def fields_can_be_filled(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A choice has choices, limits are in order, and a default is itself legal."""
    for path, _, item in items(blueprint):
        for index, field in enumerate(item.fields):
            yield from _field(f"{path}.fields[{index}]", field)


def _field(path: str, field: FieldDef) -> Iterator[Problem]:
    if field.kind == "choice" and not field.choices:
        yield problem(f"{path}.choices", "empty", "must name the choices", field.key)
    if field.values and field.kind != "map":
        yield problem(f"{path}.values", "kind", "is only for a map", field.kind)
    if _crossed(field.minimum, field.maximum):
        yield problem(f"{path}.minimum", "limits", "must not be above maximum", field.minimum)
    if field.default is not None:
        for message in field_problems(field, field.default):
            yield problem(f"{path}.default", "default", message, field.default)


def _crossed(minimum: float | None, maximum: float | None) -> bool:
    return minimum is not None and maximum is not None and minimum > maximum


def parameters_are_legal(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A parameter's default keeps to its own kind, choices and limits."""
    for index, parameter in enumerate(blueprint.parameters):
        path = f"parameters[{index}]"
        if _crossed(parameter.minimum, parameter.maximum):
            message = "must not be above maximum"
            yield problem(f"{path}.minimum", "limits", message, parameter.minimum)
        if parameter.default is not None:
            for message in param_problems(as_param(parameter), parameter.default):
                yield problem(f"{path}.default", "default", message, parameter.default)
