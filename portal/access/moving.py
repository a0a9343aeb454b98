"""Versions that a run may be moved to."""

from django.db.models import QuerySet

from personas.errors import NotFound
from pipelines.runs.models import Run
from pipelines.usecases.models import BlueprintVersion


def versions_beside(run: Run) -> QuerySet[BlueprintVersion]:
    """Return the published versions of the run's blueprint that it is not on."""
    rows = BlueprintVersion.objects.select_related("blueprint").order_by("-number")
    return rows.filter(blueprint_id=run.version.blueprint_id, state="published").exclude(
        pk=run.version_id
    )


def version_to_move(run: Run, number: int | None) -> BlueprintVersion:
    """Return that version of the run's blueprint; without a number the published one.

    Raises NotFound.
    """
    rows = BlueprintVersion.objects.select_related("blueprint")
    rows = rows.filter(blueprint_id=run.version.blueprint_id)
    found = rows.filter(state="published").first() if number is None else None
    if number is not None:
        found = rows.filter(number=number).first()
    if found is None:
        wanted = "published version" if number is None else f"version {number}"
        raise NotFound("blueprint_version", f"There is no {wanted} of {run.version.blueprint.key}.")
    return found
