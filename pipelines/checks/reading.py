"""Finding the facts a model check speaks of, whatever a blueprint calls the step."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import Facts, Json, Params, mapping, step_facts, text


def facts_with(facts: Facts, params: Params, default: str, key: str) -> Mapping[str, Json] | None:
    """Facts of the named step (params["step"]); else of the default; else the first with `key`.

    None where there are none, or where the found ones lack the key.
    """
    found = step_facts(facts, params, default)
    if found is None and not text(params, "step"):
        named = (name for name in sorted(facts) if not name.startswith("item.") and name != "run")
        found = next((facts[name] for name in named if key in facts[name]), None)
    return found if found is not None and key in found else None


def bounds(source: Mapping[str, Json] | None, key: str) -> tuple[float | None, ...]:
    """(value, low, high) of an interval in facts; None for what is absent."""
    row = mapping(source, key)
    return tuple(
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        for value in (row.get("value"), row.get("low"), row.get("high"))
    )


def listed(names: list[str], most: int = 5) -> str:
    """Names for a sentence: the first few, then how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
