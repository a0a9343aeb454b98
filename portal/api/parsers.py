"""JSON bodies, and of those only what every table can hold."""

import json
import math
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """Refuses what JSON allows and PostgreSQL does not: U+0000, half a pair, endless numbers."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value. Raises ParseError saying what is wrong with the body."""
        encoding = (parser_context or {}).get("encoding") or "utf-8"
        try:
            text = stream.read().decode(encoding)
            found = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        except (ValueError, LookupError, RecursionError) as error:
            raise ParseError(f"JSON parse error - {error}") from error
        # Both come as escapes only: without any there is nothing to look for.
        if "\\u" in text and not _storable(found):
            raise ParseError("JSON parse error - a text holds U+0000 or half a surrogate pair")
        return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number; use null for a missing value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _storable(value: Any) -> bool:
    """Whether every text in the value, names included, can be written as UTF-8 without U+0000."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left.extend(part.keys())
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
        elif isinstance(part, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in part):
            return False
    return True
