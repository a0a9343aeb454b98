"""Gates, checks and hand-offs."""

from typing import Final

from django.db.models import (
    Prefetch,
    QuerySet,
    prefetch_related_objects,
)

from personas.models import User
from pipelines.runs.models import (
    Check,
    Decision,
    Finding,
    Gate,
    HandOff,
)
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import visible
from portal.access.rows import Seen

_GATE: Final = Seen(
    "gate",
    lambda seen: Gate.objects.select_related(
        "run__use_case",
        "run__version",
        "stage__persona",
        "stage__owner",
        "closed_by",
        "override__by",
        "override__seconded_by",
    ).filter(run__use_case__in=seen),
)


def gate_for(user: User, pk: int) -> Gate:
    """Return the gate, with its stage and run. Raises NotFound."""
    return _GATE.one(user, pk)


_GATE_TO_DECIDE: Final = Seen(
    "gate",
    lambda seen: (
        Gate.objects.select_related("run__use_case", "stage")
        .defer("pack")
        .filter(run__use_case__in=seen)
    ),
)


def gate_to_decide_for(user: User, pk: int) -> Gate:
    """Return the gate without its evidence: a decision names what was seen by its digest.

    Raises NotFound. Decoding the evidence would cost a decision more than its own queries.
    """
    return _GATE_TO_DECIDE.one(user, pk)


def gate_with_evidence_for(user: User, pk: int) -> Gate:
    """Return the gate with its checks and decisions, for looking at it. Raises NotFound."""
    gate = gate_for(user, pk)
    findings = Finding.objects.select_related(
        "decision__user", "decision__on_behalf_of", "resolved_by"
    )
    checks = Check.objects.select_related("waived_by").order_by("position")
    decisions = Decision.objects.select_related("user", "on_behalf_of").order_by("at", "id")
    prefetch_related_objects(
        [gate],
        Prefetch("checks", checks),
        Prefetch("decisions", decisions),
        Prefetch("findings", findings.order_by("due_at", "id")),
    )
    return gate


def findings_of(user: User) -> QuerySet[Finding]:
    """Return every finding the person may see."""
    return _findings(visible(user))


def _findings(seen: QuerySet[UseCase]) -> QuerySet[Finding]:
    return Finding.objects.filter(run__use_case__in=seen).select_related(
        "run__use_case",
        "run__version",
        "gate__stage",
        "gate__run",
        "decision__user",
        "decision__on_behalf_of",
        "resolved_by",
        "resolved_for",
    )


_FINDING: Final = Seen("finding", _findings)


def finding_for(user: User, pk: int) -> Finding:
    """Return the finding, with its gate, run and people. Raises NotFound."""
    return _FINDING.one(user, pk)


_CHECK: Final = Seen(
    "check",
    lambda seen: Check.objects.select_related("run__use_case", "gate__stage", "hand_off").filter(
        run__use_case__in=seen
    ),
)


def check_for(user: User, pk: int) -> Check:
    """Return the check, with its gate and run. Raises NotFound."""
    return _CHECK.one(user, pk)


_HAND_OFF: Final = Seen(
    "hand-off",
    lambda seen: HandOff.objects.select_related(
        "run__use_case",
        "run__version",
        "source__persona",
        "source__owner",
        "target__persona",
        "offered_by",
        "answered_by",
    ).filter(run__use_case__in=seen),
)


def hand_off_for(user: User, pk: int) -> HandOff:
    """Return the hand-off, with both stages and its run. Raises NotFound."""
    return _HAND_OFF.one(user, pk)


def hand_off_with_package_for(user: User, pk: int) -> HandOff:
    """Return the hand-off with the checks of its contract. Raises NotFound."""
    hand_off = hand_off_for(user, pk)
    checks = Check.objects.select_related("waived_by").order_by("position", "id")
    prefetch_related_objects([hand_off], Prefetch("checks", checks))
    return hand_off


def gates_of(user: User) -> QuerySet[Gate]:
    """Return every gate the person may see."""
    return Gate.objects.filter(run__use_case__in=visible(user)).select_related(
        "run__use_case", "stage", "closed_by"
    )


def hand_offs_of(user: User) -> QuerySet[HandOff]:
    """Return every hand-off the person may see."""
    return HandOff.objects.filter(run__use_case__in=visible(user)).select_related(
        "run__use_case", "source", "target", "offered_by", "answered_by"
    )
