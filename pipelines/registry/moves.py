"""Moves of the registry's rows, each with its event in the model's stream."""

from collections.abc import Mapping

from personas.commands import Command
from personas.errors import Conflict
from pipelines import lifecycles
from pipelines.lifecycles import MODEL_VERSION, IllegalMove, ModelVersionState
from pipelines.registry.models import (
    CANARY,
    LIVE,
    SHADOW,
    Alias,
    AliasMove,
    Deployment,
    Model,
    ModelVersion,
)
from pipelines.runs.models import Gate, Run

CHAMPION = "champion"


def lock_model(pk: int) -> Model:
    """Lock the model's row: whoever registers, deploys or rolls back waits here."""
    return (
        Model.objects.select_for_update(of=("self",), no_key=True)
        .select_related("use_case")
        .get(pk=pk)
    )


def move_version(
    command: Command,
    version: ModelVersion,
    event: str,
    *,
    data: Mapping[str, object] | None = None,
    **fields: object,
) -> None:
    """Move a version along its life cycle. Raises Conflict where it has no such move."""
    before = version.state
    try:
        version.state = lifecycles.move(MODEL_VERSION, before, event)
    except IllegalMove as error:
        raise Conflict(
            "illegal_move", f"{version} is {before}; {event!r} is not possible now.", state=before
        ) from error
    for name, value in fields.items():
        setattr(version, name, value)
    version.save(update_fields=["state", *fields])
    command.recorder.record(
        version.model.stream,
        f"model_version.{event}",
        subject=("model_version", version.pk),
        before=before,
        after=version.state,
        data={"number": version.number, "package": version.package_id, **(data or {})},
        topic=f"model_version.{event}",
    )


def start(
    command: Command,
    version: ModelVersion,
    *,
    mode: str,
    approval: Gate | None,
    run: Run | None,
    share: float = 1.0,
) -> Deployment:
    """Make a version answer; what was deployed in this mode ends.

    Raises Conflict where the version is not approved.
    """
    if version.state != ModelVersionState.APPROVED:
        raise Conflict(
            "version_not_approved",
            f"{version} is {version.state}; only an approved version is deployed.",
            state=version.state,
        )
    for earlier in open_deployments(version.model, mode):
        end(command, earlier, reason=f"{version} took its place")
    deployment = Deployment.objects.create(
        model=version.model,
        version=version,
        mode=mode,
        share=share,
        approval=approval,
        run=run,
        started_by=command.actor.user,
        started_at=command.now,
    )
    command.recorder.record(
        version.model.stream,
        "deployment.start",
        subject=("deployment", deployment.pk),
        after=mode,
        data={"version": version.number, "share": share, "gate": approval.pk if approval else None},
        topic="deployment.started",
    )
    if mode == LIVE:
        point(command, version, reason="went live")
    return deployment


def to_all(
    command: Command, version: ModelVersion, *, approval: Gate | None, run: Run | None
) -> Deployment:
    """Let a version answer all callers; shadow, canary and the champion before it end.

    Raises Conflict where the version is not approved.
    """
    for earlier in open_deployments(version.model, SHADOW, CANARY):
        end(command, earlier, reason="it went live")
    return start(command, version, mode=LIVE, approval=approval, run=run)


def take_back(command: Command, model: Model, *, reason: str) -> Deployment | None:
    """End the canary, else put the live version before the present one back.

    Returns what was put back; None where a canary ended, or the fallback answers now.
    Raises Conflict where nothing is deployed.
    """
    canaries = open_deployments(model, CANARY)
    ended = canaries or open_deployments(model, LIVE)
    if not ended:
        raise Conflict("nothing_deployed", f"Nothing of {model} is deployed.")
    for deployment in ended:
        end(command, deployment, reason=reason)
    return None if canaries else _restore(command, ended[0], reason)


def _restore(command: Command, ended: Deployment, reason: str) -> Deployment | None:
    """Deploy the version that was live before, if it is still approved."""
    before = (
        Deployment.objects.filter(model=ended.model, mode=LIVE, pk__lt=ended.pk)
        .exclude(version=ended.version)
        .filter(version__state=ModelVersionState.APPROVED)
        .select_related("version__model", "approval", "run")
        .order_by("-id")
        .first()
    )
    if before is None:
        unpoint(command, ended.model, reason=reason)
        return None
    return start(command, before.version, mode=LIVE, approval=before.approval, run=before.run)


def end(command: Command, deployment: Deployment, *, reason: str) -> None:
    """Stop a deployment from answering."""
    deployment.ended_at = command.now
    deployment.ended_by = command.actor.user
    deployment.ended_reason = reason[:200]
    deployment.save(update_fields=["ended_at", "ended_by", "ended_reason"])
    command.recorder.record(
        deployment.model.stream,
        "deployment.end",
        subject=("deployment", deployment.pk),
        before=deployment.mode,
        data={"version": deployment.version.number, "reason": reason},
        topic="deployment.ended",
    )


def open_deployments(model: Model, *modes: str) -> list[Deployment]:
    """Deployments that answer now, of these modes or of all."""
    found = model.deployments.filter(ended_at=None).select_related("version", "model")
    return list(found.filter(mode__in=modes) if modes else found)


def point(command: Command, version: ModelVersion, *, reason: str, name: str = CHAMPION) -> None:
    """Point an alias to a version and keep what it pointed to before."""
    Alias.objects.update_or_create(model=version.model, name=name, defaults={"version": version})
    _moved(command, version.model, name, version=version, reason=reason)


def unpoint(command: Command, model: Model, *, reason: str, name: str = CHAMPION) -> None:
    """Let an alias point to nothing."""
    deleted, _ = Alias.objects.filter(model=model, name=name).delete()
    if deleted:
        _moved(command, model, name, version=None, reason=reason)


def _moved(
    command: Command, model: Model, name: str, *, version: ModelVersion | None, reason: str
) -> None:
    AliasMove.objects.create(
        model=model, name=name, version=version, at=command.now, by=command.actor.user,
        reason=reason[:200],
    )  # fmt: skip
    command.recorder.record(
        model.stream,
        "alias.move",
        subject=("model", model.pk),
        data={"alias": name, "version": version.number if version else None, "reason": reason},
    )
