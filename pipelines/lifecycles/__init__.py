"""The states and moves of every life cycle, as data: (state, event) -> state.

One function applies them. "May not" is somebody else's question (policies);
here only "cannot now" is answered, by IllegalMove.
"""

from pipelines.lifecycles.machine import IllegalMove, Machine, can_move, move
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
    Verdict,
    WorkItemState,
)
from pipelines.lifecycles.tables import (
    ALERT,
    ATTEMPT,
    ATTESTATION,
    DECISION,
    FINDING,
    GATE,
    HAND_OFF,
    MACHINES,
    MODEL_VERSION,
    NEW,
    RUN,
    STAGE,
    STEP,
    WORK_ITEM,
)

__all__ = [
    "ALERT",
    "ATTEMPT",
    "ATTESTATION",
    "DECISION",
    "FINDING",
    "GATE",
    "HAND_OFF",
    "MACHINES",
    "MODEL_VERSION",
    "NEW",
    "RUN",
    "STAGE",
    "STEP",
    "WORK_ITEM",
    "AlertState",
    "AttemptState",
    "AttestationState",
    "DecisionState",
    "FindingState",
    "GateState",
    "HandOffState",
    "IllegalMove",
    "Machine",
    "ModelVersionState",
    "RunState",
    "StageState",
    "StepState",
    "Verdict",
    "WorkItemState",
    "can_move",
    "move",
]
