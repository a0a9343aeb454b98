"""Immutable content, known by its digest."""

from django.apps import AppConfig


class ArtefactsConfig(AppConfig):
    """Artefacts and their storage."""

    name = "pipelines.artefacts"
    label = "artefacts"
    default_auto_field = "django.db.models.BigAutoField"
