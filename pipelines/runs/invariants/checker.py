"""The engine's part: look every minute, beside the sweeps and never in their way."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from pipelines.runs.invariants import record
from pipelines.runs.invariants.check import Scope, check_all
from pipelines.runs.invariants.contract import Result
from pipelines.runs.models import Verification

logger = logging.getLogger(__name__)

LOOK_EVERY: Final = 10.0  # seconds between two asks for the turn, at most


class Checker:
    """One engine process's verifications, in a thread with a connection of its own."""

    def __init__(self, *, stopping: threading.Event) -> None:
        self.stopping = stopping

    def run(self) -> None:
        """Verify until stopped; a database that is away ends nothing."""
        # What waited while nobody ran is given to sweeper and outbox before it is judged.
        pause = min(LOOK_EVERY, settings.VERIFY_SECONDS)
        while not self.stopping.wait(pause):
            try:
                self.look()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("checker: database away: %s", error)
                close_old_connections()
            # The engine's other parts must not end for a defect in this one.
            except Exception:
                logger.exception("checker: a verification failed")

    def look(self) -> list[Result] | None:
        """Verify what moved lately, if it is this process's turn; else None."""
        since = record.take_turn(every=settings.VERIFY_SECONDS)
        if since is None:
            return None
        begun = time.perf_counter()
        kept = Verification.objects.get(form="quick")
        results = check_all(Scope(full=False, since=since, known=record.known()))
        record.write("quick", results, began_at=kept.began_at, seconds=time.perf_counter() - begun)
        _tell(results, kept)
        return results


def _tell(results: Sequence[Result], before: Verification) -> None:
    """Say once what does not hold any more: the console and the figures go on saying it."""
    for result in results:
        entry = before.results.get(result.code, {})
        news = {one.name for one in result.offenders} - {
            f"{row[0]}:{row[1]}" for row in entry.get("rows", ())
        }
        for one in result.offenders:
            if one.name in news:
                logger.error("invariant %s does not hold: %s", result.code, one)
        if result.problem and result.problem != entry.get("problem"):
            logger.warning("invariant %s was not checked: %s", result.code, result.problem)
