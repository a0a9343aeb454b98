"""The engine."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Runs with their stages, steps, attempts, work items, gates and hand-offs."""

    name = "pipelines.runs"
    label = "runs"
    default_auto_field = "django.db.models.BigAutoField"
