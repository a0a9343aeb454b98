"""Search."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """One row of words for everything that can be found, kept by triggers."""

    name = "pipelines.search"
    label = "search"
    default_auto_field = "django.db.models.BigAutoField"
