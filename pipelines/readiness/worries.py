"""The 26 worries of a use case: what was found, and what it means to whom. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.checks.contract import Facts, Json
from pipelines.checks.worries import advice, look
from pipelines.checks.worries.catalogue import WORRIES, WorryDef
from pipelines.checks.worries.looking import Look
from pipelines.checks.worries.meaning import meaning
from pipelines.readiness.evidence import Evidence


@dataclass(frozen=True)
class WorryResult:
    """One worry: its level, what was found in which columns and rows, and what to do."""

    worry: WorryDef
    found: Look

    @property
    def level(self) -> str:
        """From blocker to does not apply."""
        return self.found.level

    @property
    def text(self) -> str:
        """What was found, in a sentence."""
        return self.found.text

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns concerned."""
        return self.found.columns

    @property
    def rows(self) -> int | None:
        """How many rows, where rows are meant."""
        return self.found.rows

    @property
    def examples(self) -> tuple[dict[str, Any], ...]:
        """A few of those rows: number, key, value."""
        given = [row.get("examples") for row in self.found.findings]
        rows = [one for listed in given if isinstance(listed, list) for one in listed]
        return tuple(one for one in rows if isinstance(one, dict))[:5]

    @property
    def do(self) -> str:
        """What to do; empty where nothing is wrong."""
        return advice(self.worry.id, self.found)

    @property
    def meaning(self) -> Mapping[str, str]:
        """What it means, by persona code."""
        return meaning(self.worry.id)


def worries(evidence: Evidence, approved: str | None = None) -> tuple[WorryResult, ...]:
    """Return all 26, in order; `approved`: which business analyst approved, "" for none yet."""
    facts: Facts = evidence.facts
    if approved is not None:
        told: dict[str, Json] = {"understood_approved": bool(approved), "by": approved}
        facts = {**facts, "gate.understood": told}
    return tuple(WorryResult(worry, look(worry.id, facts)) for worry in WORRIES)
