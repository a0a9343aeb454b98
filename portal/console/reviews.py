"""Work items, gates, decisions, hand-offs, and the ledger."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from personas.models import Event
from pipelines.runs.models import Comment, Decision, Finding, Gate, HandOff, Override, WorkItem
from portal.console.base import LookOnly
from portal.console.site import site


@admin.register(WorkItem, site=site)
class WorkItemAdmin(LookOnly):
    """Work items, newest first; what people fill in is for their colleagues."""

    list_display = ("id", "run", "title", "kind", "persona", "state", "holder", "opened_at")
    list_filter = ("state", "kind", "persona")
    list_select_related = ("run__use_case", "persona", "holder")
    search_fields = ("title", "key", "run__use_case__key")
    exclude = ("draft", "data")
    ordering = ("-id",)


@admin.register(Gate, site=site)
class GateAdmin(LookOnly):
    """Gates, newest first; their evidence is on the pages."""

    list_display = ("id", "run", "stage", "state", "opened_at", "due_at", "closed_by", "closed_at")
    list_filter = ("state",)
    list_select_related = ("run__use_case", "stage", "closed_by")
    search_fields = ("stage__key", "run__use_case__key")
    exclude = ("pack",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the evidence out."""
        return super().get_queryset(request).defer("pack")


@admin.register(Decision, site=site)
class DecisionAdmin(LookOnly):
    """Decisions, newest first; those of a sealed gate are nobody's to see, not here either."""

    list_display = ("id", "gate", "user", "on_behalf_of", "verdict", "reason_code", "state", "at")
    list_filter = ("state", "verdict", "reason_code")
    list_select_related = ("gate__stage", "user", "on_behalf_of")
    search_fields = ("user__name", "user__username", "reason")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what is sealed: open blind gates that are not revealed."""
        return (
            super()
            .get_queryset(request)
            .exclude(gate__policy__blind=True, gate__state="OPEN", gate__revealed_at=None)
        )


@admin.register(Finding, site=site)
class FindingAdmin(LookOnly):
    """Conditions of approvals, newest first."""

    list_display = ("id", "run", "text", "severity", "persona", "state", "due_at", "resolved_by")
    list_filter = ("state", "severity", "persona")
    list_select_related = ("run__use_case", "persona", "resolved_by")
    search_fields = ("text", "run__use_case__key")
    ordering = ("-id",)


@admin.register(Comment, site=site)
class CommentAdmin(LookOnly):
    """Comments, newest first; what is said on a sealed gate is nobody's to see, not here either."""

    list_display = ("id", "use_case", "run", "anchor", "place", "author", "created_at")
    list_filter = ("anchor",)
    list_select_related = ("use_case", "run__use_case", "author")
    search_fields = ("use_case__key", "author__name")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what is sealed: of open blind gates that are not revealed."""
        sealed = Q(gate__policy__blind=True, gate__state="OPEN", gate__revealed_at=None)
        return super().get_queryset(request).filter(Q(gate=None) | ~sealed)


@admin.register(Override, site=site)
class OverrideAdmin(LookOnly):
    """Gates closed against their rules, newest first."""

    list_display = ("id", "gate", "verdict", "by", "seconded_by", "reason", "at", "done_at")
    list_filter = ("verdict",)
    list_select_related = ("gate__stage", "by", "seconded_by")
    search_fields = ("reason", "by__name")
    ordering = ("-id",)


@admin.register(HandOff, site=site)
class HandOffAdmin(LookOnly):
    """Hand-offs, newest first."""

    list_display = ("id", "run", "code", "source", "target", "state", "offered_by", "answered_by")
    list_filter = ("state", "code")
    list_select_related = ("run__use_case", "source", "target", "offered_by", "answered_by")
    search_fields = ("run__use_case__key", "source__key", "target__key")
    ordering = ("-id",)


@admin.register(Event, site=site)
class EventAdmin(LookOnly):
    """The ledger, newest first."""

    list_display = ("id", "stream", "seq", "type", "actor_name", "subject", "subject_id", "at")
    list_filter = ("actor_kind", "type")
    list_select_related = ("stream",)
    search_fields = ("type", "actor_name", "stream__kind", "stream__key")
    date_hierarchy = "at"
    ordering = ("-id",)
