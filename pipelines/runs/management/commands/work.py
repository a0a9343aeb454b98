"""`manage.py work`: a worker without Celery and Redis; it looks once a second."""

import signal
import time

from django.core.management.base import BaseCommand

from pipelines.runs import worker


class Command(BaseCommand):
    """Run a worker until SIGTERM, or until nothing is left."""

    help = "Perform queued attempts without Celery or Redis."

    def add_arguments(self, parser) -> None:  # type: ignore[no-untyped-def]
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="stop when nothing is queued")

    def handle(self, *_args: object, **options: object) -> None:
        """Perform; SIGTERM hands leases back."""

        def leave(*_: object) -> None:
            raise SystemExit(0)

        signal.signal(signal.SIGTERM, leave)
        mine = worker.current()
        self.stdout.write(worker.describe())
        try:
            while mine.drain() or not options["once"]:
                time.sleep(worker.POLL_SECONDS if not options["once"] else 0)
        finally:
            worker.shut_down(grace=10)
