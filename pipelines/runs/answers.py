"""What a confined child may answer: the shape of each message, and what facts are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipelines.operations.contract import NotYet, OperationError, Outcome, Spec
from pipelines.runs.child import check_size
from pipelines.runs.lanes import BadAnswer

DEEPEST: Final = 30  # levels of facts
LONGEST_WAIT: Final = 365 * 86_400  # seconds; own: what a spec may declare, too
_MOST: Final = 2**53  # whole numbers that every reader of JSON has the same


def shaped(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message, cut to what is kept; raises BadAnswer where a part of it is none.

    Facts and outputs of `done` are judged when it is let in.
    """
    kind = message["kind"]
    for name, (holds, what) in _PARTS.get(kind, {}).items():
        if not holds(message.get(name)):
            raise BadAnswer(f"{kind} whose {name} is no {what}")
    if kind == "progress":
        message["fraction"] = min(max(float(message["fraction"]), 0.0), 1.0)
        message["message"], message["rows"] = message["message"][:200], message.get("rows")
    elif kind == "log":
        message["text"] = message["text"][:2000]
    elif kind in ("error", "not_yet"):
        try:
            check_value(message, kind, 0)
        except OperationError as problem:
            raise BadAnswer(str(problem)) from problem
    return message


def check_facts(spec: Spec, result: Outcome) -> None:
    """Raise OperationError for facts that are no finite, storable JSON of at most 4 MiB."""
    check_value(result.facts, "facts", 0)
    check_size(spec, result)


def check_wait(spec: Spec, wait: NotYet) -> None:
    """Raise OperationError for a wait that was not declared, or that never or at once ends."""
    if not spec.waits:
        raise OperationError("not_an_outcome", "It returned NotYet, but SPEC.waits is False.")
    if not 0 < wait.seconds <= LONGEST_WAIT:
        rule = f"more than 0 and at most {LONGEST_WAIT}"
        raise OperationError(
            "not_an_outcome", f"It asked to wait for {wait.seconds} s: {rule}.", rule=rule
        )


def _number(found: object) -> bool:
    return type(found) in (int, float) and math.isfinite(found) and abs(found) < _MOST  # type: ignore[arg-type]


def _count(found: object) -> bool:
    return found is None or (type(found) is int and 0 <= found < _MOST)


def _text(found: object) -> bool:
    return type(found) is str


def _usage(found: object) -> bool:
    return found is None or (
        isinstance(found, Mapping) and len(found) < 100 and all(map(_number, found.values()))
    )


def _error(found: object) -> bool:
    return isinstance(found, Mapping) and _text(found.get("code")) and _text(found.get("message"))


def _status(found: object) -> bool:
    return type(found) is int and -64 <= found <= 255


_PARTS: Final[Mapping[str, Mapping[str, tuple[Callable[[object], bool], str]]]] = {
    "log": {"text": (_text, "text")},
    "progress": {
        "fraction": (_number, "number"),
        "message": (_text, "text"),
        "rows": (_count, "count"),
    },
    "gone": {"exit": (_status, "status of a process")},
    "not_yet": {"seconds": (_number, "number"), "reason": (_text, "text")},
    "error": {"error": (_error, "code and message"), "usage": (_usage, "numbers")},
    "done": {"usage": (_usage, "numbers"), "rows": (_count, "count")},
}


def check_value(value: object, path: str, depth: int) -> None:
    """Raise OperationError for what is no finite, storable JSON of a modest depth."""
    if depth > DEEPEST:
        raise OperationError("facts_too_deep", f"{path[:80]}… is deeper than {DEEPEST} levels.")
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str or not _storable(key):
                raise OperationError("facts_not_json", f"{path} has the key {key!r:.80}, no text.")
            check_value(item, f"{path}.{key[:60]}", depth + 1)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            check_value(item, f"{path}[{at}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        rule = "finite numbers only; None for what is unknown"
        raise OperationError("facts_not_finite", f"{path} is {value!r}: {rule}.", rule=rule)
    elif value is not None and type(value) not in (bool, int, float, str):
        kind = type(value).__name__
        raise OperationError("facts_not_json", f"{path} is a {kind}, which JSON does not know.")
    elif type(value) is str and not _storable(value):
        raise OperationError(
            "facts_not_json", f"{path} has a character that is no text: {value!r:.80}"
        )


def _storable(text: str) -> bool:
    """Whether the database can hold it: no NUL, no half of a pair."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
