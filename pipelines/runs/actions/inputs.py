"""Parameters and inputs of a run, judged against its blueprint: every problem at once."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from personas.errors import Invalid
from pipelines.artefacts.models import Artefact
from pipelines.blueprints.forms import clean_parameters
from pipelines.blueprints.spec import Blueprint
from pipelines.operations.contract import ParamErrors

LONGEST_NAME = 200  # characters of an input's name
MEDIUM = re.compile(r"[a-z0-9]{1,12}\Z")


def clean_given(
    blueprint: Blueprint,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Sequence[Mapping[str, str]]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a run's parameters and inputs as the blueprint has them. Raises Invalid."""
    problems: dict[str, list[str]] = {}
    cleaned: dict[str, Any] = {}
    try:
        cleaned = dict(clean_parameters(blueprint, parameters))
    except ParamErrors as error:
        problems = {f"parameters.{name}": texts for name, texts in error.fields.items()}
    known = {definition.key: definition for definition in blueprint.inputs}
    for name in inputs:
        if name not in known:
            problems[f"inputs.{name}"] = [f"is no input of {blueprint.key}"]
    for name, definition in known.items():
        given = inputs.get(name, [])
        instead = definition.connects and bool(parameters.get("connection"))
        required = definition.required and not instead
        found = _input_problems(given, many=definition.many, required=required)
        if definition.connects and definition.required and bool(given) == instead:
            problems |= _not_one(name, found, connection=str(parameters.get("connection") or ""))
            continue
        found += [
            f"{part.get('name')}: {part.get('media')} is not one of {', '.join(definition.media)}"
            for part in given
            if part.get("media") not in definition.media and "any" not in definition.media
        ]
        if found:
            problems[f"inputs.{name}"] = found
    if problems:
        raise Invalid("The run cannot be created.", fields=problems)
    return cleaned, {
        name: [{key: part[key] for key in ("name", "digest", "media")} for part in given]
        for name, given in inputs.items()
    }


def _not_one(name: str, found: list[str], *, connection: str) -> dict[str, list[str]]:
    """Both were given, or neither: each of the two fields says so, and names the other."""
    said = "exactly one of them: files, or a connection with its query or path"
    if connection:
        here = f"was given, and parameters.connection is {connection!r}, too; give {said}"
        there = f"is {connection!r}, and inputs.{name} was given, too; give {said}"
    else:
        here = f"was not given, and parameters.connection is empty, too; give {said}"
        there = f"is empty, and inputs.{name} was not given; give {said}"
        found = []
    return {f"inputs.{name}": [here, *found], "parameters.connection": [there]}


def _input_problems(given: Sequence[Mapping[str, str]], *, many: bool, required: bool) -> list[str]:
    if not given:
        return ["is required: at least one artefact"] if required else []
    problems = [] if many or len(given) == 1 else [f"takes one artefact, got {len(given)}"]
    for index, part in enumerate(given):
        missing = [key for key in ("name", "digest", "media") if not part.get(key)]
        if missing:
            problems.append(f"[{index}] needs {', '.join(missing)}")
        problems += _part_problems(index, part)
    names = [part.get("name") for part in given]
    problems += [
        f"{name!r} is named twice" for name in sorted({str(n) for n in names if names.count(n) > 1})
    ]
    digests = {part.get("digest", "") for part in given}
    known = set(Artefact.objects.filter(digest__in=digests).values_list("digest", flat=True))
    return problems + [
        f"there is no artefact {digest!r}" for digest in sorted(digests - known) if digest
    ]


def _part_problems(index: int, part: Mapping[str, str]) -> list[str]:
    """Names and media end up in file names and tables: neither may be a path."""
    name, medium = str(part.get("name") or ""), str(part.get("media") or "")
    problems = []
    if len(name) > LONGEST_NAME or not name.isprintable() or set(name) & set("/\\"):
        problems.append(
            f"[{index}].name must have 1 to {LONGEST_NAME} printable characters, no / and no \\,"
            f" got {name[:LONGEST_NAME]!r}"
        )
    if medium and not MEDIUM.match(medium):
        problems.append(f"[{index}].media must be 1 to 12 of a-z and 0-9, got {medium[:40]!r}")
    return problems
