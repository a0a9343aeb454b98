"""A run's parameters as form fields: what is shown, and what is read back."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from pipelines.blueprints.spec import Blueprint, ParameterDef
from portal.web.fields import json_of

PREFIX = "p."
LONG = 2_000  # characters; a text that may have as many gets lines (own)


@dataclass(frozen=True)
class Field:
    """One parameter as the template shows it; `kind` is a kind of components/field.html."""

    name: str
    label: str
    kind: str
    value: str
    options: tuple[tuple[str, str], ...]
    help: str
    required: bool
    errors: tuple[str, ...]


def fields(
    plan: Blueprint,
    values: Mapping[str, Any],
    problems: Mapping[str, Iterable[str]],
    *,
    without: Iterable[str] = (),
) -> list[Field]:
    """Return the fields of a plan's parameters, holding what was given or the default."""
    left_out = set(without)
    return [
        _field(definition, values.get(definition.key, definition.default), problems)
        for definition in plan.parameters
        if definition.key not in left_out
    ]


def _field(definition: ParameterDef, value: Any, problems: Mapping[str, Iterable[str]]) -> Field:
    kind, options = "text", tuple((str(choice), str(choice)) for choice in definition.choices)
    if options:
        kind = "choice"
    elif definition.kind == "bool":
        kind, options = "choice", (("true", "yes"), ("false", "no"))
    elif definition.kind in ("int", "float"):
        kind = "number"
    elif definition.kind in ("list", "map") or (
        definition.kind == "str" and (definition.maximum or 0) >= LONG
    ):
        kind = "longtext"
    return Field(
        name=PREFIX + definition.key,
        label=definition.title,
        kind=kind,
        value=spell(definition, value),
        options=options,
        help=_help(definition),
        required=definition.required,
        errors=tuple(problems.get(f"parameters.{definition.key}", ())),
    )


def _help(definition: ParameterDef) -> str:
    hint = {"list": "One per line, or JSON.", "map": 'JSON, such as {"name": 1}.'}
    return " ".join(part for part in (definition.help, hint.get(definition.kind, "")) if part)


def spell(definition: ParameterDef, value: Any) -> str:
    """Write a value as the text of its field."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return "\n".join(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def read(plan: Blueprint, posted: QueryDict) -> dict[str, Any]:
    """Return what a form gave; a text that is no value of its kind stays a text, to be refused."""
    given = {}
    for definition in plan.parameters:
        text = posted.get(PREFIX + definition.key)
        if text is None:
            continue
        text = text.replace("\r\n", "\n").strip()
        if text:
            given[definition.key] = _value(definition, text)
    return given


def _value(definition: ParameterDef, text: str) -> Any:
    if definition.kind == "int":
        return _number(text, whole=True)
    if definition.kind == "float":
        return _number(text, whole=False)
    if definition.kind == "bool":
        return {"true": True, "false": False}.get(text, text)
    if definition.kind == "list" and not text.startswith("["):
        return [line.strip() for line in text.split("\n") if line.strip()]
    if definition.kind in ("list", "map"):
        return json_of(text)
    return text


def _number(text: str, *, whole: bool) -> Any:
    """Read 1000, 1 000, 0.5 or 0,5; what is no number stays a text."""
    plain = text.replace("\u202f", "").replace(" ", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if whole and number.is_integer() else number
