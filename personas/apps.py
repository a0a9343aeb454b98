"""The app of the people: who may do what, and who did what."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PersonasConfig(AppConfig):
    """Personas, users, tokens, the command protocol and the ledger."""

    name = "personas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Create missing personas after each migration, as Django does with permissions."""
        post_migrate.connect(_sync, sender=self)


def _sync(**_kwargs: object) -> None:
    from personas.actions import sync_personas  # noqa: PLC0415 - models exist only now

    sync_personas()
