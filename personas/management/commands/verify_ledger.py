"""`manage.py verify_ledger`: prove that nobody changed the ledger, or name the first broken row."""

from django.core.management.base import BaseCommand

from personas.ledger import verify
from personas.models import Checkpoint, Event, Stream


class Command(BaseCommand):
    """Recompute every chain and every seal."""

    help = "Recompute the ledger's chains and seals; ends with 1 and names the first broken row."

    def handle(self, *_args: object, **_options: object) -> None:
        """Print the verdict."""
        broken = verify()
        if broken is None:
            self.stdout.write(
                f"The ledger holds: {Event.objects.count()} events in {Stream.objects.count()}"
                f" streams, sealed by {Checkpoint.objects.count()} checkpoints."
            )
            return
        self.stderr.write(
            f"The ledger is broken at {broken.stream}, event {broken.seq}: {broken.rule}."
            f" Expected {broken.expected or 'nothing'}, found {broken.found or 'nothing'}."
        )
        raise SystemExit(1)
