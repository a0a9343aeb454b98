"""One finding about the data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from pipelines.operations.contract import Json, finite
from pipelines.operations.tables import plain

Severity = Literal["blocker", "warn", "note"]
TITLES = {
    "W1": "Imbalanced data",
    "W2": "Outliers",
    "W3": "Missing values",
    "W4": "High cardinality",
    "W5": "Highly correlated columns",
    "W6": "Target leakage",
    "W7": "Inconsistent definition",
    "W8": "Does not fit the memory",
}


@dataclass(frozen=True)
class Finding:
    """A worry that came true: columns, the measured value, its threshold, what to do."""

    worry: str
    severity: Severity
    columns: tuple[str, ...]
    value: float
    threshold: float
    message: str
    advice: str
    threshold_class: str = "own"
    details: dict[str, Json] = field(default_factory=dict)
    rows: int | None = None
    examples: tuple[dict[str, Json], ...] = ()

    def as_json(self) -> dict[str, Json]:
        """The finding as plain data."""
        return {
            "worry": self.worry,
            "title": TITLES[self.worry],
            "severity": self.severity,
            "columns": list(self.columns),
            "value": finite(self.value, 6),
            "threshold": finite(self.threshold, 6),
            "threshold_class": self.threshold_class,
            "message": self.message,
            "advice": self.advice,
            "details": dict(self.details),
            "rows": self.rows,
            "examples": list[Json](self.examples),
        }


@dataclass(frozen=True)
class Unjudged:
    """A worry that was not judged: too few rows for an answer, or nothing it could speak of."""

    worry: str
    level: Literal["not enough data", "does not apply"]
    reason: str


Found = Finding | Unjudged
ORDER: dict[str, int] = {"blocker": 0, "warn": 1, "note": 2}
KEPT = 40  # findings of one worry in facts; the document has all (own)


def levels(found: Sequence[Found]) -> dict[str, Json]:
    """The worst level of each worry; one that nothing was found of is clear."""
    named = {item.worry: item.level for item in found if isinstance(item, Unjudged)}
    for item in found:
        if isinstance(item, Finding) and ORDER[item.severity] < ORDER.get(
            named.get(item.worry, ""), len(ORDER)
        ):
            named[item.worry] = item.severity  # type: ignore[assignment]
    return {worry: named.get(worry, "clear") for worry in TITLES}


def reasons(found: Sequence[Found]) -> dict[str, Json]:
    """Why a worry was not judged."""
    return {item.worry: item.reason for item in found if isinstance(item, Unjudged)}


def examples(
    frame: pd.DataFrame, places: Iterable[int], *, key: str, value: str = ""
) -> tuple[dict[str, Json], ...]:
    """Rows by number (from 1, in the table as it was read), key and value; index: place from 0."""
    told: list[dict[str, Json]] = []
    for place in places:
        row: dict[str, Json] = {"row": int(frame.index[place]) + 1}
        if key in frame.columns:
            row["key"] = plain(frame[key].iloc[place])
        if value:
            row["value"] = plain(frame[value].iloc[place])
        told.append(row)
    return tuple(told)
