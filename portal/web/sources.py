"""A connection with its query or path, as the forms of a draft give it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from personas.errors import Invalid
from pipelines.artefacts.connections import Source
from portal.web.forms import text_of

FIELDS = ("connection", "query", "path")


def posted(request: HttpRequest) -> Source:
    """Return what a form says of it."""
    return Source.of({name: text_of(request, name) for name in FIELDS})


def without(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the other parameters: files take the place of a connection, and back."""
    return {name: value for name, value in parameters.items() if name not in FIELDS}


def refuse_both(source: Source, *, files: int) -> None:
    """Raise Invalid naming both fields for files and a connection, and for half a connection."""
    if files and source.connection:
        text = f"{files} file(s) came, and connection is {source.connection!r}; give one of the two"
        other = f"is {source.connection!r}, and files came, too; give one of the two"
        raise Invalid(
            "Files or a connection, not both.", fields={"files": [text], "connection": [other]}
        )
    asked = [name for name in FIELDS[1:] if getattr(source, name)]
    if asked and not source.connection:
        text = f"is required, as {' and '.join(asked)} says what to read through it"
        raise Invalid("A connection is missing.", fields={"connection": [text]})
