"""Reading frozen evidence: facts by what they say, whatever the blueprint calls their step."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pipelines.artefacts.queries import open_content
from pipelines.artefacts.storage import StorageError

Facts = Mapping[str, Mapping[str, Any]]
LARGEST_DOCUMENT = 8 * 1024 * 1024  # bytes; reports have some 50 kB


def saying(facts: Facts, *keys: str) -> Mapping[str, Any]:
    """Return the facts of the last step that says all of these; {} where none does."""
    found: Mapping[str, Any] = {}
    for place, said in facts.items():
        if place != "run" and not place.startswith("item.") and all(key in said for key in keys):
            found = said
    return found


def stated(facts: Facts, key: str) -> Any:
    """Return what people said in the last completed work item that has this field."""
    found = None
    for place, said in facts.items():
        if place.startswith("item.") and said.get(key) not in (None, "", [], {}):
            found = said[key]
    return found


def number(source: Mapping[str, Any] | None, *path: str) -> float | None:
    """Return the number at a path of keys, or None."""
    value: Any = source
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def rows(source: Mapping[str, Any] | None, key: str) -> list[Mapping[str, Any]]:
    """Return a list of objects; empty where there is none."""
    value = (source or {}).get(key)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def names(source: Mapping[str, Any] | None, key: str) -> list[str]:
    """Return a list of texts; empty where there is none."""
    value = (source or {}).get(key)
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def outputs_of(subject: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Return (step, output, digest) of everything a gate's subject names."""
    for step, made in (subject.get("steps") or {}).items():
        for name, digest in (made.get("outputs") or {}).items():
            yield step, name, digest


def document(digest: str) -> Mapping[str, Any]:
    """Return a JSON artefact's object; {} where it is away, too large or no object."""
    try:
        return _read(digest)
    except (StorageError, OSError, ValueError):
        return {}


@lru_cache(maxsize=64)
def _read(digest: str) -> Mapping[str, Any]:
    """Parse a document once per process: content never changes. Raises StorageError, ValueError."""
    with open_content(digest) as stream:
        body = stream.read(LARGEST_DOCUMENT + 1)
    if len(body) > LARGEST_DOCUMENT:
        raise ValueError("too large for a page")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("is no object")
    return found
