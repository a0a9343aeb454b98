"""Rollback drills: go live and back for real, in a transaction that leaves nothing behind.

The moves are those of `go_live` and `roll_back`, with all their rules, triggers and constraints.
They are undone with their savepoint, so no caller is ever answered by a drill. What is kept is one
event in the model's stream. The model's row is locked meanwhile, for as long as `prove` takes:
whatever it loads should be in memory before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction

from personas.commands import Command, execute
from personas.errors import Conflict
from personas.ledger import Actor
from pipelines.lifecycles import ModelVersionState
from pipelines.registry import moves
from pipelines.registry.models import LIVE, Alias, Model, ModelVersion
from pipelines.runs.models import Run

DRILL = Actor("worker", "rollback drill")
REASON = "rollback drill"

P = TypeVar("P")


@dataclass
class Drill:
    """What a drill found: when, between which versions, and who answered after each switch.

    `before` answered all callers when it began; `back_to` is where rolling back leads. None: the
    fallback. `untouched`: what is deployed is the same as before.
    """

    at: str
    version: int
    before: int | None
    back_to: int | None
    untouched: bool


def version_of(run: Run) -> ModelVersion:
    """The run's newest version. Raises Conflict where there is none, or it is not approved."""
    version = (
        ModelVersion.objects.filter(run=run)
        .select_related("model", "package", "approval")
        .order_by("-number")
        .first()
    )
    if version is None:
        raise Conflict("version_not_registered", f"{run} has not registered its package yet.")
    if version.state != ModelVersionState.APPROVED:
        raise Conflict(
            "version_not_approved",
            f"{version} is {version.state}; only what may be deployed can be rolled back.",
            state=version.state,
        )
    return version


def earlier_of(version: ModelVersion) -> ModelVersion | None:
    """The approved version before this one: what is delivered as files goes back to that."""
    return (
        version.model.versions.filter(number__lt=version.number, state=ModelVersionState.APPROVED)
        .order_by("-number")
        .first()
    )


def rehearse(
    run: Run, prove: Callable[[ModelVersion | None], P], *, served: bool
) -> tuple[Drill, P, P]:
    """Go live and back, and let `prove` look who answers after each switch.

    `prove` is told which version should answer (None: the fallback), sees what only this
    transaction sees, and may raise. `served`: by deployments; else by the alias of what is
    delivered as files. Raises Conflict, Busy where the model stays locked for 2 s.
    """
    found: list[tuple[Drill, P, P]] = []

    def body(command: Command, model: Model) -> dict[str, object]:
        version = version_of(run)
        version.model = model
        standing = _standing(model)
        before = _live(model)
        mark = command.recorder.mark()
        with transaction.atomic():
            forward, back, back_to = (_served if served else _delivered)(command, version, prove)
            transaction.set_rollback(True)
        command.recorder.back_to(mark)
        drill = Drill(
            at=command.now.isoformat(),
            version=version.number,
            before=before,
            back_to=back_to.number if back_to else None,
            untouched=_standing(model) == standing,
        )
        command.recorder.record(
            model.stream,
            "model.drill",
            subject=("model", model.pk),
            data={
                "version": drill.version,
                "back_to": drill.back_to,
                "untouched": drill.untouched,
                "run": run.pk,
            },
        )
        found.append((drill, forward, back))
        return {}

    model = version_of(run).model
    execute(actor=DRILL, name="drill_rollback", lock=lambda: moves.lock_model(model.pk), body=body)
    return found[-1]


def _served(
    command: Command, version: ModelVersion, prove: Callable[[ModelVersion | None], P]
) -> tuple[P, P, ModelVersion | None]:
    moves.to_all(command, version, approval=version.approval, run=version.run)
    forward = prove(version)
    restored = moves.take_back(command, version.model, reason=REASON)
    back_to = restored.version if restored else None
    return forward, prove(back_to), back_to


def _delivered(
    command: Command, version: ModelVersion, prove: Callable[[ModelVersion | None], P]
) -> tuple[P, P, ModelVersion | None]:
    moves.point(command, version, reason=REASON)
    forward = prove(_pointed(version.model))
    earlier = earlier_of(version)
    if earlier is None:
        moves.unpoint(command, version.model, reason=REASON)
    else:
        moves.point(command, earlier, reason=REASON)
    return forward, prove(_pointed(version.model)), earlier


def _pointed(model: Model) -> ModelVersion | None:
    found = Alias.objects.filter(model=model, name=moves.CHAMPION).select_related("version").first()
    return found.version if found else None


def _live(model: Model) -> int | None:
    live = moves.open_deployments(model, LIVE)
    return live[0].version.number if live else None


def _standing(model: Model) -> tuple[object, ...]:
    """What is deployed and pointed to, as the database has it now."""
    deployed = sorted((one.pk, one.mode, one.share) for one in moves.open_deployments(model))
    aliases = sorted(Alias.objects.filter(model=model).values_list("name", "version_id"))
    return tuple(deployed), tuple(aliases)
