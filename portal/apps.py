"""Baton's delivery as a Django application: commands, and rights of the application's role."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from portal.grants import grant_to_application


class PortalConfig(AppConfig):
    """Registers what must happen around migrations."""

    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        """Make Baton's Celery application the current one; grant rights around migrations."""
        import_module("portal.celery")  # reads the settings, so not before they are ready
        pre_migrate.connect(grant_to_application, dispatch_uid="portal.grants")
