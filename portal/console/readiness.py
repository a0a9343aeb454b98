"""Statements that people signed, and the Test Score over time."""

from django.contrib import admin

from pipelines.readiness.models import Attestation, Point
from portal.console.base import LookOnly
from portal.console.site import site


@admin.register(Attestation, site=site)
class AttestationAdmin(LookOnly):
    """Signed statements, newest first, with what ended them."""

    list_display = (
        "id", "use_case", "test", "persona", "user", "state", "signed_at", "expires_at",
        "ended_reason",
    )  # fmt: skip
    list_filter = ("state", "persona", "test")
    list_select_related = ("use_case", "persona", "user")
    search_fields = ("use_case__key", "user__name", "statement")
    ordering = ("-id",)


@admin.register(Point, site=site)
class PointAdmin(LookOnly):
    """The Test Score over time: one row for each change."""

    list_display = ("id", "use_case", "score", "run", "at")
    list_select_related = ("use_case", "run__use_case")
    search_fields = ("use_case__key",)
    ordering = ("-id",)
