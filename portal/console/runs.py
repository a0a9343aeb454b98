"""Runs, stages, steps and attempts."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from pipelines.runs.actions import runs, steps
from pipelines.runs.models import Attempt, Run, Stage, Step
from portal.console.base import LookOnly, perform, with_reason
from portal.console.site import site


@admin.register(Run, site=site)
class RunAdmin(LookOnly):
    """Runs, newest first."""

    list_display = ("id", "use_case", "label", "state", "version", "created_by", "moved_at")
    list_filter = ("state", "kind")
    list_select_related = ("use_case", "version__blueprint", "created_by")
    search_fields = ("use_case__key", "use_case__title")
    date_hierarchy = "created_at"
    actions = ("pause", "resume", "move", "cancel")
    buttons = ("pause", "resume", "move", "cancel")

    @admin.action(description="Pause", permissions=["view"])
    def pause(self, request: HttpRequest, rows: QuerySet[Run]) -> HttpResponse | None:
        """Pause runs, for a reason."""
        return with_reason(request, rows, runs.pause, "run", action="pause", label="Pause")

    @admin.action(description="Resume", permissions=["view"])
    def resume(self, request: HttpRequest, rows: QuerySet[Run]) -> None:
        """Resume paused runs."""
        perform(request, rows, runs.resume, "run")

    @admin.action(description="Move to another version", permissions=["view"])
    def move(self, request: HttpRequest, rows: QuerySet[Run]) -> HttpResponse | None:
        """Go to the page that says what the move would do: nobody moves a run unseen."""
        found = list(rows)
        if len(found) != 1:
            messages.error(request, "One run at a time: each has its own plan.")
            return None
        return redirect("web:run_move", found[0].pk)

    @admin.action(description="Cancel", permissions=["view"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Run]) -> HttpResponse | None:
        """Cancel runs, for a reason."""
        return with_reason(request, rows, runs.cancel, "run", action="cancel", label="Cancel")


@admin.register(Stage, site=site)
class StageAdmin(LookOnly):
    """Every round of every stage."""

    list_display = ("id", "run", "key", "round", "persona", "state", "owner", "due_at")
    list_filter = ("state", "persona", "current")
    list_select_related = ("run__use_case", "persona", "owner")
    search_fields = ("key", "run__use_case__key")
    ordering = ("-id",)


@admin.register(Step, site=site)
class StepAdmin(LookOnly):
    """Steps, newest first."""

    list_display = ("id", "run", "stage", "key", "operation", "state", "tries", "losses")
    list_filter = ("state", "operation")
    list_select_related = ("run__use_case", "stage")
    search_fields = ("key", "operation", "run__use_case__key")
    raw_id_fields = ("result",)
    ordering = ("-id",)
    actions = ("retry",)
    buttons = ("retry",)

    @admin.action(description="Retry", permissions=["view"])
    def retry(self, request: HttpRequest, rows: QuerySet[Step]) -> None:
        """Try failed steps again, with the parameters they had."""
        perform(request, rows, steps.retry, "step")


@admin.register(Attempt, site=site)
class AttemptAdmin(LookOnly):
    """Attempts, newest first; what they read and made stays out of the list."""

    list_display = (
        "id",
        "run",
        "operation",
        "number",
        "state",
        "queue",
        "worker",
        "share",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "queue", "operation")
    list_select_related = ("run__use_case",)
    search_fields = ("operation", "worker", "run__use_case__key")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the large columns out."""
        return super().get_queryset(request).defer("facts", "outputs", "inputs", "log")

    @admin.display(description="progress")
    def share(self, attempt: Attempt) -> str:
        """How far it is."""
        return "" if attempt.progress is None else f"{attempt.progress:.0%}"
