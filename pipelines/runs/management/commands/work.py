"""`manage.py work`: a worker without Celery and Redis; it looks once a second."""

import signal
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from pipelines.runs import worker


class Command(BaseCommand):
    """Run a worker until SIGTERM, or until nothing is left."""

    help = "Perform queued attempts without Celery or Redis."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="stop when nothing is queued")

    def handle(self, *_args: object, **options: object) -> None:
        """Perform; SIGTERM hands leases back."""
        mine = worker.current(pollers=0 if options["once"] else settings.WORKER_THREADS)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: mine.stop())
        self.stdout.write(worker.describe())
        try:
            if options["once"]:
                while mine.drain():
                    pass
            else:
                mine.stopping.wait()
        finally:
            worker.shut_down(grace=10)
