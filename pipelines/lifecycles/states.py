"""The states of every life cycle."""

from enum import StrEnum


class RunState(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class StageState(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    ACTIVE = "ACTIVE"
    IN_REVIEW = "IN_REVIEW"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    SENT_BACK = "SENT_BACK"
    SUPERSEDED = "SUPERSEDED"
    CANCELLED = "CANCELLED"


class StepState(StrEnum):
    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRY_WAIT = "RETRY_WAIT"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class AttemptState(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DEFERRED = "DEFERRED"
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"


class WorkItemState(StrEnum):
    OPEN = "OPEN"
    ASSIGNED = "ASSIGNED"
    IN_PROGRESS = "IN_PROGRESS"
    ON_HOLD = "ON_HOLD"
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class GateState(StrEnum):
    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    EXPIRED = "EXPIRED"
    CLOSED_UNDECIDED = "CLOSED_UNDECIDED"
    SUPERSEDED = "SUPERSEDED"


class DecisionState(StrEnum):
    IN_FORCE = "IN_FORCE"
    VOIDED = "VOIDED"


class FindingState(StrEnum):
    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    LAPSED = "LAPSED"


class HandOffState(StrEnum):
    PREPARING = "PREPARING"
    OFFERED = "OFFERED"
    ESCALATED = "ESCALATED"
    ACCEPTED = "ACCEPTED"
    AUTO_ACCEPTED = "AUTO_ACCEPTED"
    RETURNED = "RETURNED"
    WITHDRAWN = "WITHDRAWN"


class ModelVersionState(StrEnum):
    REGISTERED = "REGISTERED"
    APPROVED = "APPROVED"
    LAPSED = "LAPSED"
    RETIRED = "RETIRED"


class AlertState(StrEnum):
    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


class Verdict(StrEnum):
    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    ABSTAIN = "abstain"
    WITHDRAW = "withdraw"


class AttestationState(StrEnum):
    STANDING = "STANDING"
    WITHDRAWN = "WITHDRAWN"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"
