"""Readiness."""

from django.apps import AppConfig


class ReadinessConfig(AppConfig):
    """The ML Test Score and the worries, computed from evidence; it keeps no tables of its own."""

    name = "pipelines.readiness"
    label = "readiness"
    default_auto_field = "django.db.models.BigAutoField"
