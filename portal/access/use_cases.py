"""Use cases, seats and blueprints."""

from typing import Final

from django.db.models import (
    Max,
    Prefetch,
    Q,
    QuerySet,
)

from personas.errors import Invalid, NotFound
from personas.kept import Kept
from personas.models import User
from pipelines.usecases.models import Blueprint, BlueprintVersion, Delegation, Seat, UseCase
from pipelines.usecases.policies import visible, visible_to
from portal.access.rows import one


def _keyed(rows: QuerySet[UseCase], key: str) -> QuerySet[UseCase]:
    return rows.select_related("blueprint", "created_by").filter(key=key)


_OF_ALL: Final = Kept(lambda key: _keyed(UseCase.objects.all(), key), key=str)
_OF_SOME: Final = Kept(lambda user_id, key: _keyed(visible_to(user_id), key), user_id=int, key=str)


def use_case_for(user: User, key: str) -> UseCase:
    """Return the use case of this key that the person may see. Raises NotFound."""
    if user.can("read_all"):
        found = _OF_ALL.first(key=key)
    else:
        found = _OF_SOME.first(user_id=user.pk, key=key)
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


def _published(**wanted: object) -> QuerySet[BlueprintVersion]:
    rows = BlueprintVersion.objects.select_related("blueprint").filter(state="published")
    return rows.filter(**wanted)


_NAMED: Final = Kept(lambda key: _published(blueprint__key=key), key=str)
_OWN: Final = Kept(lambda blueprint_id: _published(blueprint=blueprint_id), blueprint_id=int)


def version_to_run(use_case: UseCase, key: str) -> BlueprintVersion:
    """Return the published version of the named blueprint, or of the use case's. Raises Invalid."""
    found = _NAMED.first(key=key) if key else None
    if not key and use_case.blueprint_id is not None:
        found = _OWN.first(blueprint_id=use_case.blueprint_id)
    if found is None:
        rule = f"no published version of {key!r}" if key else "is required: the use case has none"
        raise Invalid("The run cannot be created.", fields={"blueprint": [rule]})
    return found
