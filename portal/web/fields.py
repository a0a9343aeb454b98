"""Fields of a work item as form controls: what was posted becomes the values of the field's kind.

What cannot be read as its kind stays as it was typed, so that the rule names it and the person
sees it again.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from django.http import QueryDict

from pipelines.blueprints.spec import FieldDef

PREFIX = "f."
MOST_ROWS = 2_000
SHORT_FOR = "available"


def read(fields: Iterable[FieldDef], posted: QueryDict) -> dict[str, Any]:
    """Return the values of all fields; an empty one is left out."""
    found: dict[str, Any] = {}
    for field in fields:
        value = _value(field, posted)
        if value not in (None, "", [], {}):
            found[field.key] = value
    return found


def _value(field: FieldDef, posted: QueryDict) -> Any:
    name = PREFIX + field.key
    if field.kind == "bool":
        return posted.get(name) == "yes"
    if field.kind == "columns":
        return list(dict.fromkeys(posted.getlist(name)))
    if field.kind == "map":
        return _map(name, posted)
    text = posted.get(name, "").replace("\r\n", "\n").strip()
    if field.kind in ("number", "money"):
        return number_of(text)
    if field.kind == "list":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.kind == "choice":
        return next((choice for choice in field.choices if str(choice) == text), text)
    return text


def number_of(text: str) -> Any:
    """Return the number a text says (spaces between thousands allowed), else the text."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace("\u2212", "-")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        number = float(plain)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _map(name: str, posted: QueryDict) -> dict[str, Any]:
    """Rows of three controls: the entry's name, its value, and more as `name = value; ...`."""
    keys, values = posted.getlist(f"{name}.key"), posted.getlist(f"{name}.value")
    mores = posted.getlist(f"{name}.more")
    found: dict[str, Any] = {}
    for index, key in enumerate(keys[:MOST_ROWS]):
        value = entry_of(values[index] if index < len(values) else "")
        more = entry_of(mores[index] if index < len(mores) else "")
        if isinstance(more, dict):
            # A plain value beside more is short for when the column is known (seal_contract).
            value = {SHORT_FOR: value, **more} if value not in ("", None) else more
        if key.strip() and value not in ("", None):
            found[key.strip()] = value
    return found


def entry_of(text: str) -> Any:
    """Return what an entry's text says: a number, several named values, or the text."""
    text = text.strip()
    if "=" not in text:
        return number_of(text)
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    return {key.strip(): _word(value.strip()) for key, _, value in pairs if key.strip()}


def _word(text: str) -> Any:
    if text in ("yes", "true"):
        return True
    if text in ("no", "false"):
        return False
    return json_of(text)


def json_of(text: str) -> Any:
    """Return the JSON value a text says, else the text: so for numbers without an end, too."""
    try:
        return json.loads(text, parse_constant=_endless, parse_float=_finite)
    except (ValueError, RecursionError):
        return text


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _endless(text)


def _endless(text: str) -> NoReturn:
    raise ValueError(f"{text} has no end")


def text_of(value: Any) -> str:
    """Return an entry's value as the text that `entry_of` reads."""
    if isinstance(value, dict):
        return "; ".join(f"{key} = {_plain(entry)}" for key, entry in value.items())
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return json.dumps(value)
