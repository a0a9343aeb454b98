"""Stop Baton's processes and the embedded servers of this folder."""

import os
import signal
import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import embedded
from portal.supervisor import STOP_SECONDS, OnlyOne

_PATIENCE = STOP_SECONDS + 30.0


class Command(BaseCommand):
    """`manage.py down`."""

    help = "Stop a running `up` and the embedded servers."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop all; raises CommandError when the supervisor does not end."""
        only_one = OnlyOne(settings.VAR)
        running = only_one.who()
        if running is not None:
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGTERM)
            until = time.monotonic() + _PATIENCE
            while only_one.who() is not None:
                if time.monotonic() > until:
                    raise CommandError(f"Process {running.pid} does not end; look at it by hand.")
                time.sleep(0.05)
            self.stdout.write(f"Stopped Baton (process {running.pid}).")
        stopped = embedded.stop(embedded.configured())
        if stopped:
            self.stdout.write(f"Stopped {' and '.join(stopped)}.")
        if running is None and not stopped:
            self.stdout.write("Nothing was running.")
