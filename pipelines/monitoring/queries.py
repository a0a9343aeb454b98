"""Reads of alerts."""

from django.db.models import QuerySet

from personas.models import User
from pipelines.lifecycles import AlertState
from pipelines.monitoring import policies
from pipelines.monitoring.models import Alert


def alerts(user: User) -> QuerySet[Alert]:
    """Return the alerts this person may see, newest first, with model, runs and people."""
    return policies.visible(user).select_related(
        "model__use_case", "version", "persona", "raised_by__use_case", "opened_run__use_case",
        "acknowledged_by", "resolved_by",
    )  # fmt: skip


def open_alerts(user: User) -> QuerySet[Alert]:
    """Return those that nobody has resolved."""
    return alerts(user).exclude(state=AlertState.RESOLVED)
