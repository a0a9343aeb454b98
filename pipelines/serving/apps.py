"""Serving."""

from django.apps import AppConfig


class ServingConfig(AppConfig):
    """The log of predictions, and the labels that come in later."""

    name = "pipelines.serving"
    label = "serving"
    default_auto_field = "django.db.models.BigAutoField"
