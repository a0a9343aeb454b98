"""How every command locks: the run first, then what hangs on it. Nobody locks upward."""

from personas.errors import Conflict, NotFound
from personas.ledger import last_change
from personas.models import User
from pipelines.lifecycles import RunState
from pipelines.runs.models import Run
from pipelines.runs.reading import first


def run_of(pk: int) -> Run:
    """Lock the run; all commands of one run wait for each other here. Raises NotFound."""
    run = first(Run, "id = %s FOR UPDATE", [pk])
    if run is None:
        raise NotFound("run", f"There is no run {pk}.")
    return run


def must_run(run: Run) -> None:
    """Raise Conflict unless the run is RUNNING, saying what it is."""
    if run.state == RunState.RUNNING:
        return
    code = "run_paused" if run.state == RunState.PAUSED else "run_not_running"
    told = last_change(run.stream, ("run", run.pk))
    raise Conflict(
        code,
        f"{run.label} is {run.state} by {told.get('by', 'nobody')}; this needs a running one.",
        **{**told, "state": run.state, "reason": run.reason},
    )


def name_of(user: User | None) -> str:
    """Return a person's name for an answer, or nobody's."""
    return str(user) if user is not None else "nobody"
