"""What time does to work items and deadlines; each call judges again under the run's lock."""

from collections.abc import Callable, Mapping
from typing import Final

from personas.commands import Answer, Command, execute
from personas.ledger import Actor
from personas.models import User
from pipelines.lifecycles import GATE, WORK_ITEM, HandOffState, RunState, StageState, WorkItemState
from pipelines.runs.actions.item_moves import back, widen
from pipelines.runs.actions.locks import name_of, run_of
from pipelines.runs.actions.stages import computed
from pipelines.runs.deadlines import Subject
from pipelines.runs.models import Gate, HandOff, Reminder, Run, Stage, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_candidate, not_taking
from pipelines.runs.reading import one
from pipelines.runs.saving import update

TIMER: Final = Actor("timer", "deadline timer")
MODELS: Final[Mapping[str, type[Subject]]] = {
    "stage": Stage,
    "gate": Gate,
    "hand_off": HandOff,
    "item": WorkItem,
}
# In these states somebody can still act on it; in any other its reminders are moot.
AWAITED: Final = {
    "stage": frozenset({StageState.ACTIVE, StageState.FAILED}),
    "gate": GATE.open,
    "hand_off": frozenset({HandOffState.OFFERED, HandOffState.ESCALATED}),
    "item": WORK_ITEM.open,
}


def tell(*, reminder_id: int) -> Answer:
    """Tell, once, that a share of a deadline's working time is over; at 100 % an item escalates.

    Nothing is told while the run is paused, nor of what nobody waits for any more.
    """
    run_id = one(Reminder, reminder_id).run_id

    def body(command: Command, run: Run) -> dict[str, object]:
        reminder = one(Reminder, reminder_id, lock=True)
        done = reminder.told_at or reminder.dropped_at
        if done or run.state != RunState.RUNNING or reminder.at > command.now:
            return {"told": False}
        subject = _subject(reminder)
        if subject.state not in AWAITED[reminder.noun]:
            reminder.dropped_at = command.now
            update(reminder, ["dropped_at"])
            return {"told": False}
        reminder.told_at = command.now
        update(reminder, ["told_at"])
        command.recorder.record(
            run.stream,
            "deadline.reminded",
            subject=(reminder.noun, subject.pk),
            topic="deadline.reminded",
            data={"percent": reminder.percent, "personas": reminder.personas, **_told(subject)},
        )
        if reminder.percent == 100 and isinstance(subject, WorkItem) and not subject.escalations:
            widen(command, run, subject, reason="it is overdue")
        return {"told": True}

    return execute(actor=TIMER, name="remind", lock=lambda: run_of(run_id), body=body)


def _subject(reminder: Reminder) -> Subject:
    """Return what it reminds of, locked; its stages are read when they are asked for."""
    return one(MODELS[reminder.noun], reminder.subject_id, lock=True)


def _told(subject: Subject) -> dict[str, object]:
    """What who hears of it needs: which one, whose it is, and when it is due."""
    named: dict[str, object] = {
        "due": subject.due_at.isoformat() if subject.due_at else None,
        "stage": subject.target.key if isinstance(subject, HandOff) else "",
    }
    if isinstance(subject, Stage):
        return {**named, "stage": subject.key, "holder": name_of(subject.owner)}
    if isinstance(subject, Gate):
        at = subject.due_at or subject.expires_at
        return {"due": at.isoformat() if at else None, "stage": subject.stage.key}
    if isinstance(subject, WorkItem):
        told = {"key": subject.key, "title": subject.title, "holder": name_of(subject.holder)}
        return {**named, "stage": subject.stage.key, **told}
    return named


def _on_item(item_id: int, name: str, change: Callable[[Command, Run, WorkItem], None]) -> Answer:
    run_id = WorkItem.objects.values_list("run_id", flat=True).get(pk=item_id)

    def body(command: Command, run: Run) -> dict[str, object]:
        rows = WorkItem.objects.select_for_update(of=("self",))
        item = rows.select_related("stage", "holder", "delegated_by").get(pk=item_id)
        item.run = item.stage.run = run
        if run.state in (RunState.RUNNING, RunState.PAUSED):
            change(command, run, item)
        return {"item": item.pk, "state": item.state}

    return execute(actor=TIMER, name=name, lock=lambda: run_of(run_id), body=body)


def follow_up(*, item_id: int) -> Answer:
    """Take an item from hold when its date has come."""

    def change(command: Command, run: Run, item: WorkItem) -> None:
        held = item.state == WorkItemState.ON_HOLD and run.state == RunState.RUNNING
        if held and item.follow_up_at is not None and item.follow_up_at <= command.now:
            back(command, run, item)

    return _on_item(item_id, "follow_up", change)


def release(*, item_id: int) -> Answer:
    """Give an item back whose holder was deactivated or lost the seat for it; the draft is kept.

    A delegate's goes back to who stays accountable, all else to its personas.
    """

    def change(command: Command, run: Run, item: WorkItem) -> None:
        if item.state not in WORK_ITEM.open or item.holder is None:
            return
        if not_candidate(Hat.of(item.holder, run), item) is None:
            return
        owner = item.delegated_by
        able = owner is not None and not_candidate(Hat.of(owner, run), item) is None
        to_owner = able and item.state != WorkItemState.ON_HOLD
        holder = owner if to_owner else None
        move(
            command,
            item,
            "resolve" if to_owner else "unclaim",
            run=run,
            topic="item.released",
            data=_why_left(item.holder),
            holder=holder,
            delegated_by=None,
            claimed_at=command.now if holder else None,
            follow_up_at=None,
            hold_reason="",
            version=item.version + 1,
        )

    return _on_item(item_id, "release_item", change)


def _why_left(user: User) -> dict[str, object]:
    why = "has no seat for it any more" if user.is_active else "was deactivated"
    return {"from": str(user), "reason": f"{user} {why}"}


def release_stage(*, stage_id: int) -> Answer:
    """Let an active stage be anybody's of its persona whose owner was deactivated or unseated.

    What was computed until then stays the owner's work.
    """
    run_id = Stage.objects.values_list("run_id", flat=True).get(pk=stage_id)

    def body(command: Command, run: Run) -> dict[str, object]:
        rows = Stage.objects.select_for_update(of=("self",)).select_related("owner")
        stage = rows.get(pk=stage_id)
        going = run.state in (RunState.RUNNING, RunState.PAUSED)
        owner = stage.owner if going and stage.state == StageState.ACTIVE else None
        if owner is not None and not_taking(Hat.of(owner, run), stage) is not None:
            authors = {*stage.author_ids, *([owner.pk] if computed(stage) else [])}
            move(
                command,
                stage,
                "assign",
                run=run,
                topic="stage.released",
                owner=None,
                owned_at=None,
                author_ids=sorted(authors),
                data=_why_left(owner),
            )
        return {"stage": stage.pk, "owner": name_of(stage.owner) if stage.owner_id else None}

    return execute(actor=TIMER, name="release_stage", lock=lambda: run_of(run_id), body=body)
