"""The digest that somebody says they have seen, held against what is there."""

from __future__ import annotations

import re
from typing import Any, Final

from personas.errors import Conflict, Invalid

LENGTH: Final = 64
PLACE: Final = re.compile(r"[0-9a-f]")
LONGEST: Final = 80  # characters shown of what was given instead


def problems(seen: str) -> list[str]:
    """Return what is wrong with it as a digest; nothing where it is one."""
    if not seen.strip():
        return ["is required: the digest of what you were shown"]
    rule = f"a digest has {LENGTH} places of 0 to 9 and a to f"
    if len(seen) != LENGTH:
        return [f"{seen[:LONGEST]!r} is no digest: it is {len(seen)} long; {rule}"]
    other = next((sign for sign in seen if not PLACE.fullmatch(sign)), "")
    return [f"{seen!r} is no digest: it holds {other!r}; {rule}"] if other else []


def must_be(seen: str, there: str, /, *, code: str, text: str, **data: Any) -> None:
    """Raise Invalid for what is no digest, Conflict with code and text for one of another thing."""
    wrong = problems(seen)
    if wrong:
        raise Invalid("What was seen has to be named.", fields={"seen": wrong})
    if seen != there:
        raise Conflict(code, f"{text}: {apart(seen, there)}", **data)


def apart(seen: str, there: str) -> str:
    """Return both digests in words."""
    return f"{seen[:12]}\u2026 was shown, {there[:12]}\u2026 is there now; look again."
