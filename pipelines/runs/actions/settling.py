"""How an attempt is ended by its own holder: under its fencing token, or not at all."""

from collections.abc import Callable

from personas.commands import Answer, Command, execute
from personas.errors import Conflict
from personas.ledger import Actor
from pipelines.lifecycles import AttemptState, StepState
from pipelines.runs.actions.locks import run_of
from pipelines.runs.actions.runs import settle_cancelled
from pipelines.runs.claims import Claim
from pipelines.runs.models import Attempt, Run, Step
from pipelines.runs.moves import move
from pipelines.runs.reading import first
from pipelines.runs.rows import Rows, load

# The ends that only an attempt's own holder brings about.
SETTLED = (
    *(AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.TIMED_OUT),
    *(AttemptState.DEFERRED, AttemptState.RELEASED),
)

# What is asked of an attempt that ends; its log and parameters are long.
KNOWN = (
    *("step_id", "run_id", "number", "state", "operation", "owner", "token"),
    *("cancel_requested", "progress_rows"),
)


class Fenced(Conflict):
    """The attempt belongs to somebody else by now; its result is discarded."""


def worker_of(held: Claim) -> Actor:
    return Actor("worker", f"worker {str(held.owner)[:8]}")


def held_by(command: Command, run: Run, held: Claim) -> Attempt | None:
    """Return the attempt if this claim still holds it; else note that its result came late."""
    attempt = first(Attempt, "id = %s FOR UPDATE", [held.id], only=KNOWN)
    if attempt is None:
        raise Attempt.DoesNotExist(held.id)
    if (attempt.token, attempt.owner, attempt.state) == (
        held.token,
        held.owner,
        AttemptState.RUNNING,
    ):
        attempt.run = run
        return attempt
    if (attempt.token, attempt.owner) == (held.token, held.owner) and attempt.state in SETTLED:
        # Its own commit, whose answer was lost with the connection: nothing comes late.
        command.refuse(Fenced("settled", f"Attempt {held.id} is {attempt.state} already."))
        return None
    command.recorder.record(
        run.stream,
        "attempt.late_result_discarded",
        subject=("attempt", held.id),
        data={"token": held.token, "state": attempt.state},
    )
    command.refuse(Fenced("fenced", f"Attempt {held.id} is {attempt.state} and no longer yours."))
    return None


def wanted_step(rows: Rows, attempt: Attempt) -> Step | None:
    """Return the attempt's step if anybody still waits for its result."""
    step = rows.step_of(attempt.step_id)
    wanted = step is not None and step.state == StepState.RUNNING and not attempt.cancel_requested
    return step if wanted else None


Settled = Callable[[Command, Rows, Attempt, Step], dict[str, object]]


def settle(held: Claim, name: str, change: Settled) -> Answer:
    """End an attempt under its token; one that nobody waits for any more is only closed.

    Raises Fenced where it was taken over, cancelled or lost meanwhile.
    """

    def body(command: Command, run: Run) -> dict[str, object]:
        attempt = held_by(command, run, held)
        if attempt is None:
            return {}
        rows = load(run)
        step = wanted_step(rows, attempt)
        if step is None:
            return cancel_open(command, run, attempt)
        data = change(command, rows, attempt, step)
        return {"attempt": attempt.pk, "state": attempt.state, "step": step.state, **data}

    return execute(actor=worker_of(held), name=name, lock=lambda: run_of(held.run_id), body=body)


def cancel_open(command: Command, run: Run, attempt: Attempt) -> dict[str, object]:
    """Close an attempt whose result nobody waits for any more."""
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
