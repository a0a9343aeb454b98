"""Notifications."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """What people are told of, what they have read, and what goes out by mail."""

    name = "pipelines.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"
