"""`manage.py engine`: relay, sweeper, outbox, checker, lookout. Any number may run; none leads."""

import signal
import threading

from django.core.management.base import BaseCommand

from pipelines.runs.invariants import Checker
from pipelines.runs.lookout import Lookout
from pipelines.runs.outbox import Deliverer
from pipelines.runs.relay import Relay
from pipelines.runs.sweeper import Sweeper


class Command(BaseCommand):
    """Run the engine process until SIGTERM."""

    help = "Run the engine: relay, sweeper, timers, outbox, invariants."

    def handle(self, *_args: object, **_options: object) -> None:
        """Start the threads and wait to be stopped."""
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        deliverer = Deliverer(stopping=stopping)
        relay = Relay(on_outbox=deliverer.wake, stopping=stopping)
        sweeper = Sweeper(poke=relay.poke, stopping=stopping)
        checker = Checker(stopping=stopping)
        parts = {
            "relay": relay.run,
            "sweeper": sweeper.run,
            "outbox": deliverer.run,
            "checker": checker.run,
            "lookout": Lookout(stopping=stopping).run,
        }
        threads = [
            threading.Thread(target=run, name=name, daemon=True) for name, run in parts.items()
        ]
        for thread in threads:
            thread.start()
        while not stopping.wait(1.0):
            for thread in threads:
                if not thread.is_alive():
                    # A dead part must not look alive: the supervisor starts the process anew.
                    raise SystemExit(f"engine: {thread.name} died")
        for thread in threads:
            thread.join(timeout=5)
