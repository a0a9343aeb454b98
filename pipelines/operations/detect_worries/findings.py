"""One finding about the data."""

from dataclasses import dataclass, field
from typing import Literal

from pipelines.operations.contract import Json, finite

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
        }
