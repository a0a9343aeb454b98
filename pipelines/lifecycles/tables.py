"""The moves of every life cycle, as data: (state, event) -> state."""

from typing import Final

from pipelines.lifecycles.machine import machine
from pipelines.lifecycles.states import (
    AlertState,
    AttemptState,
    AttestationState,
    DecisionState,
    FindingState,
    GateState,
    HandOffState,
    ModelVersionState,
    RunState,
    StageState,
    StepState,
    WorkItemState,
)

# The state before a row exists: (NEW, event) names the state a row is born in.
NEW: Final = ""

R = RunState
RUN: Final = machine(
    "run",
    RunState,
    terminal={R.SUCCEEDED, R.FAILED, R.REJECTED, R.CANCELLED},
    moves={
        (NEW, "create"): R.PENDING,
        (R.PENDING, "start"): R.RUNNING,
        (R.PENDING, "cancel"): R.CANCELLING,
        (R.RUNNING, "stage_failed"): R.RUNNING,
        (R.RUNNING, "succeed"): R.SUCCEEDED,
        (R.RUNNING, "fail"): R.FAILED,
        (R.RUNNING, "give_up"): R.FAILED,
        (R.RUNNING, "reject"): R.REJECTED,
        (R.RUNNING, "pause"): R.PAUSED,
        (R.RUNNING, "cancel"): R.CANCELLING,
        (R.PAUSED, "resume"): R.RUNNING,
        (R.PAUSED, "migrate"): R.PAUSED,
        (R.PAUSED, "cancel"): R.CANCELLING,
        (R.CANCELLING, "settle"): R.CANCELLED,
        (R.FAILED, "retry_failed"): R.RUNNING,
    },
)

S = StageState
STAGE: Final = machine(
    "stage",
    StageState,
    # FAILED still waits for its owner, so it is open; the run goes on beside it.
    terminal={S.DONE, S.SKIPPED, S.SENT_BACK, S.SUPERSEDED, S.CANCELLED},
    moves={
        (NEW, "create"): S.PENDING,
        (NEW, "reopen"): S.ACTIVE,  # round n+1 of a send-back's or rerun's target
        (S.PENDING, "ready"): S.READY,
        (S.PENDING, "activate"): S.ACTIVE,
        (S.PENDING, "skip"): S.SKIPPED,
        (S.PENDING, "cancel"): S.CANCELLED,
        (S.READY, "activate"): S.ACTIVE,
        (S.READY, "hand_off_lost"): S.PENDING,
        (S.READY, "supersede"): S.SUPERSEDED,
        (S.READY, "cancel"): S.CANCELLED,
        (S.ACTIVE, "assign"): S.ACTIVE,
        (S.ACTIVE, "submit"): S.IN_REVIEW,
        (S.ACTIVE, "finish"): S.DONE,
        (S.ACTIVE, "fail"): S.FAILED,
        (S.ACTIVE, "supersede"): S.SUPERSEDED,
        (S.ACTIVE, "cancel"): S.CANCELLED,
        (S.IN_REVIEW, "approve"): S.DONE,
        (S.IN_REVIEW, "send_back"): S.SENT_BACK,
        (S.IN_REVIEW, "reject"): S.FAILED,
        (S.IN_REVIEW, "hold"): S.IN_REVIEW,
        (S.IN_REVIEW, "reopen_gate"): S.IN_REVIEW,
        (S.IN_REVIEW, "supersede"): S.SUPERSEDED,
        (S.IN_REVIEW, "cancel"): S.CANCELLED,
        (S.DONE, "supersede"): S.SUPERSEDED,
        (S.SKIPPED, "supersede"): S.SUPERSEDED,
        (S.FAILED, "retry"): S.ACTIVE,
        (S.FAILED, "send_back"): S.SENT_BACK,
        (S.FAILED, "supersede"): S.SUPERSEDED,
        (S.FAILED, "cancel"): S.CANCELLED,
    },
)

P = StepState
STEP: Final = machine(
    "step",
    StepState,
    terminal={P.SUCCEEDED, P.FAILED, P.CANCELLED, P.SKIPPED},
    moves={
        (NEW, "create"): P.PENDING,
        (P.PENDING, "queue"): P.QUEUED,
        (P.PENDING, "cache_hit"): P.SUCCEEDED,
        (P.PENDING, "skip"): P.SKIPPED,
        (P.PENDING, "cancel"): P.CANCELLED,
        (P.QUEUED, "claim"): P.RUNNING,
        (P.QUEUED, "cancel"): P.CANCELLED,
        (P.RUNNING, "complete"): P.SUCCEEDED,
        (P.RUNNING, "fail"): P.FAILED,
        (P.RUNNING, "wait"): P.RETRY_WAIT,  # a retry with backoff, or not_yet
        (P.RUNNING, "requeue"): P.QUEUED,  # released or lost: a new attempt at once
        (P.RUNNING, "cancel"): P.CANCELLED,
        (P.RETRY_WAIT, "queue"): P.QUEUED,
        (P.RETRY_WAIT, "fail"): P.FAILED,  # max_wait is over
        (P.RETRY_WAIT, "cancel"): P.CANCELLED,
        (P.FAILED, "retry"): P.QUEUED,
        (P.FAILED, "skip"): P.SKIPPED,
        (P.FAILED, "cancel"): P.CANCELLED,
    },
)

A = AttemptState
ATTEMPT: Final = machine(
    "attempt",
    AttemptState,
    terminal=set(A) - {A.QUEUED, A.RUNNING},
    moves={
        (NEW, "queue"): A.QUEUED,
        (NEW, "cache_hit"): A.SUCCEEDED,
        (A.QUEUED, "claim"): A.RUNNING,
        (A.QUEUED, "cancel"): A.CANCELLED,
        (A.RUNNING, "heartbeat"): A.RUNNING,
        (A.RUNNING, "progress"): A.RUNNING,
        (A.RUNNING, "request_cancel"): A.RUNNING,
        (A.RUNNING, "complete"): A.SUCCEEDED,
        (A.RUNNING, "fail"): A.FAILED,
        (A.RUNNING, "not_yet"): A.DEFERRED,
        (A.RUNNING, "time_out"): A.TIMED_OUT,
        (A.RUNNING, "lose"): A.LOST,
        (A.RUNNING, "release"): A.RELEASED,
        (A.RUNNING, "cancel"): A.CANCELLED,
    },
)

W = WorkItemState
WORK_ITEM: Final = machine(
    "work_item",
    WorkItemState,
    terminal={W.COMPLETED, W.SKIPPED, W.CANCELLED},
    moves={
        (NEW, "open"): W.OPEN,
        (W.OPEN, "claim"): W.ASSIGNED,
        (W.OPEN, "assign"): W.ASSIGNED,
        (W.OPEN, "skip"): W.SKIPPED,
        (W.OPEN, "escalate"): W.OPEN,
        (W.OPEN, "cancel"): W.CANCELLED,
        (W.ASSIGNED, "unclaim"): W.OPEN,
        (W.ASSIGNED, "assign"): W.ASSIGNED,
        (W.ASSIGNED, "delegate"): W.ASSIGNED,
        (W.ASSIGNED, "resolve"): W.ASSIGNED,
        (W.ASSIGNED, "start"): W.IN_PROGRESS,
        (W.ASSIGNED, "save_draft"): W.ASSIGNED,
        (W.ASSIGNED, "complete"): W.COMPLETED,
        (W.ASSIGNED, "skip"): W.SKIPPED,
        (W.ASSIGNED, "escalate"): W.ASSIGNED,
        (W.ASSIGNED, "cancel"): W.CANCELLED,
        (W.IN_PROGRESS, "unclaim"): W.OPEN,
        (W.IN_PROGRESS, "assign"): W.ASSIGNED,
        (W.IN_PROGRESS, "delegate"): W.ASSIGNED,
        (W.IN_PROGRESS, "resolve"): W.ASSIGNED,
        (W.IN_PROGRESS, "hold"): W.ON_HOLD,
        (W.IN_PROGRESS, "save_draft"): W.IN_PROGRESS,
        (W.IN_PROGRESS, "complete"): W.COMPLETED,
        (W.IN_PROGRESS, "escalate"): W.IN_PROGRESS,
        (W.IN_PROGRESS, "cancel"): W.CANCELLED,
        (W.ON_HOLD, "resume"): W.IN_PROGRESS,
        (W.ON_HOLD, "unclaim"): W.OPEN,
        (W.ON_HOLD, "assign"): W.ASSIGNED,
        (W.ON_HOLD, "escalate"): W.ON_HOLD,
        (W.ON_HOLD, "cancel"): W.CANCELLED,
    },
)

G = GateState
GATE: Final = machine(
    "gate",
    GateState,
    terminal=set(G) - {G.OPEN},
    moves={
        (NEW, "open"): G.OPEN,
        (G.OPEN, "decide"): G.OPEN,
        (G.OPEN, "abstain"): G.OPEN,
        (G.OPEN, "withdraw"): G.OPEN,
        (G.OPEN, "escalate"): G.OPEN,
        (G.OPEN, "reveal"): G.OPEN,  # a blind gate: from now on all see all
        (G.OPEN, "approve"): G.APPROVED,
        (G.OPEN, "reject"): G.REJECTED,
        (G.OPEN, "request_changes"): G.CHANGES_REQUESTED,
        (G.OPEN, "expire"): G.EXPIRED,
        (G.OPEN, "supersede"): G.SUPERSEDED,
        (G.OPEN, "close"): G.CLOSED_UNDECIDED,
        (G.OPEN, "override_approve"): G.APPROVED,
        (G.OPEN, "override_reject"): G.REJECTED,
    },
)

D = DecisionState
DECISION: Final = machine(
    "decision",
    DecisionState,
    terminal={D.VOIDED},
    moves={
        (NEW, "decide"): D.IN_FORCE,
        (NEW, "carry_over"): D.IN_FORCE,
        (D.IN_FORCE, "confirm"): D.IN_FORCE,
        (D.IN_FORCE, "withdraw"): D.VOIDED,
        (D.IN_FORCE, "change"): D.VOIDED,
        (D.IN_FORCE, "supersede"): D.VOIDED,
    },
)

F = FindingState
FINDING: Final = machine(
    "finding",
    FindingState,
    terminal={F.RESOLVED, F.LAPSED},
    moves={
        (NEW, "open"): F.OPEN,
        (F.OPEN, "carry_over"): F.OPEN,  # to the gate that its approval was carried to
        (F.OPEN, "extend"): F.OPEN,
        (F.OPEN, "resolve"): F.RESOLVED,
        (F.OPEN, "lapse"): F.LAPSED,
    },
)

H = HandOffState
HAND_OFF: Final = machine(
    "hand_off",
    HandOffState,
    terminal={H.ACCEPTED, H.AUTO_ACCEPTED, H.RETURNED, H.WITHDRAWN},
    moves={
        (NEW, "prepare"): H.PREPARING,
        (H.PREPARING, "contract_red"): H.PREPARING,
        (H.PREPARING, "rerun_contract"): H.PREPARING,
        (H.PREPARING, "offer"): H.OFFERED,
        (H.PREPARING, "withdraw"): H.WITHDRAWN,
        (H.OFFERED, "accept"): H.ACCEPTED,
        (H.OFFERED, "auto_accept"): H.AUTO_ACCEPTED,
        (H.OFFERED, "return"): H.RETURNED,
        (H.OFFERED, "escalate"): H.ESCALATED,
        (H.OFFERED, "withdraw"): H.WITHDRAWN,
        (H.ESCALATED, "accept"): H.ACCEPTED,
        (H.ESCALATED, "return"): H.RETURNED,
        (H.ESCALATED, "withdraw"): H.WITHDRAWN,
    },
)

V = ModelVersionState
MODEL_VERSION: Final = machine(
    "model_version",
    ModelVersionState,
    terminal={V.RETIRED},
    moves={
        (NEW, "register"): V.REGISTERED,
        (V.REGISTERED, "approve"): V.APPROVED,
        (V.REGISTERED, "retire"): V.RETIRED,
        (V.APPROVED, "lapse"): V.LAPSED,
        (V.APPROVED, "retire"): V.RETIRED,
        (V.LAPSED, "approve"): V.APPROVED,
        (V.LAPSED, "retire"): V.RETIRED,
    },
)

L = AlertState
ALERT: Final = machine(
    "alert",
    AlertState,
    terminal={L.RESOLVED},
    moves={
        (NEW, "raise"): L.OPEN,
        (L.OPEN, "acknowledge"): L.ACKNOWLEDGED,
        (L.OPEN, "resolve"): L.RESOLVED,
        (L.ACKNOWLEDGED, "resolve"): L.RESOLVED,
    },
)

N = AttestationState
ATTESTATION: Final = machine(
    "attestation",
    AttestationState,
    terminal={N.WITHDRAWN, N.VOIDED, N.EXPIRED},
    moves={
        (NEW, "sign"): N.STANDING,
        (N.STANDING, "withdraw"): N.WITHDRAWN,
        (N.STANDING, "void"): N.VOIDED,  # what it was signed for is no longer what is there
        (N.STANDING, "expire"): N.EXPIRED,
    },
)

MACHINES: Final = (
    RUN,
    STAGE,
    STEP,
    ATTEMPT,
    WORK_ITEM,
    GATE,
    DECISION,
    FINDING,
    HAND_OFF,
    MODEL_VERSION,
    ALERT,
    ATTESTATION,
)
