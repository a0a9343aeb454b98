"""What the figures of flow are computed from. Times are aware datetimes; lengths calendar time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

DAY: Final = timedelta(days=1)
RERUN: Final = "rerun"  # the code of a round that a stage's own people asked for: no return


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is looked at, up to now.

    `asked` is where it was to begin; `since` is later where there were more than `most` records.
    """

    since: datetime
    until: datetime
    asked: datetime

    @property
    def days(self) -> float:
        """How long it is, in days."""
        return max((self.until - self.since) / DAY, 0.0)

    @property
    def cut(self) -> bool:
        """Whether it is shorter than what was asked for."""
        return self.since > self.asked

    def has(self, moment: datetime | None) -> bool:
        """Whether the moment lies in it; the first moment does not, the last does."""
        return moment is not None and self.since < moment <= self.until


@dataclass(frozen=True, slots=True)
class StageVisit:
    """One round of one stage of a run, from the offer that led to it to its end.

    `offered` and `accepted`: of the last hand-off into it (None where there was none); `taken`:
    when a person took it; `submitted`: when its gate opened; `handed`: when its result was first
    offered on; `returned`: when its next round began because somebody sent it back, `code` why;
    `sent_to`: the stage to which its own gate sent the run back.
    `active`: how long a step ran or somebody held a work item; None where that was not looked up.
    """

    id: int
    run: int
    use_case: str
    blueprint: str
    tier: int | None
    stage: str
    position: int
    round: int
    persona: str
    state: str
    started: datetime
    offered: datetime | None = None
    accepted: datetime | None = None
    taken: datetime | None = None
    submitted: datetime | None = None
    finished: datetime | None = None
    handed: datetime | None = None
    returned: datetime | None = None
    code: str = ""
    sent_to: str = ""
    active: timedelta | None = None

    @property
    def done(self) -> bool:
        """Whether its work came to its end, whatever became of it later."""
        return self.finished is not None and self.state in ("DONE", "SENT_BACK", "SUPERSEDED")

    @property
    def came_back(self) -> bool:
        """Whether somebody sent it back; its own people's rerun is no return."""
        return self.returned is not None and self.code not in ("", RERUN)

    @property
    def cycle(self) -> timedelta | None:
        """Cycle time: finished - started."""
        return self.finished - self.started if self.finished is not None else None

    @property
    def review(self) -> timedelta:
        """How long its gate took: submitted to finished."""
        if self.submitted is None or self.finished is None:
            return timedelta(0)
        return max(self.finished - self.submitted, timedelta(0))


@dataclass(frozen=True, slots=True)
class HandOffRecord:
    """One hand-off: offered by `giver` to `receiver` (personas), and what became of it.

    `code` says why it was returned.
    """

    id: int
    run: int
    use_case: str
    source: str
    target: str
    giver: str
    receiver: str
    state: str
    offered: datetime
    answered: datetime | None = None
    code: str = ""

    @property
    def accepted(self) -> bool:
        """Whether a person took it."""
        return self.state == "ACCEPTED"

    @property
    def returned(self) -> bool:
        """Whether the receiver gave it back."""
        return self.state == "RETURNED"

    @property
    def open(self) -> bool:
        """Whether it waits for the receiver."""
        return self.state in ("OFFERED", "ESCALATED")


@dataclass(frozen=True, slots=True)
class GateRecord:
    """One review of a stage's round. `code` of the decision that asked for changes or rejected.

    `deciders` is how many people decided, `overridden` whether it was closed against its rules.
    """

    id: int
    run: int
    use_case: str
    stage: str
    position: int
    persona: str
    state: str
    opened: datetime
    closed: datetime | None = None
    code: str = ""
    deciders: int = 0
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """A stage that got a further round. `kind`: gate, hand_off, withdrawal, rerun or other.

    `source` is the stage that sent it back, `target` the one that got it; `rework` how long that
    round took until it was submitted or finished, None while it lasts.
    """

    id: int
    run: int
    use_case: str
    at: datetime
    kind: str
    source: str
    target: str
    giver: str
    receiver: str
    code: str
    reason: str = ""
    rework: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: begun, committed (its first stage was done), live (served, or it succeeded)."""

    id: int
    use_case_id: int
    use_case: str
    title: str
    label: str
    blueprint: str
    tier: int | None
    state: str
    started: datetime
    committed: datetime | None = None
    live: datetime | None = None
    finished: datetime | None = None
    value_per_day: float | None = None
    currency: str = ""


@dataclass(frozen=True)
class History:
    """All that was read of a window."""

    window: Window
    visits: tuple[StageVisit, ...] = ()
    hand_offs: tuple[HandOffRecord, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    returns: tuple[ReturnRecord, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    lanes: Mapping[str, str] = field(default_factory=dict)  # persona code -> name, in lane order
