"""Steps: try again, when its time has come or when a person says so."""

from collections.abc import Mapping
from typing import Any

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, DomainError, Invalid, NotAllowed
from personas.ledger import Actor
from pipelines import catalogue
from pipelines.lifecycles import RunState, StageState, StepState
from pipelines.operations.contract import ParamErrors, clean_params
from pipelines.runs import attention, dispatch
from pipelines.runs.actions.locks import must_run, run_of
from pipelines.runs.advance import advance
from pipelines.runs.models import Run, Step, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_owning, refuse
from pipelines.runs.rows import load


def wake(*, step_id: int) -> Answer:
    """Queue the next attempt of a step whose waiting time is over; nothing where it is not."""
    run_id = Step.objects.values_list("run_id", flat=True).get(pk=step_id)

    def body(command: Command, run: Run) -> dict[str, object]:
        rows = load(run)
        step = rows.step_of(step_id)
        if step is None or step.state != StepState.RETRY_WAIT or run.state != RunState.RUNNING:
            return {}
        if step.retry_at is None or step.retry_at > command.now:
            return {}
        attempt = dispatch.queue_again(command, rows, step, "queue")
        return {"attempt": attempt.pk}

    return execute(
        actor=Actor("timer", "retry timer"), name="wake", lock=lambda: run_of(run_id), body=body
    )


def retry(
    *,
    actor: Actor,
    step: Step,
    overrides: Mapping[str, Any] | None = None,
    refuse_cache: bool = False,
    key: str | None = None,
) -> Answer:
    """Try a failed step again, with other parameters if they are given. Raises Conflict, Invalid.

    Who gives other parameters becomes an author of what comes out. A retry always computes; with
    `refuse_cache` the steps that follow in its stage do, too.
    """
    if actor.user is None:
        raise Invalid("This needs a person.", fields={"actor": ["must be a person"]})
    user = actor.user

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        locked = rows.step_of(step.pk)
        if locked is None or locked.state != StepState.FAILED:
            state = locked.state if locked else step.state
            raise Conflict(
                "not_failed", f"{step.key} is {state}; only a failed step is retried.", state=state
            )
        refuse(not_owning(Hat.of(user, run), locked.stage))
        stage = locked.stage
        if overrides:
            refuse(_of_contract(locked))
            locked.overrides = _overridden(locked, overrides)
            locked.edited_by = user
            stage.author_ids = sorted({*stage.author_ids, user.pk})
            stage.save(update_fields=["author_ids"])
        locked.losses, locked.waiting_since = 0, None
        locked.save(update_fields=["losses", "waiting_since", "overrides", "edited_by"])
        if stage.state == StageState.FAILED:
            anew = stage.refuse_cache or refuse_cache
            move(command, stage, "retry", run=run, refuse_cache=anew)
        attempt = dispatch.queue_again(command, rows, locked, "retry")
        items = WorkItem.objects.filter(stage=stage, context__step=locked.pk)
        attention.close_attention(command, rows, items)
        advance(command, run, rows)
        return {"step": locked.pk, "attempt": attempt.pk, "state": locked.state}

    return execute(
        actor=actor,
        name="retry_step",
        lock=lambda: run_of(step.run_id),
        body=body,
        key=key,
        request={"step": step.pk, "overrides": overrides or {}, "refuse_cache": refuse_cache},
    )


def _of_contract(step: Step) -> DomainError | None:
    """Return why the step's parameters are not the sender's to change: they are the receiver's."""
    if step.hand_off_id is None:
        return None
    return NotAllowed(
        "contract.overrides",
        f"{step.key} is part of the receiver's contract: retry it as it is, or withdraw.",
    )


def _overridden(step: Step, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the step's own parameters with the new ones.

    Raises Invalid with every field, and Conflict where the operation is not known here.
    """
    if not catalogue.knows(step.operation):
        reason = catalogue.why_not(step.operation) or "no installed package brings it"
        raise Conflict(
            "unknown_operation",
            f"{step.operation} cannot be used here, so its parameters are not known: {reason}.",
        )
    last = step.attempts.order_by("-number").first()
    merged = {**step.overrides, **overrides}
    try:
        clean_params(catalogue.spec(step.operation), {**(last.params if last else {}), **merged})
    except ParamErrors as error:
        fields = {f"overrides.{name}": texts for name, texts in error.fields.items()}
        raise Invalid("The step cannot be retried so.", fields=fields) from error
    return merged
