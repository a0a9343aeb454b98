"""Statements that people signed, and the score over time."""

from typing import Final

from django.db.models import QuerySet

from personas.models import User
from pipelines.readiness.models import Attestation, Point
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import visible
from portal.access.rows import Seen


def _signed(seen: QuerySet[UseCase]) -> QuerySet[Attestation]:
    rows = Attestation.objects.filter(use_case__in=seen)
    return rows.select_related("use_case", "user", "ended_by", "run")


_ATTESTATION: Final = Seen("attestation", _signed)


def attestation_for(user: User, pk: int) -> Attestation:
    """Return the statement, with its use case and people. Raises NotFound."""
    return _ATTESTATION.one(user, pk)


def attestations_of(user: User) -> QuerySet[Attestation]:
    """Return every statement the person may see."""
    return _signed(visible(user))


def readiness_points_of(use_case: UseCase) -> QuerySet[Point]:
    """Return the score over time of a use case that was fetched here."""
    return Point.objects.filter(use_case=use_case)
