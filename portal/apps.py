"""Baton's delivery as a Django application: commands, and rights of the application's role."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from portal.grants import grant_to_application


class PortalConfig(AppConfig):
    """Registers what must happen around migrations."""

    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        """Give the application its rights on every table that the migrations will make."""
        pre_migrate.connect(grant_to_application, dispatch_uid="portal.grants")
