"""What changed between two rounds: what people stated, and which steps gave another result."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.blueprints.spec import Blueprint
from pipelines.runs.queries.facts import Facts

LONGEST = 120  # characters of a value that is shown
MISSING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Change:
    """One thing that is different: `gone` and `come` for lists, else `before` and `after`."""

    where: str
    what: str
    before: str = ""
    after: str = ""
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()


def changes(blueprint: Blueprint, before: Facts, after: Facts) -> tuple[Change, ...]:
    """Return what people stated differently, in the blueprint's order."""
    return tuple(_items(blueprint, before, after))


def _items(blueprint: Blueprint, before: Facts, after: Facts) -> Iterator[Change]:
    for stage in blueprint.stages:
        for item in stage.items:
            place = f"item.{stage.key}.{item.key}"
            one, two = before.get(place, MISSING), after.get(place, MISSING)
            if not one and two:
                yield Change(stage.title, item.title, after="filled in for the first time")
            for field in item.fields if one and two else ():
                if one.get(field.key) != two.get(field.key):
                    yield _change(stage.title, field.label, one.get(field.key), two.get(field.key))


def _change(where: str, what: str, before: Any, after: Any) -> Change:
    if isinstance(before, list) and isinstance(after, list):
        gone = tuple(str(entry) for entry in before if entry not in after)
        come = tuple(str(entry) for entry in after if entry not in before)
        return Change(where, what, gone=gone, come=come)
    return Change(where, what, _short(before), _short(after))


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def same_steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the steps of two subjects that gave the same result, and those that did not."""
    one, two = before.get("steps") or {}, after.get("steps") or {}
    same = [key for key in two if one.get(key) == two[key]]
    return same, [key for key in two if key in one and one[key] != two[key]]
