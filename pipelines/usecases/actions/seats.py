"""Give and end seats."""

from personas.commands import Answer, Command, execute
from personas.errors import Conflict
from personas.ledger import Actor, last_change
from personas.models import Persona, User
from pipelines.usecases import policies
from pipelines.usecases.actions.shared import lock_use_case, open_seat, person_of, refuse
from pipelines.usecases.models import Seat, UseCase


def give_seat(
    *, actor: Actor, use_case: UseCase, user: User, persona: str, key: str | None = None
) -> Answer:
    """Let a person act as a persona on a use case. Raises Invalid, NotAllowed, Conflict."""
    giver = person_of(actor)
    refusal = policies.not_managing(giver, use_case)
    if refusal:
        raise refusal
    problems = {"persona": [], "user": []}  # type: dict[str, list[str]]
    if not Persona.objects.filter(code=persona).exists():
        problems["persona"].append(f"unknown persona {persona!r}")
    elif not user.personas.filter(code=persona).exists():
        problems["persona"].append(f"{user} does not hold the persona {persona}")
    if not user.is_active or user.is_service:
        problems["user"].append(f"{user} cannot take a seat: inactive, or a service account")
    refuse("The seat cannot be given.", problems)

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        held = Seat.objects.filter(use_case=locked, user=user, persona_id=persona, until=None)
        taken = held.first()
        if taken is not None:
            told = last_change(("use_case", str(locked.pk)), ("seat", taken.pk))
            told = {"at": taken.since, **told, "state": "open"}
            raise Conflict("seat_taken", f"{user} holds this seat already.", **told)
        seat = open_seat(command, locked, user, persona)
        return {"seat": seat.pk, "use_case": locked.pk}

    return execute(
        actor=actor,
        name="give_seat",
        lock=lambda: lock_use_case(use_case),
        body=body,
        key=key,
        request={"use_case": use_case.pk, "user": user.pk, "persona": persona},
    )


def end_seat(*, actor: Actor, seat: Seat) -> Answer:
    """End a seat from now on; what the person did stays theirs. Raises NotAllowed, Conflict."""
    giver = person_of(actor)
    refusal = policies.not_managing(giver, seat.use_case)
    if refusal and giver.pk != seat.user_id:
        raise refusal

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        ended = Seat.objects.filter(pk=seat.pk, until=None).update(until=command.now)
        if not ended:
            raise Conflict("seat_ended", "This seat has ended already.", state="ended")
        command.recorder.record(
            ("use_case", str(locked.pk)),
            "seat.ended",
            subject=("seat", seat.pk),
            data={"user": str(seat.user), "persona": seat.persona_id},
        )
        return {"seat": seat.pk}

    return execute(
        actor=actor,
        name="end_seat",
        lock=lambda: lock_use_case(seat.use_case),
        body=body,
        request={"seat": seat.pk},
    )
