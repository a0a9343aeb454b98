"""Who may see a use case, and who may act as which persona on it."""

from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from personas.errors import NotAllowed
from personas.kept import Kept
from personas.models import BatonNow, User
from pipelines.usecases.models import Delegation, Seat, UseCase


def visible(user: User) -> QuerySet[UseCase]:
    """Return the use cases this person may know of: seated or deputy, created, or `read_all`."""
    return UseCase.objects.all() if user.can("read_all") else visible_to(user.pk)


def visible_to(user_id: int) -> QuerySet[UseCase]:
    """Return the use cases somebody without `read_all` may know of."""
    seated = seats_worn_by(user_id).filter(use_case=OuterRef("pk"))
    return UseCase.objects.filter(Q(created_by_id=user_id) | Exists(seated))


def under_way() -> QuerySet[Delegation]:
    """Return the delegations and absences of this moment, by the database's clock."""
    now = BatonNow()
    return Delegation.objects.filter(since__lte=now, until__gt=now, ended_at=None)


def seats_worn_by(user_id: int) -> QuerySet[Seat]:
    """Return the open seats the person may act from: their own, and those they are deputy for.

    A deputy holds the persona themselves, and the giver is active: both are judged at this moment.
    """
    mine = under_way().filter(
        deputy_id=user_id, deputy__personas=F("persona"), giver__is_active=True
    )
    lent = mine.filter(giver=OuterRef("user"), persona=OuterRef("persona")).filter(
        Q(use_case=None) | Q(use_case=OuterRef("use_case"))
    )
    # Who gave anything is found once; without it, each seat there is was judged one by one.
    from_givers = Q(user__in=mine.order_by().values("giver")) & Q(Exists(lent))
    return Seat.objects.filter(Q(user_id=user_id) | from_givers, until=None)


def may_see(user: User, use_case: UseCase) -> bool:
    """Whether the person may know of this use case."""
    return visible(user).filter(pk=use_case.pk).exists()


def _own_seats(user_id: int, use_case_id: int) -> QuerySet[Seat]:
    seats = Seat.objects.filter(use_case_id=use_case_id, user_id=user_id, until=None)
    return seats.order_by("persona__lane")


_OWN: Final = Kept(_own_seats, user_id=int, use_case_id=int)


def personas_of(user: User, use_case_id: int) -> list[str]:
    """Return the personas whose open seats the person holds, in lane order."""
    if not user.is_active or user.is_service:
        return []
    return [seat.persona_id for seat in _OWN.all(user_id=user.pk, use_case_id=use_case_id)]


def not_delegating(user: User, giver: User, deputy: User | None) -> NotAllowed | None:
    """Return why the person may not say that `giver` is away, with `deputy` in their place.

    Everybody speaks for themselves; who manages people also for one who cannot, but never to
    their own gain.
    """
    if user.is_service:
        return NotAllowed("actor.person", "Only people delegate.")
    if user.pk == giver.pk:
        return None
    if deputy is not None and deputy.pk == user.pk:
        return NotAllowed("delegation.self", "Nobody makes themselves a deputy.")
    if user.can("users.manage"):
        return None
    return NotAllowed("delegation.giver", f"Only {giver} says who acts for {giver}.")


def not_ending(user: User, delegation: Delegation) -> NotAllowed | None:
    """Return why the person may not end the delegation: both sides may, and who manages people."""
    if user.pk in (delegation.giver_id, delegation.deputy_id) or user.can("users.manage"):
        return None
    return NotAllowed("delegation.giver", "Only the two it concerns end a delegation.")


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
