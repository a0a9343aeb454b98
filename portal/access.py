"""The edges' only door to rows: fetch and check in one call. Raises NotFound for what is not
there and for what the person may not know of; the two must not be told apart.
"""

from typing import Any

from django.db.models import QuerySet

from personas.errors import NotFound
from personas.models import Token, User
from pipelines.runs.models import Attempt, Check, Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.usecases.models import Seat, UseCase
from pipelines.usecases.policies import visible


def use_case_for(user: User, key: str) -> UseCase:
    """Return the use case of this key that the person may see. Raises NotFound."""
    found = visible(user).select_related("blueprint", "created_by").filter(key=key).first()
    if found is None:
        raise NotFound("use_case", f"There is no use case {key!r} that you may see.")
    return found


def use_cases_of(user: User) -> QuerySet[UseCase]:
    """Return every use case the person may see."""
    return visible(user)


def run_for(user: User, pk: int) -> Run:
    """Return the run, with its use case and version. Raises NotFound."""
    rows = Run.objects.select_related("use_case", "version__blueprint", "created_by")
    return _one(rows.filter(use_case__in=visible(user)), pk, "run")


def stage_for(user: User, pk: int) -> Stage:
    """Return the stage, with its run, persona and owner. Raises NotFound."""
    rows = Stage.objects.select_related("run__use_case", "persona", "owner")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "stage")


def step_for(user: User, pk: int) -> Step:
    """Return the step, with its stage and run. Raises NotFound."""
    rows = Step.objects.select_related("run__use_case", "stage", "result")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "step")


def attempt_for(user: User, pk: int) -> Attempt:
    """Return the attempt, with its step, stage and run. Raises NotFound."""
    rows = Attempt.objects.select_related("run__use_case", "step__stage", "cached_from")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "attempt")


def item_for(user: User, pk: int) -> WorkItem:
    """Return the work item, with its stage, run and holder. Raises NotFound."""
    rows = WorkItem.objects.select_related(
        "run__use_case", "run__version", "stage__persona", "holder", "completed_by", "persona"
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "work item")


def gate_for(user: User, pk: int) -> Gate:
    """Return the gate, with its stage and run. Raises NotFound."""
    rows = Gate.objects.select_related(
        "run__use_case", "run__version", "stage__persona", "stage__owner", "closed_by"
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "gate")


def check_for(user: User, pk: int) -> Check:
    """Return the check, with its gate and run. Raises NotFound."""
    rows = Check.objects.select_related("run__use_case", "gate__stage", "hand_off")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "check")


def hand_off_for(user: User, pk: int) -> HandOff:
    """Return the hand-off, with both stages and its run. Raises NotFound."""
    rows = HandOff.objects.select_related(
        "run__use_case",
        "run__version",
        "source__persona",
        "source__owner",
        "target__persona",
        "offered_by",
        "answered_by",
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "hand-off")


def seat_for(user: User, pk: int) -> Seat:
    """Return the seat, with its use case and person. Raises NotFound."""
    rows = Seat.objects.select_related("use_case", "user", "persona")
    return _one(rows.filter(use_case__in=visible(user)), pk, "seat")


def token_for(user: User, pk: int) -> Token:
    """Return the person's own token, or anybody's for who manages people. Raises NotFound."""
    rows = Token.objects.select_related("user")
    return _one(rows if user.can("users.manage") else rows.filter(user=user), pk, "token")


def _one(rows: QuerySet[Any], pk: int, noun: str) -> Any:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(noun.replace(" ", "_"), f"There is no {noun} {pk} that you may see.")
    return found
