"""Ask another persona for help, whatever the order of the stages; the asking stage stays ACTIVE.

A request is a work item of the other persona: claiming it accepts it, completing it answers it.
Until then, or until it is withdrawn, the stage goes on but does not end.
"""

from datetime import timedelta

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import User
from personas.people import BY_CODE
from pipelines.lifecycles import StageState
from pipelines.runs import deadlines, helping
from pipelines.runs.actions.items import command_on, must_be_open, summary
from pipelines.runs.actions.locks import must_run, run_of
from pipelines.runs.advance import advance
from pipelines.runs.models import Run, Stage, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.policies import Hat, not_owning, refuse
from pipelines.runs.rows import Rows, load
from pipelines.usecases.models import Seat

LONGEST_QUESTION = 10_000
MOST_DAYS = 30


def ask(
    *,
    actor: Actor,
    stage: Stage,
    persona: str,
    question: str,
    code: str = "other",
    days: int = deadlines.HELP_DAYS,
    key: str | None = None,
) -> Answer:
    """Ask another persona for help with a stage under way. Raises Invalid, NotAllowed, Conflict."""
    if actor.user is None or actor.user.is_service:
        raise NotAllowed("actor.person", "Only people ask for help.")
    user = actor.user
    _check_input(stage, persona=persona, question=question, code=code, days=days)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        current = rows.stages.get(stage.key)
        if current is None or current.pk != stage.pk or current.state != StageState.ACTIVE:
            now = current.state if current else stage.state
            raise Conflict("stage_state", f"{stage.key} is {now.lower()}.", state=now)
        refuse(not_owning(Hat.of(user, run), current))
        if not _somebody(run, persona, beside=user):
            rule = f"nobody else holds a seat as {persona} on {run.use_case}"
            raise Invalid("Nobody could help.", fields={"persona": [rule]})
        item = _request(rows, current, user, persona=persona, question=question, code=code)
        found = deadlines.deadline(command, [persona], timedelta(days=days))
        item.due_at = found.due if found else None
        born(
            command,
            item,
            "open",
            run=run,
            topic="help.asked",
            data={"persona": persona, "code": code, "question": question, "stage": current.key},
        )
        deadlines.remind(item, found)
        if not run.has_help:
            run.has_help = True
            run.save(update_fields=["has_help"])
        return summary(item)

    return execute(
        actor=actor,
        name="ask_help",
        lock=lambda: run_of(stage.run_id),
        body=body,
        key=key,
        request={
            "stage": stage.pk,
            "persona": persona,
            "question": question,
            "code": code,
            "days": days,
        },
    )


def _check_input(stage: Stage, *, persona: str, question: str, code: str, days: int) -> None:
    problems: dict[str, list[str]] = {}
    if persona not in BY_CODE:
        problems["persona"] = [f"must be one of {', '.join(BY_CODE)}, got {persona!r}"]
    elif persona == stage.persona_id:
        problems["persona"] = [f"must be another persona than the stage's own, {persona}"]
    if not question.strip():
        problems["question"] = ["must not be empty"]
    elif len(question) > LONGEST_QUESTION:
        problems["question"] = [f"has {len(question)} characters; at most {LONGEST_QUESTION}"]
    if code not in helping.CODES:
        problems["code"] = [f"must be one of {', '.join(helping.CODES)}, got {code!r}"]
    if not 1 <= days <= MOST_DAYS:
        problems["days"] = [f"must be 1 to {MOST_DAYS}, got {days}"]
    if problems:
        raise Invalid("Help cannot be asked for so.", fields=problems)


def _somebody(run: Run, persona: str, *, beside: User) -> bool:
    seats = Seat.objects.filter(
        use_case=run.use_case_id, persona=persona, until=None, user__is_active=True
    )
    return seats.exclude(user=beside).exists()


def _request(
    rows: Rows, stage: Stage, asker: User, *, persona: str, question: str, code: str
) -> WorkItem:
    """Return the work item, unsaved, with what belongs to the request. Raises Invalid."""
    attached = {"data": helping.data_of(rows), "baseline": helping.baseline_of(rows)}
    problems = helping.request_problems(code, attached)
    if problems:
        raise Invalid("The request is not complete.", fields={"code": problems})
    number = WorkItem.objects.filter(stage=stage, kind=helping.HELP).count() + 1
    return WorkItem(
        run=rows.run,
        stage=stage,
        key=f"help-{number}",
        kind=helping.HELP,
        title=f"{BY_CODE[stage.persona_id].title} asks: {helping.CODES[code]}"[:200]
        if stage.persona_id in BY_CODE
        else helping.CODES[code],
        persona_id=persona,
        candidates=[persona],
        asked_by=asker,
        context={"code": code, "question": question, "attached": attached},
    )


def withdraw(*, actor: Actor, item: WorkItem, reason: str, key: str | None = None) -> Answer:
    """Take a request for help back: nobody has to answer it any more. Raises Invalid, Conflict."""
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})

    def change(command: Command, run: Run, locked: WorkItem, hat: Hat) -> None:
        if locked.kind != helping.HELP:
            raise Conflict("not_help", f"“{locked.title}” is no request for help.")
        must_be_open(locked)
        if locked.asked_by_id != hat.user.pk:
            refuse(not_owning(hat, locked.stage))
        move(
            command,
            locked,
            "cancel",
            run=run,
            closed_at=command.now,
            version=locked.version + 1,
            data={"reason": reason},
            topic="help.withdrawn",
        )
        advance(command, run)

    return command_on(
        actor=actor,
        item=item,
        name="withdraw_help",
        change=change,
        key=key,
        request={"reason": reason},
    )
