"""What forbids each act on a run, its stages and steps: what a disabled button says.

The actions ask the same policies and life cycles again on locked rows.
"""

from personas.errors import Conflict, DomainError
from pipelines.lifecycles import (
    RUN,
    WORK_ITEM,
    RunState,
    StageState,
    StepState,
    WorkItemState,
    can_move,
)
from pipelines.runs.helping import HELP, not_skippable
from pipelines.runs.models import Run, Stage, Step, WorkItem
from pipelines.runs.policies import (
    Hat,
    holds,
    not_delegating,
    not_escalating,
    not_managing,
    not_owning,
    not_starting,
    not_taking,
)

RERUNNABLE = (StageState.ACTIVE, StageState.IN_REVIEW, StageState.DONE, StageState.FAILED)


def of_run(hat: Hat, run: Run) -> dict[str, DomainError | None]:
    """Return what forbids the person to start, pause, resume, move, cancel or give up the run."""
    managing = not_managing(hat, run)
    ending = not_managing(hat, run, initiator=True)
    return {
        "start": not_starting(hat, run) or _impossible(run, "start"),
        "pause": managing or _impossible(run, "pause"),
        "resume": managing or _impossible(run, "resume"),
        "move": managing or _impossible(run, "migrate"),
        "cancel": ending or _impossible(run, "cancel"),
        "give_up": ending or _impossible(run, "give_up"),
    }


def _impossible(run: Run, event: str) -> DomainError | None:
    if can_move(RUN, run.state, event):
        return None
    return Conflict("illegal_move", f"{run.label} is {run.state.lower()}.", state=run.state)


def _standing(run: Run) -> DomainError | None:
    if run.state == RunState.RUNNING:
        return None
    code = "run_paused" if run.state == RunState.PAUSED else "run_not_running"
    return Conflict(code, f"{run.label} is {run.state.lower()}; this needs a running one.")


def of_stage(hat: Hat, stage: Stage) -> dict[str, DomainError | None]:
    """Return what forbids the person to take, rerun, send back or get help for the round."""
    standing = _standing(stage.run)
    blocked = standing or not_owning(hat, stage)
    return {
        "take": standing or _not_free(stage) or not_taking(hat, stage),
        "rerun": blocked or _in_state(stage, *RERUNNABLE),
        "send_back": blocked or _in_state(stage, StageState.FAILED),
        "help": blocked or _in_state(stage, StageState.ACTIVE),
    }


def _not_free(stage: Stage) -> DomainError | None:
    if stage.owner_id is not None:
        return Conflict("claimed_by_other", f"{stage.owner} owns {stage.key}.")
    return _in_state(stage, StageState.ACTIVE)


def _in_state(stage: Stage, *states: str) -> DomainError | None:
    if stage.state in states:
        return None
    return Conflict("stage_state", f"{stage.key} is {stage.state.lower()}.", state=stage.state)


def of_item(hat: Hat, item: WorkItem) -> dict[str, DomainError | None]:
    """Return what forbids the person each move of a work item."""
    closed = None
    if item.state not in WORK_ITEM.open:
        closed = Conflict("item_closed", f"This is {item.state.lower()}.", state=item.state)
    standing = closed or _standing(item.run)
    held = standing or _not_held(hat, item)
    managing = standing or not_managing(hat, item.run)
    asked = item.asked_by_id == hat.user.pk
    return {
        "hold": held or _in_item_state(item, WorkItemState.ASSIGNED, WorkItemState.IN_PROGRESS),
        "resume": held or _in_item_state(item, WorkItemState.ON_HOLD),
        "delegate": held
        or not_delegating(item)
        or _in_item_state(item, WorkItemState.ASSIGNED, WorkItemState.IN_PROGRESS),
        "resolve": held or (None if item.delegated_by_id else _not_delegated(item)),
        "assign": managing,
        "skip": managing or not_skippable(item.run, item),
        "escalate": standing or not_escalating(hat, item),
        "withdraw": standing or _not_help(item) or (None if asked else not_owning(hat, item.stage)),
    }


def _not_held(hat: Hat, item: WorkItem) -> DomainError | None:
    if holds(hat, item):
        return None
    who = str(item.holder) if item.holder_id else "Nobody"
    return Conflict("claimed_by_other", f"{who} holds this item.", by=who)


def _in_item_state(item: WorkItem, *states: str) -> DomainError | None:
    if item.state in states:
        return None
    word = item.state.replace("_", " ").lower()
    return Conflict("item_state", f"This is {word}.", state=item.state)


def _not_delegated(item: WorkItem) -> DomainError:
    return Conflict("not_delegated", "Nobody delegated this item.", state=item.state)


def _not_help(item: WorkItem) -> DomainError | None:
    return None if item.kind == HELP else Conflict("not_help", "This is no request for help.")


def not_retrying(hat: Hat, step: Step) -> DomainError | None:
    """Return why the person may not try the step again."""
    refusal = _standing(step.stage.run) or not_owning(hat, step.stage)
    if refusal is not None:
        return refusal
    if step.state != StepState.FAILED:
        return Conflict("not_failed", f"{step.key} has not failed.", state=step.state)
    return None
