"""Roll back and retire models. Registering and deploying are effects of runs."""

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from pipelines.lifecycles import ModelVersionState
from pipelines.registry import moves, policies
from pipelines.registry.models import Model, ModelVersion


def roll_back(*, actor: Actor, model: Model, reason: str, key: str | None = None) -> Answer:
    """End the canary, else put the live version before the present one back.

    Where there is none the fallback answers. Raises NotAllowed, Invalid without a reason,
    Conflict where nothing is deployed.
    """
    _need(reason)

    def body(command: Command, locked: Model) -> dict[str, object]:
        if actor.user is not None:
            _refuse(policies.not_rolling_back(actor.user, locked))
        restored = moves.take_back(command, locked, reason=f"rolled back: {reason}")
        command.recorder.record(
            locked.stream,
            "model.roll_back",
            subject=("model", locked.pk),
            data={"reason": reason, "to": restored.version.number if restored else None},
            topic="model.rolled_back",
        )
        return summary(locked)

    return execute(
        actor=actor,
        name="roll_back",
        lock=lambda: moves.lock_model(model.pk),
        body=body,
        key=key,
        request={"model": model.pk, "reason": reason},
    )


def retire(*, actor: Actor, model: Model, reason: str, key: str | None = None) -> Answer:
    """Retire the model and its use case: nothing answers any more, the records stay.

    Raises NotAllowed, Invalid without a reason, Conflict where it is retired already.
    """
    _need(reason)

    def body(command: Command, locked: Model) -> dict[str, object]:
        if actor.user is not None:
            _refuse(policies.not_retiring(actor.user, locked))
        if locked.use_case.retired_at is not None:
            raise Conflict("already_retired", f"{locked} is retired already.")
        for deployment in moves.open_deployments(locked):
            moves.end(command, deployment, reason=f"retired: {reason}")
        moves.unpoint(command, locked, reason=f"retired: {reason}")
        for version in _not_retired(locked):
            moves.move_version(command, version, "retire", data={"reason": reason})
        locked.use_case.retired_at = command.now
        locked.use_case.save(update_fields=["retired_at"])
        command.recorder.record(
            locked.stream,
            "model.retire",
            subject=("model", locked.pk),
            data={"reason": reason, "use_case": locked.use_case.key},
            topic="model.retired",
        )
        return summary(locked)

    return execute(
        actor=actor,
        name="retire_model",
        lock=lambda: moves.lock_model(model.pk),
        body=body,
        key=key,
        request={"model": model.pk, "reason": reason},
    )


def _not_retired(model: Model) -> list[ModelVersion]:
    found = model.versions.exclude(state=ModelVersionState.RETIRED).select_related("model")
    return list(found.order_by("pk"))


def summary(model: Model) -> dict[str, object]:
    """What a command on a model answers: what is deployed now."""
    return {
        "model": model.name,
        "deployed": [
            {"mode": one.mode, "version": one.version.number, "share": one.share}
            for one in moves.open_deployments(model)
        ],
    }


def _need(reason: str) -> None:
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})


def _refuse(error: NotAllowed | None) -> None:
    if error is not None:
        raise error
