"""Reads of use cases, seats and blueprints."""

from django.db.models import QuerySet

from personas.models import User
from pipelines.usecases import policies
from pipelines.usecases.models import BlueprintVersion, Seat, UseCase


def use_cases(user: User) -> QuerySet[UseCase]:
    """Return what this person may see, newest first, with blueprint and creator."""
    return policies.visible(user).select_related("blueprint", "created_by")


def seats_of(use_case: UseCase) -> QuerySet[Seat]:
    """Return the open seats, in lane order, with people and personas."""
    return use_case.seats.filter(until=None).select_related("user", "persona")


def candidates() -> QuerySet[User]:
    """Return the people who can take a seat, by name, with their personas."""
    people = User.objects.filter(is_active=True, is_service=False, personas__isnull=False)
    return people.distinct().order_by("name").prefetch_related("personas")


def published_versions() -> QuerySet[BlueprintVersion]:
    """Return the published version of each blueprint, by title."""
    return (
        BlueprintVersion.objects.filter(state="published")
        .select_related("blueprint")
        .order_by("blueprint__title")
    )
