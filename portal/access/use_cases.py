"""Use cases, seats and blueprints."""

from django.db.models import (
    Max,
    Prefetch,
    Q,
    QuerySet,
)

from personas.errors import Invalid, NotFound
from personas.models import User
from pipelines.usecases.models import Blueprint, BlueprintVersion, Delegation, Seat, UseCase
from pipelines.usecases.policies import visible
from portal.access.rows import one


def use_case_for(user: User, key: str) -> UseCase:
    """Return the use case of this key that the person may see. Raises NotFound."""
    found = visible(user).select_related("blueprint", "created_by").filter(key=key).first()
    if found is None:
        raise NotFound("use_case", f"There is no use case {key!r} that you may see.")
    return found


def use_cases_of(user: User) -> QuerySet[UseCase]:
    """Return every use case the person may see."""
    return visible(user)


def seat_for(user: User, pk: int) -> Seat:
    """Return the seat, with its use case and person. Raises NotFound."""
    rows = Seat.objects.select_related("use_case", "user", "persona")
    return one(rows.filter(use_case__in=visible(user)), pk, "seat")


def delegation_for(user: User, pk: int) -> Delegation:
    """Return the delegation. Raises NotFound."""
    return one(delegations_of(user), pk, "delegation")


def delegations_of(user: User) -> QuerySet[Delegation]:
    """Return the delegations that concern the person; all of them for who manages people."""
    rows = Delegation.objects.select_related("giver", "deputy", "use_case", "created_by")
    return rows if user.can("users.manage") else rows.filter(Q(giver=user) | Q(deputy=user))


def blueprints_of(user: User) -> QuerySet[Blueprint]:
    """Return all blueprints with their published number: plans are for all who are signed in."""
    return Blueprint.objects.annotate(
        published=Max("versions__number", filter=Q(versions__state="published"))
    )


def blueprint_for(user: User, key: str) -> Blueprint:
    """Return the blueprint with its versions, newest first, bodies left out. Raises NotFound."""
    versions = BlueprintVersion.objects.select_related("published_by").defer("body")
    found = (
        blueprints_of(user)
        .prefetch_related(Prefetch("versions", versions.order_by("-number")))
        .filter(key=key)
        .first()
    )
    if found is None:
        raise NotFound("blueprint", f"There is no blueprint {key!r}.")
    return found


def version_for(user: User, key: str, number: int) -> BlueprintVersion:
    """Return one version of a blueprint. Raises NotFound."""
    rows = BlueprintVersion.objects.select_related("blueprint", "published_by")
    found = rows.filter(blueprint__key=key, number=number).first()
    if found is None:
        raise NotFound("blueprint_version", f"There is no version {number} of blueprint {key!r}.")
    return found


def version_to_run(use_case: UseCase, key: str) -> BlueprintVersion:
    """Return the published version of the named blueprint, or of the use case's. Raises Invalid."""
    rows = BlueprintVersion.objects.select_related("blueprint").filter(state="published")
    wanted = {"blueprint__key": key} if key else {"blueprint": use_case.blueprint_id}
    found = rows.filter(**wanted).first()
    if found is None:
        rule = f"no published version of {key!r}" if key else "is required: the use case has none"
        raise Invalid("The run cannot be created.", fields={"blueprint": [rule]})
    return found
