"""That somebody looked at a gate: what has changed since is shown to them first."""

from personas.commands import Answer, Command, execute
from personas.ledger import Actor
from personas.models import User
from pipelines.runs.models import Gate, Look
from pipelines.runs.policies import Hat, not_looking, refuse
from pipelines.runs.talk import VISIT


def look(*, actor: Actor, gate: Gate, key: str | None = None) -> Answer:
    """Note that the person looked at what is under review. Raises NotAllowed without a seat.

    No event of the ledger: reading changes nothing. It locks the person's own row alone.
    """
    user = actor.user

    def body(command: Command, locked: Look | None) -> dict[str, object]:
        refuse(not_looking(Hat.of(user, gate.run) if user else None))
        assert user is not None
        found = locked or _new(user, gate, command)
        if command.now - found.at > VISIT:
            found.before_at, found.at = found.at, command.now
            found.save(update_fields=["at", "before_at"])
        before = found.before_at.isoformat() if found.before_at else None
        return {"gate": gate.pk, "at": found.at.isoformat(), "before_at": before}

    return execute(
        actor=actor,
        name="look",
        lock=lambda: _mine(user, gate),
        body=body,
        key=key,
        request={"gate": gate.pk},
    )


def _place(user: User, gate: Gate) -> dict[str, object]:
    return {
        "user": user,
        "gate": gate,
        "run_id": gate.run_id,
        "stage_key": gate.stage.key,
        "subject_digest": gate.subject_digest,
    }


def _mine(user: User | None, gate: Gate) -> Look | None:
    if user is None:
        return None
    return Look.objects.select_for_update().filter(**_place(user, gate)).first()


def _new(user: User, gate: Gate, command: Command) -> Look:
    """Two tabs at once make one row."""
    made = Look(**_place(user, gate), at=command.now)
    Look.objects.bulk_create([made], ignore_conflicts=True)
    return Look.objects.get(**_place(user, gate))
