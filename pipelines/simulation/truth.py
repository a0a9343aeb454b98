"""Ground truth: what was drawn and done, written down as it happens, beside the database. Pure.

Nothing here is read from the rows it is held against: times are the agenda's, verdicts the draws'.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


@dataclass
class TaskTruth:
    """Something one person was to do: waited since, begun, done, and the working time in it."""

    noun: str  # stage, item, help, decision, hand_off, offer, attention, finding
    stage: str
    round: int
    key: str
    persona: str
    since: datetime
    by: str = ""
    on_behalf_of: str = ""
    begun: datetime | None = None
    done: datetime | None = None
    touch: timedelta = timedelta(0)
    outcome: str = ""  # empty while it waits; "void" where it was moot before they came to it
    code: str = ""
    target: str = ""
    row: int = 0


@dataclass
class ReturnTruth:
    """A stage that got a further round, and why."""

    at: datetime
    kind: str  # gate, hand_off, withdrawal, rerun
    source: str
    target: str
    code: str


@dataclass
class AttemptTruth:
    """One try of a step by a worker."""

    row: int
    stage: str
    round: int
    step: str
    number: int
    begun: datetime
    done: datetime | None = None
    outcome: str = ""


@dataclass
class RunTruth:
    """One run of a use case, as it was drawn."""

    use_case: str
    number: int
    row: int
    begun: datetime
    done: datetime | None = None
    state: str = "RUNNING"
    rounds: dict[str, int] = field(default_factory=dict)
    returns: list[ReturnTruth] = field(default_factory=list)
    tasks: list[TaskTruth] = field(default_factory=list)
    attempts: list[AttemptTruth] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)


@dataclass
class AbsenceTruth:
    """Days on which a person did not work."""

    login: str
    since: datetime
    until: datetime
    deputy: str


@dataclass
class Truth:
    """All of one simulation. `complete` says that it ran to its end."""

    seed: int
    days: int
    use_cases: int
    begins: datetime
    reached: datetime
    complete: bool = False
    events: int = 0
    seconds: float = 0.0
    absences: list[AbsenceTruth] = field(default_factory=list)
    runs: list[RunTruth] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), default=_plain, indent=1), encoding="utf-8")
        draft.replace(path)


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{value!r} has no place in ground truth")


def read(path: Path) -> dict[str, Any]:
    """Return a saved ground truth as JSON: times as ISO 8601, lengths in seconds.

    Raises OSError, ValueError.
    """
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
