"""What tests begin with is the same whether it was made or put back."""

import pytest

from personas import ledger
from personas.models import User
from pipelines.usecases.models import UseCase
from tests.cast import Cast, person
from tests.domain import engine as f


def seats(made: UseCase) -> set[tuple[str, str]]:
    return set(made.seats.values_list("user__username", "persona_id"))


@pytest.mark.parametrize("time", ["first", "again", "once more"])
def test_what_is_put_back_is_what_the_actions_make(cast: Cast, time: str) -> None:
    put, made = f.use_case(cast), f.use_case(cast)
    assert put.pk != made.pk
    assert seats(put) == seats(made)
    assert len(seats(put)) == 9  # of eight people: noor has two, iris none
    assert ledger.verify() is None
    assert person("zoe", "Zoe", ("DS",)).pk > max(user.pk for user in vars(cast).values())
    assert User.objects.count() == 10


def test_whoever_has_another_persona_has_its_seat(cast: Cast) -> None:
    cast.amara.personas.add("DS")
    assert ("amara", "DS") in seats(f.use_case(cast))
