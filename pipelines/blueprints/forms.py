"""Are the values that people give legal? For work items and for the parameters of a run."""

import math
from collections.abc import Mapping
from datetime import date

from pipelines.blueprints.spec import Blueprint, FieldDef, ItemDef, ParameterDef
from pipelines.operations.contract import Json, Kind, Param, ParamErrors, Spec, clean_params

MAX_TEXT = 20_000
MAX_ENTRIES = 2_000
_TEXTS = ("text", "longtext", "date")
_LISTS = ("columns", "list")
_KINDS: Mapping[str, Kind] = {
    "int": "int",
    "float": "float",
    "str": "str",
    "bool": "bool",
    "list": "list",
    "map": "map",
}


def clean_item(item: ItemDef, data: Mapping[str, Json]) -> dict[str, Json]:
    """The item's data with defaults filled in. Raises ParamErrors with every problem by field."""
    known = {field.key: field for field in item.fields}
    problems = {
        name: [f"is not a field of {item.key}; known: {', '.join(known) or 'none'}"]
        for name in data
        if name not in known
    }
    cleaned: dict[str, Json] = {}
    for key, field in known.items():
        value = data.get(key, field.default)
        found = field_problems(field, value)
        if found:
            problems[key] = found
        else:
            cleaned[key] = value
    if problems:
        raise ParamErrors(problems)
    return cleaned


def clean_parameters(blueprint: Blueprint, given: Mapping[str, Json]) -> dict[str, Json]:
    """The run's parameters with defaults filled in. Raises ParamErrors with every problem."""
    params = tuple(as_param(parameter) for parameter in blueprint.parameters)
    return clean_params(Spec(blueprint.key, 1, blueprint.title, params=params), given)


def as_param(parameter: ParameterDef) -> Param:
    """A run parameter in the words of the operation contract."""
    return Param(
        name=parameter.key,
        kind=_KINDS[parameter.kind],
        default=parameter.default,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        choices=parameter.choices,
        required=parameter.required,
        help=parameter.help,
    )


def field_problems(field: FieldDef, value: Json) -> list[str]:
    """Every reason why the value does not suit the field; empty when it does."""
    if value is None or value == "" or value == [] or value == {}:
        return ["is required"] if field.required else []
    if field.kind == "bool":
        return _truth_problems(field, value)
    if field.kind == "choice":
        return _choice_problems(field, value)
    if field.kind in ("number", "money"):
        return _number_problems(field, value)
    if field.kind in _TEXTS:
        return _text_problems(field, value)
    if field.kind in _LISTS:
        return _list_problems(field, value)
    return _map_problems(field, value)


def _truth_problems(field: FieldDef, value: Json) -> list[str]:
    if not isinstance(value, bool):
        return [f"must be true or false, got {value!r}"]
    # A required yes is a statement that somebody makes: a no is not it.
    return ["must be confirmed"] if field.required and not value else []


def _choice_problems(field: FieldDef, value: Json) -> list[str]:
    if value in field.choices:
        return []
    return [f"must be one of {', '.join(map(str, field.choices))}, got {value!r}"]


def _number_problems(field: FieldDef, value: Json) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return [f"must be a finite number, got {value!r}"]
    if field.minimum is not None and value < field.minimum:
        return [f"must be >= {field.minimum:g}, got {value:g}"]
    if field.maximum is not None and value > field.maximum:
        return [f"must be <= {field.maximum:g}, got {value:g}"]
    return []


def _text_problems(field: FieldDef, value: Json) -> list[str]:
    if not isinstance(value, str):
        return [f"must be text, got {value!r}"]
    if len(value) > MAX_TEXT:
        return [f"must be at most {MAX_TEXT} characters, got {len(value)}"]
    if field.required and not value.strip():
        return ["is required"]
    if field.minimum is not None and len(value.strip()) < field.minimum:
        return [f"must be at least {field.minimum:g} characters, got {len(value.strip())}"]
    return [] if field.kind != "date" or _is_date(value) else [f"must be YYYY-MM-DD, got {value!r}"]


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _list_problems(field: FieldDef, value: Json) -> list[str]:
    if not isinstance(value, list):
        return [f"must be a list, got {value!r}"]
    found = _size_problems(field, len(value))
    if field.kind == "columns":
        found += [f"must hold column names, got {e!r}" for e in value if not isinstance(e, str)]
        doubles = sorted({e for e in value if isinstance(e, str) and value.count(e) > 1})
        found += [f"names {column!r} twice" for column in doubles]
    if field.choices:
        found += [
            f"must hold only known values, got {e!r}" for e in value if e not in field.choices
        ]
    return found


def _map_problems(field: FieldDef, value: Json) -> list[str]:
    if not isinstance(value, dict):
        return [f"must be a table of names and values, got {value!r}"]
    found = _size_problems(field, len(value))
    if field.choices:
        found += [
            f"has no entry {key!r}" for key in field.choices if field.required and key not in value
        ]
        found += [f"has an unknown entry {key!r}" for key in value if key not in field.choices]
    if field.values:
        legal = ", ".join(map(str, field.values))
        # An object says more than one value can; whoever reads it judges its parts.
        plain = {key: entry for key, entry in value.items() if not isinstance(entry, dict)}
        wrong = [key for key, entry in plain.items() if entry not in field.values]
        found += [f"{key}: must be one of {legal}, got {value[key]!r}" for key in wrong]
    return found


def _size_problems(field: FieldDef, size: int) -> list[str]:
    least = int(field.minimum or 0)
    most = int(field.maximum if field.maximum is not None else MAX_ENTRIES)
    return [] if least <= size <= most else [f"must have {least} to {most} entries, got {size}"]
