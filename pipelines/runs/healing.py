"""Content that is gone from storage, or altered there: found when it is read, and computed again.

Content is named by its digest and operations are deterministic, so what made it can make it again,
byte for byte. No row changes: the result stays the one that was accepted, and the run's ledger
says that its content had to be made anew.
"""

from dataclasses import replace

from personas.commands import Command, execute
from personas.ledger import Actor
from pipelines import catalogue
from pipelines.lifecycles import AttemptState
from pipelines.runs.actions.locks import run_of
from pipelines.runs.claims import Claim
from pipelines.runs.models import Attempt, Run

MADE_FROM = (
    *("step_id", "run_id", "operation", "operation_version", "package"),
    *("params", "inputs", "seed"),
)


def maker_of(digest: str, *, run_id: int) -> Attempt | None:
    """Return the run's attempt whose output this is, if it can be computed again here.

    What people brought has no maker. What a feed made just in time, or other code computed, would
    not come out the same.
    """
    rows = Attempt.objects.filter(run_id=run_id, state=AttemptState.SUCCEEDED)
    for attempt in rows.only(*MADE_FROM, "outputs").order_by("id"):
        if digest in {output["digest"] for output in attempt.outputs.values()}:
            return attempt if _repeats(attempt) else None
    return None


def _repeats(attempt: Attempt) -> bool:
    if not catalogue.knows(attempt.operation) or attempt.inputs.get("feeds"):
        return False
    spec = catalogue.spec(attempt.operation)
    # What a connection led to then, it may not lead to now.
    same = catalogue.same_code(attempt.operation, attempt.operation_version, attempt.package)
    return spec.repeatable and not spec.connects and same


def as_it_was(held: Claim, maker: Attempt) -> Claim:
    """Return what the maker was asked to compute, on behalf of the attempt that needs it now."""
    return replace(
        held,
        operation=maker.operation,
        params=maker.params,
        inputs=maker.inputs,
        seed=maker.seed,
        package=maker.package,
    )


def note(held: Claim, maker: Attempt, *, digest: str, found: str) -> None:
    """Write into the run's ledger that content was made anew, and what had been found."""

    def body(command: Command, run: Run) -> dict[str, object]:
        command.recorder.record(
            run.stream,
            "artefact.recomputed",
            subject=("attempt", maker.pk),
            data={"digest": digest, "found": found, "needed_by": held.id},
        )
        return {}

    execute(
        actor=Actor("worker", f"worker {str(held.owner)[:8]}"),
        name="note_recomputed",
        lock=lambda: run_of(held.run_id),
        body=body,
    )
