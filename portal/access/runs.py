"""Runs, stages, steps, attempts, work items."""

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
from portal.access.rows import one


def run_for(user: User, pk: int) -> Run:
    """Return the run, with its use case and version. Raises NotFound."""
    rows = Run.objects.select_related("use_case", "version__blueprint", "created_by")
    return one(rows.filter(use_case__in=visible(user)), pk, "run")


def stage_for(user: User, pk: int) -> Stage:
    """Return the stage, with its run, persona and owner. Raises NotFound."""
    rows = Stage.objects.select_related(
        "run__use_case", "run__version", "persona", "owner", "returned_by"
    )
    return one(rows.filter(run__use_case__in=visible(user)), pk, "stage")


def step_for(user: User, pk: int) -> Step:
    """Return the step, with its stage and run. Raises NotFound."""
    rows = Step.objects.select_related("run__use_case", "stage", "result", "edited_by")
    return one(rows.filter(run__use_case__in=visible(user)), pk, "step")


def attempt_for(user: User, pk: int) -> Attempt:
    """Return the attempt, with its step, stage and run. Raises NotFound."""
    rows = Attempt.objects.select_related("run__use_case", "step__stage", "cached_from")
    return one(rows.filter(run__use_case__in=visible(user)), pk, "attempt")


def item_for(user: User, pk: int) -> WorkItem:
    """Return the work item, with its stage, run and holder. Raises NotFound."""
    rows = WorkItem.objects.select_related(
        "run__use_case",
        "run__version",
        "stage__persona",
        "stage__owner",
        "holder",
        "completed_by",
        "delegated_by",
        "asked_by",
        "persona",
    )
    return one(rows.filter(run__use_case__in=visible(user)), pk, "work item")


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
