"""Moving a paused run to another version of its blueprint: look first, then do exactly that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid
from personas.ledger import Actor
from personas.models import User
from pipelines.blueprints.moving import KEPT, MovePlan, Wish
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import RunState
from pipelines.runs import moving
from pipelines.runs.actions import runs
from pipelines.runs.actions.inputs import clean_given
from pipelines.runs.actions.locks import run_of
from pipelines.runs.models import Run
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_managing, refuse
from pipelines.runs.rows import Rows, blueprint_at, load
from pipelines.runs.seen import must_be
from pipelines.usecases.models import BlueprintVersion

LONGEST_REASON = 10_000  # characters


@dataclass(frozen=True)
class Look:
    """What a move would do, as of now. `problems` are all that is against it; `seen` seals it."""

    run: Run
    version: BlueprintVersion
    new: Blueprint
    plan: MovePlan
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Any]
    problems: Mapping[str, list[str]]
    seen: str

    @property
    def possible(self) -> bool:
        """Whether the run can move like this."""
        return not self.problems


def look(
    *,
    actor: Actor,
    run: Run,
    version: BlueprintVersion,
    redo: Iterable[str] = (),
    rebind: Iterable[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Look:
    """Return what the move would do, and change nothing; the move itself asks this, too.

    Raises NotAllowed without `run.manage`, Conflict unless the run is paused or where the version
    cannot be moved to, Invalid for another blueprint's version.
    """
    refuse(not_managing(Hat.of(_person(actor), run), run))
    _suits(run, version)
    rows = load(run)
    wish = Wish(frozenset(redo), frozenset(rebind))
    return _look(rows, version, wish, dict(parameters or {}))


def _look(rows: Rows, version: BlueprintVersion, wish: Wish, given: Mapping[str, Any]) -> Look:
    new = blueprint_at(version)
    plan = moving.planned(rows, new, wish)
    problems = {f"{one.noun}.{one.name}": [one.why] for one in plan.refused}
    kept, inputs, wrong = _start(rows.run, new, given)
    return Look(
        run=rows.run,
        version=version,
        new=new,
        plan=plan,
        parameters=kept,
        inputs=inputs,
        problems={**problems, **wrong},
        seen=moving.seal(rows, new, plan, {"parameters": kept, "inputs": inputs}),
    )


def _start(
    run: Run, new: Blueprint, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[str]]]:
    """Return parameters and inputs as the new version has them, and what is wrong with them.

    What the run was started with stays; only what it never had may be given now.
    """
    known = {parameter.key for parameter in new.parameters}
    had = {name: value for name, value in run.parameters.items() if name in known}
    wrong = {
        f"parameters.{name}": ["was given when the run was created, and stays"]
        for name in given
        if name in had
    }
    inputs = {name: parts for name, parts in run.inputs.items() if name in _inputs(new)}
    try:
        cleaned = clean_given(new, {**given, **had}, inputs)
    except Invalid as error:
        return had, inputs, {**error.fields, **wrong}
    return *cleaned, wrong


def _inputs(blueprint: Blueprint) -> set[str]:
    return {entry.key for entry in blueprint.inputs}


def _suits(run: Run, version: BlueprintVersion) -> None:
    if run.state != RunState.PAUSED:
        raise Conflict(
            "run_not_paused",
            f"{run.label} is {run.state}; only a paused run moves to another version.",
            state=run.state,
        )
    if version.blueprint_id != run.version.blueprint_id:
        rule = f"is of {version.blueprint.key}; this run follows {run.version.blueprint.key}"
        raise Invalid("The run cannot move there.", fields={"version": [rule]})
    if version.pk == run.version_id:
        raise Conflict("same_version", f"{run.label} is on version {version.number} already.")
    if version.state != "published":
        raise Conflict(
            "version_retired",
            f"Version {version.number} of {version.blueprint.key} is {version.state}.",
            state=version.state,
        )


def move_run(
    *,
    actor: Actor,
    run: Run,
    version: BlueprintVersion,
    seen: str,
    reason: str,
    redo: Iterable[str] = (),
    rebind: Iterable[str] = (),
    parameters: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Answer:
    """Move a paused run to another version of its blueprint, exactly as `seen` says.

    Raises what `look` raises, Invalid with the whole list of what has no place, and Conflict
    (`stale_plan`) where the run is no more as it was looked at.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        rule = f"must have 1 to {LONGEST_REASON} characters"
        raise Invalid("A reason is needed.", fields={"reason": [rule]})
    wish = Wish(frozenset(redo), frozenset(rebind))
    given = dict(parameters or {})

    def body(command: Command, locked: Run) -> dict[str, object]:
        refuse(not_managing(Hat.of(_person(actor), locked), locked))
        # Nobody may retire the version while the run moves there.
        target = _locked(version)
        _suits(locked, target)
        rows = load(locked)
        found = _look(rows, target, wish, given)
        if not found.possible:
            raise Invalid(
                f"{locked.label} cannot move to version {target.number}.",
                fields={name: list(texts) for name, texts in found.problems.items()},
            )
        must_be(
            seen, found.seen, code="stale_plan",
            text=f"{locked.label} is not as it was when the move was looked at",
            state=locked.state, seen=found.seen,
        )  # fmt: skip
        return _carry_out(command, rows, found, reason)

    return execute(
        actor=actor,
        name="move_run",
        lock=lambda: run_of(run.pk),
        body=body,
        key=key,
        request={
            "run": run.pk,
            "version": version.pk,
            "seen": seen,
            "reason": reason,
            "redo": sorted(wish.redo),
            "rebind": sorted(wish.rebind),
            "parameters": given,
        },
    )


def _locked(version: BlueprintVersion) -> BlueprintVersion:
    rows = BlueprintVersion.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("blueprint").get(pk=version.pk)


def _carry_out(command: Command, rows: Rows, found: Look, reason: str) -> dict[str, object]:
    run, old = rows.run, rows.blueprint
    left = run.version
    moving.carry_out(command, rows, found.new, found.plan)
    move(
        command,
        run,
        "migrate",
        run=run,
        version=found.version,
        parameters=dict(found.parameters),
        inputs=dict(found.inputs),
        earlier_version_ids=[*run.earlier_version_ids, left.pk],
        data={"from_version": left.number, "to_version": found.version.number, "reason": reason},
        topic="run.moved",
    )
    changed = [one for one in found.plan.fates if one.fate != KEPT]
    command.recorder.record(
        run.stream,
        "run.version_pinned",
        subject=("run", run.pk),
        data={
            "digest": found.new.digest,
            "version": found.version.pk,
            "from_digest": old.digest,
            "from_version": left.pk,
            "plan": found.seen,
            "reason": reason,
            "changes": [[c.noun, c.name, c.change] for c in found.plan.changes.real],
            "fates": [[one.noun, one.name, one.state, one.fate] for one in changed],
        },
    )
    return {
        **runs.summary(run),
        "version": found.version.number,
        "redone": sorted(found.plan.redone),
        "seen": found.seen,
    }


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise Invalid("This needs a person.", fields={"actor": ["must be a person"]})
    return actor.user
