"""What simulated people write into forms: legal, short, and new in every round. Pure."""

from collections.abc import Sequence
from typing import Any

from pipelines.blueprints.spec import FieldDef
from pipelines.operations.contract import Json

WORDS = {"decision": "go", "outcome": "solved"}


def filled(fields: Sequence[FieldDef], note: str) -> dict[str, Json]:
    """Return data that suit every field that asks for some."""
    return {field.key: _value(field, note) for field in fields if field.required}


def _value(field: FieldDef, note: str) -> Json:
    if field.kind == "bool":
        return True
    if field.kind == "choice":
        wanted: Any = WORDS.get(field.key)
        return wanted if wanted in field.choices else field.choices[0]
    if field.kind in ("number", "money"):
        return _number(field)
    if field.kind == "date":
        return "2026-12-31"
    if field.kind == "map":
        legal = field.values or (1,)
        return {str(key): legal[0] for key in field.choices}
    if field.kind in ("list", "columns"):
        return [f"{field.key} {place + 1}" for place in range(max(1, int(field.minimum or 1)))]
    return f"{field.label}: {note}"


def _number(field: FieldDef) -> float:
    low = field.minimum if field.minimum is not None else 0.0
    high = field.maximum if field.maximum is not None else max(low, 10.0)
    return round(low + (high - low) * 0.8, 2)
