"""Who may see a use case, and who may act as which persona on it."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from personas.errors import NotAllowed
from personas.models import User
from pipelines.usecases.models import Seat, UseCase


def visible(user: User) -> QuerySet[UseCase]:
    """Return the use cases this person may know of: seated, created by them, or `read_all`."""
    if user.can("read_all"):
        return UseCase.objects.all()
    seated = Seat.objects.filter(use_case=OuterRef("pk"), user=user, until=None)
    return UseCase.objects.filter(Q(created_by=user) | Exists(seated))


def may_see(user: User, use_case: UseCase) -> bool:
    """Whether the person may know of this use case."""
    return visible(user).filter(pk=use_case.pk).exists()


def personas_of(user: User, use_case_id: int) -> list[str]:
    """Return the personas whose open seats the person holds, in lane order."""
    if not user.is_active or user.is_service:
        return []
    seats = Seat.objects.filter(use_case_id=use_case_id, user=user, until=None)
    return list(seats.order_by("persona__lane").values_list("persona_id", flat=True))


def not_managing(user: User, use_case: UseCase) -> NotAllowed | None:
    """Return why the person may not change seats and settings of the use case, or None."""
    if user.can("users.manage") or user.can("run.manage"):
        return None
    if user.pk == use_case.created_by_id:
        return None
    return NotAllowed(
        "use_case.manage",
        "Only who framed the use case, or a manager, changes its seats and settings.",
    )
