"""Use cases, seats, blueprints."""

from django.apps import AppConfig


class UseCasesConfig(AppConfig):
    """What is worked on, by whom, after which plan."""

    name = "pipelines.usecases"
    verbose_name = "Use cases"
    label = "usecases"
    default_auto_field = "django.db.models.BigAutoField"
