"""Fetch one row of what may be seen."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from django.db import models
from django.db.models import (
    QuerySet,
)

from personas.errors import NotFound
from personas.kept import Kept
from personas.models import User
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import visible_to

LARGEST: Final = 2**63 - 1  # that a row's id can be; an address may name a larger one
Row = TypeVar("Row", bound=models.Model)


class Seen(Generic[Row]):
    """Rows of use cases that somebody may see: which ones `rows` says, given those use cases."""

    def __init__(self, noun: str, rows: Callable[[QuerySet[UseCase]], QuerySet[Row]]) -> None:
        self.noun = noun
        self.of_all = Kept(lambda pk: rows(UseCase.objects.all()).filter(pk=pk), pk=int)
        self.of_some = Kept(
            lambda user_id, pk: rows(visible_to(user_id)).filter(pk=pk), user_id=int, pk=int
        )

    def one(self, user: User, pk: int) -> Row:
        """Return the row of this id. Raises NotFound, naming the noun."""
        if pk > LARGEST:
            raise _not_found(self.noun, pk)
        if user.can("read_all"):
            found = self.of_all.first(pk=pk)
        else:
            found = self.of_some.first(user_id=user.pk, pk=pk)
        if found is None:
            raise _not_found(self.noun, pk)
        return found


def one(rows: QuerySet[Row], pk: int, noun: str) -> Row:
    """Return the row of this id. Raises NotFound, naming the noun."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise _not_found(noun, pk)
    return found


def _not_found(noun: str, pk: int) -> NotFound:
    return NotFound(noun.replace(" ", "_"), f"There is no {noun} {pk} that you may see.")
