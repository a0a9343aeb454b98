"""Checks as people look at them: verdict, value against threshold, the round before, details."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.runs.models import Check

MOST_DETAILS = 50
SHORT = ("kpi", "pii", "slo")
CLASSES: Mapping[str, str] = {
    "law": "a rule",
    "tool": "a tool's limit",
    "conv": "a convention",
    "meas": "measured",
    "own": "our choice",
}


@dataclass(frozen=True)
class Details:
    """The rows a check rests on, as a table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class CheckView:
    """One computed check. `was` is its value in the round before, `was_verdict` its verdict."""

    pk: int
    name: str
    title: str
    verdict: str
    blocking: bool
    blocks: bool
    summary: str
    value: float | None
    low: float | None
    high: float | None
    threshold: float | None
    comparison: str
    unit: str
    source: str
    advice: str
    details: Details
    was: float | None
    was_verdict: str
    waived_by: str
    waived_until: datetime | None
    waiver_reason: str

    @property
    def measured(self) -> bool:
        """Whether there is a value to hold against a threshold."""
        return self.value is not None and self.threshold is not None


def title_of(name: str) -> str:
    """Return what people read for a check's name."""
    words = [word.upper() if word in SHORT else word for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def view_of(check: Check, *, now: datetime, before: Check | None = None) -> CheckView:
    """Return a check as it is shown; `check.waived_by` should have been fetched."""
    result = check.result
    until = check.waived_until
    lapsed = until is not None and until <= now
    red = check.blocking and check.verdict != "pass"
    return CheckView(
        pk=check.pk,
        name=check.name,
        title=title_of(check.name),
        verdict=check.verdict,
        blocking=check.blocking,
        blocks=red and (check.waived_by_id is None or lapsed),
        summary=str(result.get("summary", "")),
        value=_number(result.get("value")),
        low=_number(result.get("low")),
        high=_number(result.get("high")),
        threshold=_number(result.get("threshold")),
        comparison=str(result.get("comparison") or ""),
        unit=str(result.get("unit") or ""),
        source=CLASSES.get(str(result.get("threshold_class")), ""),
        advice=str(result.get("advice") or ""),
        details=table_of(result.get("details") or ()),
        was=_number(before.result.get("value")) if before else None,
        was_verdict=before.verdict if before else "",
        waived_by=str(check.waived_by or ""),
        waived_until=until,
        waiver_reason=check.waiver_reason,
    )


def views_of(
    checks: Iterable[Check], *, now: datetime, before: Iterable[Check] = ()
) -> tuple[CheckView, ...]:
    """Return checks as they are shown: what blocks first, then in the blueprint's order."""
    earlier = {check.name: check for check in before}
    shown = [view_of(check, now=now, before=earlier.get(check.name)) for check in checks]
    return tuple(sorted(shown, key=lambda view: (not view.blocks, view.verdict == "pass")))


def table_of(rows: Sequence[Any]) -> Details:
    """Return rows of a result as a table; a column is what any row names.

    The database keeps no order of names: what is written in words comes before numbers.
    """
    found = [row for row in rows if isinstance(row, Mapping)][:MOST_DETAILS]
    named = dict.fromkeys(str(name) for row in found for name in row)
    columns = tuple(sorted(named, key=lambda name: not _in_words(found, name)))
    cells = tuple(tuple(_cell(row.get(name)) for name in columns) for row in found)
    return Details(columns, cells)


def _in_words(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether any row has a text there that is no bound such as "<0.001"."""
    values = (row.get(name) for row in rows)
    return any(isinstance(value, str) and value[:1] not in "<>" for value in values)


def _cell(value: Any) -> Any:
    """Return what a cell shows: texts, numbers, or a short form of what is nested."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(_cell(entry)) for entry in value[:8]) + ("…" if len(value) > 8 else "")
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_cell(entry)}" for name, entry in list(value.items())[:6])
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
