"""What every part of the inbox shares: its rows, and the personas a person has where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from personas.models import User
from pipelines.runs.models import Run
from pipelines.runs.policies import Hat
from pipelines.usecases.models import Seat

MOST = 100
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
    """Return the person's hats by use case."""
    held: dict[int, list[str]] = {}
    seats = Seat.objects.filter(user=user, until=None).order_by("persona__lane")
    for use_case, persona in seats.values_list("use_case_id", "persona_id"):
        held.setdefault(use_case, []).append(persona)
    return {use_case: Hat(user, personas) for use_case, personas in held.items()}


def wears(hats: Hats, run: Run, personas: Iterable[str]) -> bool:
    hat = hats.get(run.use_case_id)
    return hat is not None and any(hat.wears(persona) for persona in personas)


def codes_of(hats: Hats) -> list[str]:
    return sorted({persona for hat in hats.values() for persona in hat.personas})
