"""Readiness."""

from django.apps import AppConfig


class ReadinessConfig(AppConfig):
    """The ML Test Score and the worries, what people sign, and the score over time."""

    name = "pipelines.readiness"
    label = "readiness"
    default_auto_field = "django.db.models.BigAutoField"
