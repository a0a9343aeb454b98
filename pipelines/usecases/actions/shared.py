"""What the actions on use cases share."""

from collections.abc import Mapping, Sequence

from personas.commands import Command
from personas.errors import Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import User
from pipelines.usecases.models import Seat, UseCase


def open_seat(command: Command, use_case: UseCase, user: User, persona: str) -> Seat:
    """Open a seat inside a command, with its event."""
    seat = Seat.objects.create(use_case=use_case, user=user, persona_id=persona)
    command.recorder.record(
        ("use_case", str(use_case.pk)),
        "seat.given",
        subject=("seat", seat.pk),
        data={"user": str(user), "persona": persona},
    )
    return seat


def lock_use_case(use_case: UseCase) -> UseCase:
    """Lock the use case's row."""
    return UseCase.objects.select_for_update().get(pk=use_case.pk)


def person_of(actor: Actor) -> User:
    """Return the person who acts. Raises NotAllowed where nobody does."""
    if actor.user is None:
        raise NotAllowed("actor.person", "This needs a person.")
    return actor.user


def refuse(message: str, problems: Mapping[str, Sequence[str]]) -> None:
    """Raise Invalid with the fields that have problems, if any has."""
    found = {field: texts for field, texts in problems.items() if texts}
    if found:
        raise Invalid(message, fields=found)
