"""Monitoring."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Alerts, and the runs that answer them."""

    name = "pipelines.monitoring"
    label = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"
