"""What readiness looks at: facts, check verdicts, statements, deployments, alerts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Judged:
    """A check's latest verdict in the run, with the gate or hand-off it stands in.

    `decided`: people approved that gate, so a red verdict was weighed and is on record.
    """

    name: str
    verdict: str
    summary: str
    noun: str
    pk: int
    decided: bool = False


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of a use case's run, and of its model."""

    facts: Facts = field(default_factory=dict)
    checks: Mapping[str, Judged] = field(default_factory=dict)
    run: int = 0
    blueprint: str = ""
    reviewers: tuple[str, ...] = ()
    review: int = 0
    feature_change: float | None = None
    live: str = ""
    releases: int = 0
    rolled_back: str = ""
    labels: int = 0
    model: str = ""

    def said(self, key: str) -> Any:
        """Return what people stated in the last work item that has this field."""
        found = None
        for place, data in self.facts.items():
            if place.startswith("item.") and data.get(key) not in (None, "", [], {}):
                found = data[key]
        return found

    @property
    def elsewhere(self) -> bool:
        """Whether the run's model was trained outside Baton and brought in."""
        return bool(self.fact("not_computed"))

    def fact(self, *keys: str) -> Mapping[str, Any]:
        """Return the facts of the last step that says all of these; {} where none does."""
        found: Mapping[str, Any] = {}
        for place, said in self.facts.items():
            if "." in place and not place.startswith("item.") and all(key in said for key in keys):
                found = said
        return found
