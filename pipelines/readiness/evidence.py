"""What readiness looks at: facts, check verdicts, statements, deployments, alerts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
    at: datetime | None = None


@dataclass(frozen=True)
class Source:
    """One piece of evidence: the page of a thing, when it came about, and its digests by name."""

    noun: str
    pk: int | str
    label: str
    at: datetime | None = None
    run: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Computed:
    """How often an operation was computed for the use case; from the cache counts apart."""

    times: int = 0
    cached: int = 0
    last: datetime | None = None


@dataclass(frozen=True)
class Attested:
    """A statement that stands: who signed as what, when, until when."""

    pk: int
    persona: str
    who: str
    statement: str
    at: datetime
    until: datetime


@dataclass(frozen=True)
class Release:
    """A version that went live: its metrics when it was judged, and the KPI reported after."""

    number: int
    offline: float | None = None
    kpi: float | None = None


@dataclass(frozen=True)
class Living:
    """What answers callers now: until when it learned and answered, and when that was looked at.

    `in_data_time`: both ends are times of the data, not of the clock on the wall.
    """

    version: str = ""
    learned_until: datetime | None = None
    answered_until: datetime | None = None
    in_data_time: bool = False
    rollbacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of a use case's run, and of its model.

    `steps` and `computed` are by operation (`measure_traffic:canary` where one has modes);
    `previous` holds the facts of the release before, by operation; `watched` those of later
    windows. `lead_times`: seconds from each change of features to the next evaluation.
    """

    facts: Facts = field(default_factory=dict)
    checks: Mapping[str, Judged] = field(default_factory=dict)
    run: int = 0
    blueprint: str = ""
    reviewers: tuple[str, ...] = ()
    review: int = 0
    lead_times: tuple[float, ...] = ()
    releases: tuple[Release, ...] = ()
    live: Living = field(default_factory=Living)
    labels: int = 0
    model: str = ""
    steps: Mapping[str, Source] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    previous: Facts = field(default_factory=dict)
    previous_name: str = ""
    watched: Mapping[str, tuple[Mapping[str, Any], Source]] = field(default_factory=dict)
    attested: Mapping[str, tuple[Attested, ...]] = field(default_factory=dict)

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

    def times(self, *operations: str) -> int:
        """Return how often the most often computed of these operations was computed."""
        found = [self.computed[name].times for name in operations if name in self.computed]
        return max(found, default=0)

    def step(self, *operations: str) -> tuple[Source, ...]:
        """Return the present results of those operations that have one."""
        return tuple(self.steps[name] for name in operations if name in self.steps)
