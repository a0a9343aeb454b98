"""Fetch one row of what may be seen."""

from typing import TypeVar

from django.db import models
from django.db.models import (
    QuerySet,
)

from personas.errors import NotFound

Row = TypeVar("Row", bound=models.Model)


def one(rows: QuerySet[Row], pk: int, noun: str) -> Row:
    """Return the row of this id. Raises NotFound, naming the noun."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(noun.replace(" ", "_"), f"There is no {noun} {pk} that you may see.")
    return found
