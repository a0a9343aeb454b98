"""The lookout: what other apps have to look after by themselves, apart from the sweeper.

A thread of its own, so that nothing that takes long keeps leases and deadlines waiting.
"""

import logging
import threading
from typing import Final

from django.db import DatabaseError, InterfaceError, close_old_connections

from pipelines import catalogue

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 15.0


class Lookout:
    """Calls the catalogue's lookouts every 15 seconds; in any number of engine processes."""

    def __init__(self, *, stopping: threading.Event) -> None:
        self.stopping = stopping

    def run(self) -> None:
        """Look until stopped; one lookout's error never ends the loop."""
        while not self.stopping.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Call every lookout once."""
        for look in catalogue.lookouts():
            try:
                look()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("lookout: database away: %s", error)
                close_old_connections()
            # A defect in one of them must not keep the others from their work.
            except Exception:
                logger.exception("lookout: %s failed", getattr(look, "__name__", look))
