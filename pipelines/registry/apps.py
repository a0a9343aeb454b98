"""The registry."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Models, their versions, aliases with history, and deployments."""

    name = "pipelines.registry"
    label = "registry"
    default_auto_field = "django.db.models.BigAutoField"
