"""The end of an attempt (by its worker, under its fencing token), and what people do to steps."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid
from personas.ledger import Actor
from pipelines import catalogue
from pipelines.artefacts.actions import register
from pipelines.blueprints.spec import StepDef
from pipelines.lifecycles import AttemptState, RunState, StageState, StepState
from pipelines.runs import dispatch, effects, reviews
from pipelines.runs.actions.locks import must_run, run_of
from pipelines.runs.actions.runs import settle_cancelled
from pipelines.runs.advance import advance
from pipelines.runs.claims import Claim
from pipelines.runs.models import Attempt, Run, Step, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_owning, refuse
from pipelines.runs.rows import blueprint_of, load

MAX_LOST = 2  # losses before a step counts as poisonous
BACKOFF_SECONDS = (5, 30, 120)


class Fenced(Conflict):
    """The attempt belongs to somebody else by now; its result is discarded."""


def _worker(held: Claim) -> Actor:
    return Actor("worker", f"worker {str(held.owner)[:8]}")


def _held(command: Command, run: Run, held: Claim) -> Attempt | None:
    """Return the attempt if this claim still holds it; else note that its result came late."""
    attempt = Attempt.objects.select_for_update().get(pk=held.id)
    if (attempt.token, attempt.owner, attempt.state) == (
        held.token,
        held.owner,
        AttemptState.RUNNING,
    ):
        attempt.run = run
        return attempt
    command.recorder.record(
        run.stream,
        "attempt.late_result_discarded",
        subject=("attempt", held.id),
        data={"token": held.token, "state": attempt.state},
    )
    command.refuse(Fenced("fenced", f"Attempt {held.id} is {attempt.state} and no longer yours."))
    return None


def _step_of(attempt: Attempt, run: Run) -> Step:
    step = Step.objects.select_related("stage").get(pk=attempt.step_id)
    step.run = step.stage.run = run
    return step


def _definition(run: Run, step: Step) -> StepDef:
    return blueprint_of(run).stage(step.stage.key).step(step.key)


def complete(
    *,
    held: Claim,
    outputs: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Any],
    usage: Mapping[str, Any],
    log: str,
) -> Answer:
    """Accept a result: outputs registered, effect caused, what follows queued, in one transaction.

    Raises Fenced where the attempt was taken over, cancelled or lost meanwhile.
    """

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = _held(command, run, held)
        if attempt is None:
            return {}
        step = _step_of(attempt, run)
        if attempt.cancel_requested or step.state != StepState.RUNNING:
            return _cancel(command, run, attempt)
        for output in outputs.values():
            register(
                digest=output["digest"],
                size=output["size"],
                media=output["media"],
                name=f"{step.stage.key}.{step.key}.{output['name']}",
            )
        move(
            command,
            attempt,
            "complete",
            run=run,
            outputs=dict(outputs),
            facts=dict(facts),
            usage=dict(usage),
            log=log,
            finished_at=command.now,
            lease_until=None,
            progress=1.0,
            inputs=held.inputs,
            data={
                "key": step.key,
                "token": held.token,
                "outputs": {name: output["digest"] for name, output in outputs.items()},
            },
        )
        move(command, step, "complete", run=run, result=attempt)
        _touch(command, run)
        _cause_effect(command, run, step)
        advance(command, run)
        return {"attempt": attempt.pk, "state": attempt.state}

    return execute(
        actor=_worker(held), name="complete", lock=lambda: run_of(held.run_id), body=body
    )


def _touch(command: Command, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(moved_at=command.now)


def _cause_effect(command: Command, run: Run, step: Step) -> None:
    effect = _definition(run, step).effect
    if effect:
        effects.of_step(command, load(run), step, effect)


def _cancel(command: Command, run: Run, attempt: Attempt) -> dict[str, object]:
    move(
        command,
        attempt,
        "cancel",
        run=run,
        finished_at=command.now,
        lease_until=None,
    )
    settle_cancelled(command, run)
    return {"attempt": attempt.pk, "state": attempt.state}


def cancelled(*, held: Claim) -> Answer:
    """The child was killed because its attempt was cancelled."""

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = _held(command, run, held)
        return {} if attempt is None else _cancel(command, run, attempt)

    return execute(
        actor=_worker(held), name="cancelled", lock=lambda: run_of(held.run_id), body=body
    )


def fail(
    *,
    held: Claim,
    error: Mapping[str, Any],
    usage: Mapping[str, Any],
    log: str,
    timed_out: bool = False,
) -> Answer:
    """Close a failed attempt; a retryable one is tried again with backoff while budget is left."""

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = _held(command, run, held)
        if attempt is None:
            return {}
        step = _step_of(attempt, run)
        if attempt.cancel_requested or step.state != StepState.RUNNING:
            return _cancel(command, run, attempt)
        move(
            command,
            attempt,
            "time_out" if timed_out else "fail",
            run=run,
            error=dict(error),
            usage=dict(usage),
            log=log,
            finished_at=command.now,
            lease_until=None,
            data={"key": step.key, "code": error.get("code"), "message": error.get("message")},
        )
        _after_failure(command, run, step, retryable=bool(error.get("retryable")))
        return {"attempt": attempt.pk, "state": attempt.state, "step": step.state}

    return execute(actor=_worker(held), name="fail", lock=lambda: run_of(held.run_id), body=body)


def _after_failure(command: Command, run: Run, step: Step, *, retryable: bool) -> None:
    _touch(command, run)
    tried = step.attempts.filter(state__in=("FAILED", "TIMED_OUT")).count()
    spec = catalogue.spec(step.operation)
    if retryable and tried < spec.max_attempts:
        wait = BACKOFF_SECONDS[min(tried, len(BACKOFF_SECONDS)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311
        move(
            command,
            step,
            "wait",
            run=run,
            retry_at=command.now + timedelta(seconds=wait),
            data={"reason": "retry", "seconds": round(wait, 1)},
        )
        return
    move(command, step, "fail", run=run)
    rows = advance(command, run)
    if step.hand_off_id is not None:
        hand_off = next(h for h in rows.hand_offs.values() if h.pk == step.hand_off_id)
        reviews.ask_attention(
            command,
            rows,
            stage=hand_off.source,
            key=f"contract_{step.key}",
            cause="contract_failed",
            title=f"Contract step {step.key} failed: retry, or withdraw",
            context={"step": step.pk, "hand_off": hand_off.pk},
            hand_off=hand_off,
        )


def defer(*, held: Claim, seconds: float, reason: str) -> Answer:
    """The operation waits for something outside: ask again later, on no retry budget."""

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = _held(command, run, held)
        if attempt is None:
            return {}
        step = _step_of(attempt, run)
        if attempt.cancel_requested or step.state != StepState.RUNNING:
            return _cancel(command, run, attempt)
        since = step.waiting_since or command.now
        move(
            command,
            attempt,
            "not_yet",
            run=run,
            finished_at=command.now,
            lease_until=None,
            progress_text=reason[:200],
            data={"key": step.key, "reason": reason},
        )
        move(
            command,
            step,
            "wait",
            run=run,
            waiting_since=since,
            retry_at=command.now + timedelta(seconds=seconds),
            data={"reason": reason},
        )
        limit = timedelta(seconds=catalogue.spec(step.operation).max_wait)
        if command.now - since > limit:
            move(command, step, "fail", run=run, data={"reason": f"waited longer than {limit}"})
            advance(command, run)
        return {"attempt": attempt.pk, "state": attempt.state}

    return execute(actor=_worker(held), name="defer", lock=lambda: run_of(held.run_id), body=body)


def release(*, held: Claim) -> Answer:
    """Hand the work back at once (the worker is asked to stop): on no budget."""

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = _held(command, run, held)
        if attempt is None:
            return {}
        step = _step_of(attempt, run)
        move(command, attempt, "release", run=run, finished_at=command.now, lease_until=None)
        if step.state == StepState.RUNNING:
            _again(command, run, step, "requeue")
        return {"attempt": attempt.pk, "state": attempt.state}

    return execute(actor=_worker(held), name="release", lock=lambda: run_of(held.run_id), body=body)


def lose(
    *,
    attempt_id: int,
    error: Mapping[str, Any],
    token: int | None = None,
    actor: Actor | None = None,
) -> Answer:
    """Close an attempt whose worker or child is gone; poisonous steps stop after two losses.

    With a token its holder says so; without one the lease must be over, judged in this transaction.
    """
    run_id = Attempt.objects.values_list("run_id", flat=True).get(pk=attempt_id)

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
        expired = attempt.lease_until is not None and attempt.lease_until < command.now
        if attempt.state != AttemptState.RUNNING or not (expired or attempt.token == token):
            return {}
        step = _step_of(attempt, run)
        move(
            command,
            attempt,
            "lose",
            run=run,
            error=dict(error),
            finished_at=command.now,
            data={"key": step.key, "token": attempt.token},
        )
        if attempt.cancel_requested or step.state != StepState.RUNNING:
            settle_cancelled(command, run)
            return {"attempt": attempt.pk, "state": attempt.state}
        step.losses += 1
        step.save(update_fields=["losses"])
        spec = catalogue.spec(step.operation)
        if step.losses > MAX_LOST or not spec.repeatable:
            move(
                command,
                step,
                "fail",
                run=run,
                data={"reason": "worker lost", "losses": step.losses},
            )
            advance(command, run)
        else:
            _again(command, run, step, "requeue")
        return {"attempt": attempt.pk, "state": attempt.state, "step": step.state}

    return execute(
        actor=actor or Actor("timer", "sweeper"),
        name="lose",
        lock=lambda: run_of(run_id),
        body=body,
    )


def _again(command: Command, run: Run, step: Step, event: str) -> Attempt:
    rows = load(run)
    return dispatch.queue_attempt(
        command, rows, step=step, definition=_definition(run, step), event=event
    )


def wake(*, step_id: int) -> Answer:
    """Queue the next attempt of a step whose waiting time is over; nothing where it is not."""
    run_id = Step.objects.values_list("run_id", flat=True).get(pk=step_id)

    def body(command: Command, run: Run) -> dict[str, object]:
        step = Step.objects.select_related("stage").get(pk=step_id)
        due = step.retry_at is not None and step.retry_at <= command.now
        if step.state != StepState.RETRY_WAIT or not due or run.state != RunState.RUNNING:
            return {}
        attempt = _again(command, run, step, "queue")
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
    """Try a failed step again, with other parameters if they are given. Raises Conflict."""
    if actor.user is None:
        raise Invalid("This needs a person.", fields={"actor": ["must be a person"]})
    user = actor.user

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        locked = (
            Step.objects.select_for_update(of=("self",)).select_related("stage").get(pk=step.pk)
        )
        refuse(not_owning(Hat.of(user, run), locked.stage))
        if locked.state != StepState.FAILED or not locked.stage.current:
            raise Conflict(
                "not_failed",
                f"{locked.key} is {locked.state}; only a failed step is retried.",
                state=locked.state,
            )
        stage = locked.stage
        if stage.state == StageState.FAILED:
            move(command, stage, "retry", run=run)
        locked.losses, locked.refuse_cache = 0, refuse_cache
        locked.overrides = {**locked.overrides, **(overrides or {})}
        locked.edited_by = user if overrides else locked.edited_by
        locked.save(update_fields=["losses", "refuse_cache", "overrides", "edited_by"])
        attempt = _again(command, run, locked, "retry")
        rows = load(run)
        reviews.close_attention(
            command, rows, WorkItem.objects.filter(stage=stage, context__step=locked.pk)
        )
        advance(command, run)
        return {"step": locked.pk, "attempt": attempt.pk, "state": locked.state}

    return execute(
        actor=actor,
        name="retry_step",
        lock=lambda: run_of(step.run_id),
        body=body,
        key=key,
        request={"step": step.pk, "overrides": overrides or {}, "refuse_cache": refuse_cache},
    )
