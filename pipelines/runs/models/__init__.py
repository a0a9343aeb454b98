"""The engine's tables, one module per noun."""

from pipelines.runs.models.attempts import Attempt, Step
from pipelines.runs.models.comments import Comment, Look
from pipelines.runs.models.findings import Finding, Override
from pipelines.runs.models.gates import Check, Decision, Gate
from pipelines.runs.models.handoffs import HandOff
from pipelines.runs.models.items import WorkItem
from pipelines.runs.models.limits import Limit
from pipelines.runs.models.reminders import Reminder
from pipelines.runs.models.runs import Run
from pipelines.runs.models.stages import Stage
from pipelines.runs.models.verifications import Verification
from pipelines.runs.models.workers import WorkerPresence

__all__ = [
    "Attempt",
    "Check",
    "Comment",
    "Decision",
    "Finding",
    "Gate",
    "HandOff",
    "Limit",
    "Look",
    "Override",
    "Reminder",
    "Run",
    "Stage",
    "Step",
    "Verification",
    "WorkItem",
    "WorkerPresence",
]
