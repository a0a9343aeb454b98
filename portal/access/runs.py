"""Runs, stages, steps, attempts, work items."""

from typing import Final

from django.db.models import (
    QuerySet,
)

from personas.models import User
from pipelines.runs.models import (
    Attempt,
    Run,
    Stage,
    Step,
    WorkItem,
)
from pipelines.usecases.policies import visible
from portal.access.rows import Seen

_RUN: Final = Seen(
    "run",
    lambda seen: Run.objects.select_related("use_case", "version__blueprint", "created_by").filter(
        use_case__in=seen
    ),
)


def run_for(user: User, pk: int) -> Run:
    """Return the run, with its use case and version. Raises NotFound."""
    return _RUN.one(user, pk)


_STAGE: Final = Seen(
    "stage",
    lambda seen: Stage.objects.select_related(
        "run__use_case", "run__version", "persona", "owner", "returned_by"
    ).filter(run__use_case__in=seen),
)


def stage_for(user: User, pk: int) -> Stage:
    """Return the stage, with its run, persona and owner. Raises NotFound."""
    return _STAGE.one(user, pk)


_STEP: Final = Seen(
    "step",
    lambda seen: Step.objects.select_related(
        "run__use_case", "stage", "result", "edited_by"
    ).filter(run__use_case__in=seen),
)


def step_for(user: User, pk: int) -> Step:
    """Return the step, with its stage and run. Raises NotFound."""
    return _STEP.one(user, pk)


_ATTEMPT: Final = Seen(
    "attempt",
    lambda seen: Attempt.objects.select_related(
        "run__use_case", "step__stage", "cached_from"
    ).filter(run__use_case__in=seen),
)


def attempt_for(user: User, pk: int) -> Attempt:
    """Return the attempt, with its step, stage and run. Raises NotFound."""
    return _ATTEMPT.one(user, pk)


_ITEM: Final = Seen(
    "work item",
    lambda seen: WorkItem.objects.select_related(
        "run__use_case",
        "run__version",
        "stage__persona",
        "stage__owner",
        "holder",
        "completed_by",
        "delegated_by",
        "asked_by",
        "persona",
    ).filter(run__use_case__in=seen),
)


def item_for(user: User, pk: int) -> WorkItem:
    """Return the work item, with its stage, run and holder. Raises NotFound."""
    return _ITEM.one(user, pk)


def runs_of(user: User) -> QuerySet[Run]:
    """Return every run the person may see, without the bodies of the blueprint versions."""
    rows = Run.objects.filter(use_case__in=visible(user))
    return rows.select_related("use_case", "version__blueprint", "created_by").defer(
        "version__body"
    )


def items_of(user: User) -> QuerySet[WorkItem]:
    """Return every work item the person may see."""
    return WorkItem.objects.filter(run__use_case__in=visible(user)).select_related(
        "run__use_case", "stage", "holder", "completed_by", "delegated_by", "asked_by"
    )
