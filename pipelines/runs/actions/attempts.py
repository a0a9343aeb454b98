"""The end of an attempt: by its worker, under its fencing token, or by the sweeper."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from personas.commands import Answer, Command, execute
from personas.errors import Busy, Conflict
from personas.ledger import Actor
from pipelines import catalogue
from pipelines.artefacts.actions import register
from pipelines.lifecycles import AttemptState, StepState
from pipelines.runs import attention, dispatch, effects
from pipelines.runs.actions.locks import run_of
from pipelines.runs.actions.runs import settle_cancelled
from pipelines.runs.actions.settling import cancel_open, held_by, settle, wanted_step, worker_of
from pipelines.runs.advance import advance
from pipelines.runs.claims import Claim
from pipelines.runs.dispatch import POKE
from pipelines.runs.models import Attempt, Run, Step
from pipelines.runs.moves import move
from pipelines.runs.rows import Rows, load

MAX_LOST = 2  # losses before a step counts as poisonous
BACKOFF_SECONDS = (5, 30, 120)
CODE_SECONDS = 15  # until work that only newer code can end is offered again


def complete(
    *,
    held: Claim,
    outputs: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Any],
    usage: Mapping[str, Any],
    log: str,
    rows: int | None = None,
    go_on: bool = True,
) -> Answer:
    """Accept a result: outputs registered, effect caused, what follows queued, in one transaction.

    With `go_on` false what follows is left to whoever looks next: the sweeper of newer code.
    Raises Busy (newer_code) where only newer code has the effect, or a check of what follows;
    Fenced where the attempt was taken over, cancelled or lost meanwhile.
    """

    def change(command: Command, known: Rows, attempt: Attempt, step: Step) -> dict[str, object]:
        run = known.run
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
            progress_rows=rows if rows is not None else attempt.progress_rows,
            inputs=held.inputs,
            package=held.package,
            data={
                "key": step.key,
                "token": held.token,
                "outputs": {name: output["digest"] for name, output in outputs.items()},
                **({"package": held.package} if held.package else {}),
            },
        )
        move(command, step, "complete", run=run, result=attempt)
        effect = dispatch.definition_of(known, step).effect
        if effect:
            effects.of_step(command, known, step, effect)
        if go_on:
            advance(command, run, known)
        _spare_poke(command, held.queue)
        return {}

    return settle(held, "complete", change)


def await_code(*, held: Claim, missing: str) -> Answer:
    """Hand work back that only newer code can bring to its end: tried again soon, on no budget.

    A person is asked about what must not be repeated, and where no such code came in `max_wait`.
    """

    def change(command: Command, rows: Rows, attempt: Attempt, step: Step) -> dict[str, object]:
        _wait(command, rows, attempt, step, seconds=CODE_SECONDS, reason=missing)
        if step.state == StepState.RETRY_WAIT and not catalogue.spec(step.operation).repeatable:
            _give_up(command, rows, step, data={"reason": missing})
        return {}

    return settle(held, "await_code", change)


def _wait(
    command: Command, rows: Rows, attempt: Attempt, step: Step, *, seconds: float, reason: str
) -> None:
    """Let the step be tried again later, or give it up where it has waited for `max_wait`."""
    since = step.waiting_since or command.now
    move(
        command,
        attempt,
        "not_yet",
        run=rows.run,
        finished_at=command.now,
        lease_until=None,
        progress_text=reason[:200],
        data={"key": step.key, "reason": reason},
    )
    move(
        command,
        step,
        "wait",
        run=rows.run,
        waiting_since=since,
        retry_at=command.now + timedelta(seconds=seconds),
        data={"reason": reason},
    )
    limit = timedelta(seconds=catalogue.spec(step.operation).max_wait)
    if command.now - since > limit:
        _give_up(command, rows, step, data={"reason": f"waited longer than {limit}: {reason}"})


def _spare_poke(command: Command, queue: str) -> None:
    """Wake nobody for one attempt of the queue: who completes claims again before it rests.

    Should it die in between, the sweeper pokes.
    """
    notices = command.recorder.notices
    mine = next((n for n in notices if n[0] == POKE and n[1].startswith(f"{queue}:")), None)
    if mine is not None:
        notices.remove(mine)


def cancelled(*, held: Claim) -> Answer:
    """The child was killed because its attempt was cancelled."""

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = held_by(command, run, held)
        return {} if attempt is None else cancel_open(command, run, attempt)

    return execute(
        actor=worker_of(held), name="cancelled", lock=lambda: run_of(held.run_id), body=body
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

    def change(command: Command, rows: Rows, attempt: Attempt, step: Step) -> dict[str, object]:
        move(
            command,
            attempt,
            "time_out" if timed_out else "fail",
            run=rows.run,
            error=dict(error),
            usage=dict(usage),
            log=log,
            finished_at=command.now,
            lease_until=None,
            data={"key": step.key, "code": error.get("code"), "message": error.get("message")},
        )
        wait = _backoff(step) if error.get("retryable") else None
        if wait is None:
            _give_up(command, rows, step, data={"code": error.get("code")})
        else:
            move(
                command,
                step,
                "wait",
                run=rows.run,
                retry_at=command.now + wait,
                data={"reason": "retry", "seconds": round(wait.total_seconds(), 1)},
            )
        return {}

    return settle(held, "fail", change)


def _backoff(step: Step) -> timedelta | None:
    """Return how long to wait before the next try; None where a person has to say so.

    The budget is used up, or the operation is one that is not to be repeated.
    """
    if not catalogue.spec(step.operation).repeatable:
        return None
    tried = step.attempts.filter(state__in=("FAILED", "TIMED_OUT")).count()
    if tried >= catalogue.spec(step.operation).max_attempts:
        return None
    base = BACKOFF_SECONDS[min(tried, len(BACKOFF_SECONDS)) - 1]
    return timedelta(seconds=base * random.uniform(0.8, 1.2))  # noqa: S311 - jitter


def _give_up(command: Command, rows: Rows, step: Step, *, data: Mapping[str, object]) -> None:
    """The step failed for good: its stage's owner, or the hand-off's sender, is asked."""
    move(command, step, "fail", run=rows.run, data=data)
    rows = _go_on(command, rows)
    hand_off = step.hand_off
    if hand_off is not None:
        attention.ask_attention(
            command,
            rows,
            stage=hand_off.source,
            key=f"contract_{step.key}",
            cause="contract_failed",
            title=f"Contract step {step.key} failed: retry, or withdraw",
            context={"step": step.pk, "hand_off": hand_off.pk},
            hand_off=hand_off,
        )


def _go_on(command: Command, rows: Rows) -> Rows:
    """Advance; where something that is due takes newer code, all of it is left to newer code.

    Else what waits in one branch of a run kept every other from ending its attempts.
    """
    mark = command.recorder.mark()
    try:
        with transaction.atomic():
            return advance(command, rows.run, rows)
    except Busy as error:
        if error.code != "newer_code":
            raise
        command.recorder.back_to(mark)
        return load(rows.run)


def defer(*, held: Claim, seconds: float, reason: str) -> Answer:
    """The operation waits for something outside: ask again later, on no retry budget."""

    def change(command: Command, rows: Rows, attempt: Attempt, step: Step) -> dict[str, object]:
        _wait(command, rows, attempt, step, seconds=seconds, reason=reason)
        return {}

    return settle(held, "defer", change)


def release(*, held: Claim) -> Answer:
    """Hand the work back at once (the worker is asked to stop): on no budget.

    What must not be repeated is handed to a person: nobody knows how far it came.
    """

    def change(command: Command, rows: Rows, attempt: Attempt, step: Step) -> dict[str, object]:
        move(
            command,
            attempt,
            "release",
            run=rows.run,
            finished_at=command.now,
            lease_until=None,
            data={"key": step.key},
        )
        if catalogue.spec(step.operation).repeatable:
            dispatch.queue_again(command, rows, step, "requeue")
        else:
            _give_up(command, rows, step, data={"reason": "handed back while it ran"})
        return {}

    return settle(held, "release", change)


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
    run_id, operation = Attempt.objects.values_list("run_id", "operation").get(pk=attempt_id)
    if not catalogue.knows(operation):
        # Whether it may be repeated only newer code knows; its engine sweeps, too.
        raise Conflict("unknown_operation", f"{operation} is not known to this process's code.")

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
        expired = attempt.lease_until is not None and attempt.lease_until < command.now
        if attempt.state != AttemptState.RUNNING or not (expired or attempt.token == token):
            return {}
        rows = load(run)
        step = wanted_step(rows, attempt)
        move(
            command,
            attempt,
            "lose",
            run=run,
            error=dict(error),
            finished_at=command.now,
            data={"token": attempt.token, "code": error.get("code")},
        )
        if step is None:
            settle_cancelled(command, run)
            return {"attempt": attempt.pk, "state": attempt.state}
        step.losses += 1
        step.save(update_fields=["losses"])
        if step.losses > MAX_LOST or not catalogue.spec(step.operation).repeatable:
            _give_up(command, rows, step, data={"reason": "worker lost", "losses": step.losses})
        else:
            dispatch.queue_again(command, rows, step, "requeue")
        return {"attempt": attempt.pk, "state": attempt.state, "step": step.state}

    return execute(
        actor=actor or Actor("timer", "sweeper"),
        name="lose",
        lock=lambda: run_of(run_id),
        body=body,
    )
