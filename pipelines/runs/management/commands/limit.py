"""`manage.py limit`: how many attempts may run at once."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from personas.errors import DomainError, Invalid
from personas.ledger import Actor
from pipelines.runs.actions.limits import set_limit
from pipelines.runs.models import Limit


class Command(BaseCommand):
    """List the limits, set one, or take it away."""

    help = "List limits; or `limit queue gpu 1` to set one, `limit queue gpu none` to end it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be named."""
        parser.add_argument("kind", nargs="?", help=", ".join(Limit.KINDS))
        parser.add_argument("key", nargs="?", default="*", help="which one; * for each by itself")
        parser.add_argument("at_most", nargs="?", help="a whole number, or none")

    def handle(self, *_args: object, **options: str | None) -> None:
        """Do it. Raises CommandError naming what is wrong."""
        if options["kind"] is not None:
            self._set(options["kind"], options["key"] or "*", options["at_most"] or "")
        for limit in Limit.objects.all():
            self.stdout.write(str(limit))
        if not Limit.objects.exists():
            self.stdout.write("There is no limit.")

    def _set(self, kind: str, key: str, at_most: str) -> None:
        if at_most != "none" and not at_most.isdigit():
            raise CommandError(f"at_most must be a whole number or none, got {at_most!r}")
        wanted = None if at_most == "none" else int(at_most)
        try:
            set_limit(actor=Actor("service", "command line"), kind=kind, key=key, at_most=wanted)
        except Invalid as error:
            texts = [f"{name} {text}" for name, found in error.fields.items() for text in found]
            raise CommandError("; ".join(texts)) from error
        except DomainError as error:
            raise CommandError(error.message) from error
