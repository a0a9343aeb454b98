"""Answer alerts."""

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotFound
from personas.ledger import Actor
from pipelines import lifecycles
from pipelines.lifecycles import ALERT, IllegalMove
from pipelines.monitoring import policies
from pipelines.monitoring.models import Alert


def acknowledge(*, actor: Actor, alert: Alert, key: str | None = None) -> Answer:
    """Say that one is on it. Raises NotAllowed, Conflict where somebody was first."""

    def body(command: Command, locked: Alert) -> dict[str, object]:
        _refuse(actor, locked)
        _move(command, locked, "acknowledge")
        locked.acknowledged_by, locked.acknowledged_at = actor.user, command.now
        locked.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
        return _summary(locked)

    return execute(
        actor=actor, name="acknowledge_alert", lock=lambda: _lock(alert.pk), body=body, key=key,
        request={"alert": alert.pk},
    )  # fmt: skip


def resolve(*, actor: Actor, alert: Alert, resolution: str, key: str | None = None) -> Answer:
    """Close an alert, saying what was done. Raises NotAllowed, Invalid, Conflict."""
    if not resolution.strip():
        raise Invalid("Say what was done.", fields={"resolution": ["must not be empty"]})

    def body(command: Command, locked: Alert) -> dict[str, object]:
        _refuse(actor, locked)
        _move(command, locked, "resolve")
        locked.resolved_by, locked.resolved_at = actor.user, command.now
        locked.resolution = resolution
        locked.save(update_fields=["state", "resolved_by", "resolved_at", "resolution"])
        return _summary(locked)

    return execute(
        actor=actor, name="resolve_alert", lock=lambda: _lock(alert.pk), body=body, key=key,
        request={"alert": alert.pk, "resolution": resolution},
    )  # fmt: skip


def _lock(pk: int) -> Alert:
    rows = Alert.objects.select_for_update(of=("self",)).select_related("model")
    alert = rows.filter(pk=pk).first()
    if alert is None:
        raise NotFound("alert", f"There is no alert {pk}.")
    return alert


def _refuse(actor: Actor, alert: Alert) -> None:
    refusal = policies.not_answering(actor.user, alert) if actor.user else None
    if refusal is not None:
        raise refusal


def _move(command: Command, alert: Alert, event: str) -> None:
    before = alert.state
    try:
        alert.state = lifecycles.move(ALERT, before, event)
    except IllegalMove as error:
        raise Conflict(
            "illegal_move", f"The alert is {before}; {event!r} is not possible now.",
            state=before, by=str(alert.resolved_by or alert.acknowledged_by or ""),
            at=alert.resolved_at or alert.acknowledged_at,
        ) from error  # fmt: skip
    command.recorder.record(
        alert.model.stream,
        f"alert.{event}",
        subject=("alert", alert.pk),
        before=before,
        after=alert.state,
        topic=f"alert.{event}",
    )


def _summary(alert: Alert) -> dict[str, object]:
    return {"alert": alert.pk, "state": alert.state}
