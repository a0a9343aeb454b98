"""What looking at a worry found, and finding facts whatever a blueprint calls its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.checks.contract import Comparison, Facts, Json, Verdict

UNSEEN, TOO_FEW, NOT_HERE = "not looked at", "not enough data", "does not apply"
CLEAR, NOTE, WARN, BLOCKER = "clear", "note", "warn", "blocker"
# From the worst on: what a page lists first.
LEVELS: Final = (BLOCKER, WARN, NOTE, TOO_FEW, UNSEEN, CLEAR, NOT_HERE)
VERDICTS: Final[Mapping[str, Verdict]] = {
    BLOCKER: "fail", WARN: "fail", NOTE: "pass", CLEAR: "pass", NOT_HERE: "pass",
    TOO_FEW: "insufficient", UNSEEN: "insufficient",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """A worry's level with what it rests on: columns, rows, the figure and its threshold."""

    level: str
    text: str
    findings: tuple[dict[str, Json], ...] = ()
    advice: str = ""
    value: float | None = None
    threshold: float | None = None
    comparison: Comparison | None = None
    unit: str = ""

    @property
    def verdict(self) -> Verdict:
        """As a check says it."""
        return VERDICTS[self.level]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a finding names, once."""
        named: dict[str, None] = {}
        for row in self.findings:
            listed = row.get("columns")
            for name in listed if isinstance(listed, list) else [row.get("column")]:
                if isinstance(name, str) and name:
                    named[name] = None
        return tuple(named)

    @property
    def rows(self) -> int | None:
        """The most rows that one finding speaks of; None where none speaks of rows."""
        counts = [count for row in self.findings if isinstance(count := row.get("rows"), int)]
        return max(counts) if counts else None


Looking = Callable[[Facts], Look]


def unseen(what: str) -> Look:
    """Nothing has looked yet."""
    return Look(UNSEEN, what)


def last(facts: Facts, *keys: str) -> Mapping[str, Json] | None:
    """Facts of the last step that says all of these."""
    found = None
    for place, said in facts.items():
        step = "." in place and not place.startswith("item.")
        if step and all(key in said for key in keys):
            found = said
    return found


def every(facts: Facts, *keys: str) -> list[tuple[str, Mapping[str, Json]]]:
    """All steps that say all of these, by place."""
    return [
        (place, said)
        for place, said in facts.items()
        if "." in place and not place.startswith("item.") and all(key in said for key in keys)
    ]


def worst(*levels: str) -> str:
    """The worst of some levels."""
    return min(levels, key=LEVELS.index)
