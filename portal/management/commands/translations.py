"""Reads the translatable texts out of the sources, and compiles the catalogues."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import catalogues


class Command(BaseCommand):
    """`extract` brings the catalogues up to the sources; `compile` makes what Django loads."""

    help = "Extract translatable texts into locale/, compile them, or say what lacks translation."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do."""
        parser.add_argument("what", choices=("extract", "compile", "check"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError where `check` finds texts without a translation."""
        if options["what"] == "compile":
            for path in catalogues.compile_stale():
                self.stdout.write(f"compiled {path.relative_to(settings.BASE_DIR)}")
            return
        if options["what"] == "extract":
            self._told(catalogues.update(settings.BASE_DIR))
            return
        if not self._told(catalogues.lacking(settings.BASE_DIR)):
            raise CommandError("Some texts have no translation.")

    def _told(self, lacking: dict[str, list[str]]) -> bool:
        """Say what is not translated; return whether everything is."""
        for language, texts in lacking.items():
            self.stdout.write(f"{language}: {len(texts)} without a translation")
            for text in texts:
                self.stdout.write(f"  {text!r}")
        return not any(lacking.values())
