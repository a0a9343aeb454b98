"""What every part of the inbox shares: its rows, and the personas a person has where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from personas.models import User
from pipelines.runs.models import Run
from pipelines.runs.policies import Hat
from pipelines.usecases.models import Seat
from pipelines.usecases.policies import seats_worn_by

MOST = 50
RUN = ("run__use_case", "run__version")
URGENT_FIRST = F("due_at").asc(nulls_last=True)
Hats = Mapping[int, Hat]


@dataclass(frozen=True)
class InboxRow:
    """One line: what is asked, by whom, since when, until when, and what the button will do.

    `noun` and `pk` name the page it leads to; `act` the change the button makes at once
    (accept, claim, take) on `act_pk`, or "" where it only opens the page.
    """

    noun: str
    pk: int
    asked: str
    run: Run
    persona: str
    since: datetime
    by: str = ""
    due: datetime | None = None
    why: str = ""
    button: str = "Open"
    act: str = ""
    act_pk: int = 0
    state: str = ""


def hats_of(user: User) -> Hats:
    """Return the person's hats by use case, as a deputy, too; one query."""
    held: dict[int, list[Seat]] = {}
    for seat in seats_worn_by(user.pk).select_related("user").order_by("persona__lane"):
        held.setdefault(seat.use_case_id, []).append(seat)
    return {use_case: Hat.from_seats(user, seats) for use_case, seats in held.items()}


def wears(hats: Hats, run: Run, personas: Iterable[str]) -> bool:
    hat = hats.get(run.use_case_id)
    return hat is not None and any(hat.wears(persona) for persona in personas)


def codes_of(hats: Hats) -> list[str]:
    own = {persona for hat in hats.values() for persona in hat.personas}
    return sorted(own.union(*(one.personas for hat in hats.values() for one in hat.lent)))


def givers_of(hats: Hats) -> set[int]:
    """Return the ids of everybody the person is deputy for somewhere."""
    return {one.giver.pk for hat in hats.values() for one in hat.lent}


def stands_in(hats: Hats, run: Run, holder_id: int | None, personas: Iterable[str]) -> bool:
    """Whether the person is deputy of the holder as one of these personas, on the run."""
    hat = hats.get(run.use_case_id)
    return hat is not None and any(hat.stands_in_for(holder_id, persona) for persona in personas)
