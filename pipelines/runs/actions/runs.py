"""Create, start, pause, resume, cancel runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid
from personas.ledger import Actor
from personas.models import User
from pipelines.artefacts import connections
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import AttemptState, RunState
from pipelines.runs import deadlines, dispatch, rounds
from pipelines.runs.actions.inputs import clean_given
from pipelines.runs.actions.locks import run_of
from pipelines.runs.advance import advance
from pipelines.runs.models import Attempt, Run
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_managing, not_starting, refuse
from pipelines.runs.rows import blueprint_of, load
from pipelines.usecases.models import BlueprintVersion, UseCase

CANCEL_GRACE = 60  # seconds a child gets to see that its run is cancelled


def create(
    *,
    actor: Actor,
    use_case: UseCase,
    version: BlueprintVersion,
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    seed: int = 2013,
    start: bool = True,
    key: str | None = None,
) -> Answer:
    """Create a run, and start it unless told otherwise. Raises Invalid with all fields at once.

    What is not given comes from the use case, where the run follows its own blueprint.
    """
    own = version.blueprint_id == use_case.blueprint_id
    if use_case.blueprint is not None and not own and version.blueprint.kind == "main":
        # Whoever starts a run must not choose the gates it has to pass.
        rule = f"this use case follows {use_case.blueprint.key}, not {version.blueprint.key}"
        raise Invalid("The run cannot be created.", fields={"blueprint": [rule]})
    if parameters is None:
        parameters = use_case.parameters if own else {}
    if inputs is None:
        inputs = use_case.inputs if own else {}
    request = {
        "use_case": use_case.pk,
        "version": version.pk,
        "parameters": parameters,
        "inputs": inputs,
        "seed": seed,
        "start": start,
    }

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        _check_source(locked, parameters)
        run = create_within(
            command,
            use_case=locked,
            version=version,
            parameters=parameters,
            inputs=inputs,
            seed=seed,
        )
        if start:
            _start(command, run)
        return summary(run)

    return execute(
        actor=actor,
        name="create_run",
        lock=lambda: _lock_use_case(use_case),
        body=body,
        key=key,
        request=request,
    )


def _check_source(use_case: UseCase, parameters: Mapping[str, Any]) -> None:
    """A person is told now what the fetch would only find later. Raises Invalid.

    A run that an alert begins is not: it waits for help at the step, as the connection may be back.
    """
    problems = connections.problems_of(connections.Source.of(parameters), use_case=use_case.key)
    if problems:
        fields = {f"parameters.{name}": texts for name, texts in problems.items()}
        raise Invalid("The run cannot be created.", fields=fields)


def _lock_use_case(use_case: UseCase) -> UseCase:
    # Two runs created at once must not take the same number.
    return UseCase.objects.select_for_update().get(pk=use_case.pk)


def create_within(
    command: Command,
    *,
    use_case: UseCase,
    version: BlueprintVersion,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Sequence[Mapping[str, str]]],
    seed: int = 2013,
    trigger: Mapping[str, Any] | None = None,
) -> Run:
    """Create a run inside another command (an alert's effect opens the next run so)."""
    run = Run(
        use_case=use_case,
        version=version,
        kind=version.blueprint.kind,
        seed=seed,
        trigger=dict(trigger or {}),
        created_by=command.actor.user,
        moved_at=command.now,
    )
    if command.actor.user is not None:
        refuse(not_starting(Hat.of(command.actor.user, run), run))
    blueprint = blueprint_of(run)
    if version.state != "published":
        raise Conflict(
            "version_retired",
            f"Version {version.number} of {blueprint.key} is {version.state}; take the latest.",
            state=version.state,
        )
    if use_case.retired_at is not None:
        raise Conflict("use_case_retired", f"{use_case} is retired.", state="retired")
    run.parameters, run.inputs = clean_given(blueprint, parameters, inputs)
    last = use_case.runs.filter(kind=run.kind).aggregate(last=Max("number"))["last"] or 0
    run.number = last + 1
    _write(command, run, blueprint)
    return run


def _write(command: Command, run: Run, blueprint: Blueprint) -> None:
    """The stream is named by the run's id, so the row comes before its event."""
    run.state = RunState.PENDING
    run.save(force_insert=True)
    command.recorder.record(
        run.stream,
        "run.create",
        subject=("run", run.pk),
        after=run.state,
        topic="run.created",
        data={"use_case": run.use_case.key, "blueprint": blueprint.key, "trigger": run.trigger},
    )
    command.recorder.record(
        run.stream,
        "run.version_pinned",
        subject=("run", run.pk),
        data={"digest": blueprint.digest, "version": run.version_id},
    )


def start(*, actor: Actor, run: Run, key: str | None = None) -> Answer:
    """Start a run that was only created. Raises Conflict where it is started already."""

    def body(command: Command, locked: Run) -> dict[str, object]:
        if actor.user is not None:
            refuse(not_starting(Hat.of(actor.user, locked), locked))
        _start(command, locked)
        return summary(locked)

    return execute(
        actor=actor,
        name="start_run",
        lock=lambda: run_of(run.pk),
        body=body,
        key=key,
        request={"run": run.pk},
    )


def _start(command: Command, run: Run) -> None:
    move(command, run, "start", run=run, started_at=command.now)
    advance(command, run)


def start_within(command: Command, run: Run) -> None:
    """Start a run inside the command that created it."""
    _start(command, run)


def pause(*, actor: Actor, run: Run, reason: str, key: str | None = None) -> Answer:
    """Pause: no new claims; what runs finishes; decisions are refused; deadlines stop."""
    _reason(reason)

    def body(command: Command, locked: Run) -> dict[str, object]:
        refuse(not_managing(Hat.of(_user(actor), locked), locked))
        move(
            command,
            locked,
            "pause",
            run=locked,
            paused_at=command.now,
            reason=reason,
            data={"reason": reason},
        )
        return summary(locked)

    return execute(
        actor=actor,
        name="pause_run",
        lock=lambda: run_of(run.pk),
        body=body,
        key=key,
        request={"run": run.pk, "reason": reason},
    )


def resume(*, actor: Actor, run: Run, key: str | None = None) -> Answer:
    """Resume: every open deadline has the working time left that it had before the pause."""

    def body(command: Command, locked: Run) -> dict[str, object]:
        refuse(not_managing(Hat.of(_user(actor), locked), locked))
        if locked.paused_at is None:
            raise Conflict("illegal_move", f"{locked.label} is {locked.state}.", state=locked.state)
        shift = command.now - locked.paused_at
        deadlines.resume(command, locked, since=locked.paused_at)
        move(
            command,
            locked,
            "resume",
            run=locked,
            paused_at=None,
            reason="",
            data={"shifted_seconds": shift.total_seconds()},
        )
        advance(command, locked)
        for attempt in Attempt.objects.filter(run=locked, state=AttemptState.QUEUED):
            dispatch.poke(command, attempt)
        return summary(locked)

    return execute(
        actor=actor,
        name="resume_run",
        lock=lambda: run_of(run.pk),
        body=body,
        key=key,
        request={"run": run.pk},
    )


def cancel(*, actor: Actor, run: Run, reason: str, key: str | None = None) -> Answer:
    """Cancel: nothing starts any more; running children get up to a minute to be stopped."""
    _reason(reason)

    def body(command: Command, locked: Run) -> dict[str, object]:
        refuse(not_managing(Hat.of(_user(actor), locked), locked, initiator=True))
        rows = load(locked)
        rounds.end_run(command, rows, event="cancel", reason=reason)
        settle_cancelled(command, locked)
        return summary(locked)

    return execute(
        actor=actor,
        name="cancel_run",
        lock=lambda: run_of(run.pk),
        body=body,
        key=key,
        request={"run": run.pk, "reason": reason},
    )


def settle_cancelled(command: Command, run: Run) -> None:
    """CANCELLING becomes CANCELLED once no attempt runs any more."""
    if run.state != RunState.CANCELLING:
        return
    if not Attempt.objects.filter(run=run, state=AttemptState.RUNNING).exists():
        move(command, run, "settle", run=run, finished_at=command.now, topic="run.cancelled")


def give_up(*, actor: Actor, run: Run, reason: str, key: str | None = None) -> Answer:
    """Give the run up: it FAILED, for the reason that is given."""
    _reason(reason)

    def body(command: Command, locked: Run) -> dict[str, object]:
        refuse(not_managing(Hat.of(_user(actor), locked), locked, initiator=True))
        rounds.end_run(command, load(locked), event="give_up", reason=reason)
        return summary(locked)

    return execute(
        actor=actor,
        name="give_up_run",
        lock=lambda: run_of(run.pk),
        body=body,
        key=key,
        request={"run": run.pk, "reason": reason},
    )


def _reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})


def _user(actor: Actor) -> User:
    if actor.user is None:
        raise Invalid("This needs a person.", fields={"actor": ["must be a person"]})
    return actor.user


def summary(run: Run) -> dict[str, object]:
    """Return what an answer says of a run."""
    return {"run": run.pk, "label": run.label, "state": run.state, "use_case": run.use_case.key}
