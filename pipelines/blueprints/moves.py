"""What a plan may say: the next moves of a run, as values that the engine applies."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class CreateStage:
    """A round of a stage comes into being, PENDING."""

    stage: str
    round: int


@dataclass(frozen=True)
class ReadyStage:
    """PENDING -> READY: its hand-offs are on offer."""

    stage: str


@dataclass(frozen=True)
class ActivateStage:
    """PENDING or READY -> ACTIVE: work begins."""

    stage: str


@dataclass(frozen=True)
class SkipStage:
    """PENDING -> SKIPPED: its condition is false."""

    stage: str


@dataclass(frozen=True)
class QueueStep:
    """A step's inputs are there: queue its first attempt, or serve it from the cache."""

    stage: str
    step: str


@dataclass(frozen=True)
class OpenItem:
    """A work item's turn has come."""

    stage: str
    item: str


@dataclass(frozen=True)
class SubmitStage:
    """ACTIVE -> IN_REVIEW: all is done and a gate waits."""

    stage: str


@dataclass(frozen=True)
class OpenGate:
    """A stage in review has no gate: its gate was superseded to open anew under other rules."""

    stage: str


@dataclass(frozen=True)
class FinishStage:
    """ACTIVE or IN_REVIEW -> DONE."""

    stage: str


@dataclass(frozen=True)
class FailStage:
    """ACTIVE -> FAILED: a step failed for good."""

    stage: str
    step: str


@dataclass(frozen=True)
class PrepareHandOff:
    """The sender's stage is done: a hand-off comes into being, PREPARING."""

    source: str
    target: str


@dataclass(frozen=True)
class QueueContractStep:
    """A step of the hand-off's contract can run, as the sender's."""

    source: str
    target: str
    step: str


@dataclass(frozen=True)
class JudgeContract:
    """All contract steps succeeded: compute the contract's checks."""

    source: str
    target: str


@dataclass(frozen=True)
class OfferHandOff:
    """PREPARING -> OFFERED: the contract is green and the checklist asks nobody."""

    source: str
    target: str


@dataclass(frozen=True)
class AutoAcceptHandOff:
    """OFFERED -> AUTO_ACCEPTED: the blueprint says so."""

    source: str
    target: str


@dataclass(frozen=True)
class WithdrawHandOff:
    """An open hand-off to a stage that is left out: nobody will take it."""

    source: str
    target: str


@dataclass(frozen=True)
class FailRun:
    """A stage failed and the blueprint says `on_fail = "fail_run"`."""

    stage: str


@dataclass(frozen=True)
class FinishRun:
    """Every stage is DONE or SKIPPED and nothing is open."""


Move: TypeAlias = (
    CreateStage
    | ReadyStage
    | ActivateStage
    | SkipStage
    | QueueStep
    | OpenItem
    | SubmitStage
    | OpenGate
    | FinishStage
    | FailStage
    | PrepareHandOff
    | QueueContractStep
    | JudgeContract
    | OfferHandOff
    | AutoAcceptHandOff
    | WithdrawHandOff
    | FailRun
    | FinishRun
)
