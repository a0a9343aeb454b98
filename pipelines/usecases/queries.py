"""Reads of use cases, seats and blueprints."""

from datetime import datetime

from django.db.models import Q, QuerySet

from personas.models import User
from pipelines.usecases import policies
from pipelines.usecases.models import BlueprintVersion, Delegation, SavedView, Seat, UseCase


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


def delegations_of(user: User, moment: datetime) -> QuerySet[Delegation]:
    """Return the person's open delegations, given and held, whose time is not over at `moment`."""
    return (
        Delegation.objects.filter(Q(giver=user) | Q(deputy=user), ended_at=None, until__gt=moment)
        .select_related("giver", "deputy", "use_case", "created_by")
        .order_by("since", "id")
    )


def personas_held(user: User) -> list[str]:
    """Return the codes of the person's personas, in lane order."""
    return list(user.personas.order_by("lane").values_list("code", flat=True))


def possible_deputies(user: User, personas: list[str]) -> list[tuple[User, list[str]]]:
    """Return who could act for the person, with the personas they share; two queries."""
    people = candidates().filter(pk__in=User.objects.filter(personas__in=personas))
    shared = [
        (other, [one.code for one in other.personas.all() if one.code in personas])
        for other in people.exclude(pk=user.pk)
    ]
    return [(other, codes) for other, codes in shared if codes]


def published_versions() -> QuerySet[BlueprintVersion]:
    """Return the published version of each blueprint, by title."""
    return (
        BlueprintVersion.objects.filter(state="published")
        .select_related("blueprint")
        .order_by("blueprint__title")
    )


def saved_views(user: User, page: str) -> QuerySet[SavedView]:
    """Return the views that the person keeps of a page, by name."""
    return SavedView.objects.filter(user=user, page=page)
