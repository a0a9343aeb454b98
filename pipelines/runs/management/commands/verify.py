"""`manage.py verify`: prove that every invariant and the ledger hold, or name what breaks them."""

import json
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from personas import ledger
from personas.ledger import Break
from personas.models import Stream
from pipelines.runs.invariants import NOT_YET, Result, Scope, check_all, record

SHOWN = 20  # offenders printed per invariant; JSON has them all


class Command(BaseCommand):
    """Check the invariants and the ledger."""

    help = (
        "Check that every invariant holds, on open and lately moved rows, or with --full on every"
        " row, artefact and event; ends with 1 where one does not hold or could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --json and --full."""
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--full", action="store_true", help="look at every row, and hash it")

    def handle(self, *_args: object, **options: Any) -> None:
        """Print the verdict; exit status 1 unless everything holds."""
        begun = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("SELECT baton_now()")
            now: datetime = cursor.fetchone()[0]
        full = bool(options["full"])
        since = None if full else record.since(now, None)
        results = check_all(Scope(full=full, since=since, known=record.known()))
        broken = _ledger(since)
        seconds = time.perf_counter() - begun
        if full:
            record.write("full", results, began_at=now, seconds=seconds)
        holds = broken is None and all(result.holds for result in results)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(results, broken, full, seconds), indent=1))
        else:
            self._print(results, broken, full=full, seconds=seconds)
        if not holds:
            raise SystemExit(1)

    def _print(
        self, results: list[Result], broken: Break | None, *, full: bool, seconds: float
    ) -> None:
        for result in results:
            word = "holds" if result.holds else result.problem or f"{len(result.offenders)} broken"
            self.stdout.write(f"{result.code:>4}  {word:<10}  {result.sentence}")
            for one in result.offenders[:SHOWN]:
                self.stdout.write(f"        {one}")
            if len(result.offenders) > SHOWN:
                self.stdout.write(f"        and {len(result.offenders) - SHOWN} more")
        self.stdout.write(f"ledger  {_said(broken)}")
        for code, reason in NOT_YET.items():
            self.stdout.write(f"{code:>4}  not looked at: {reason}")
        form = "Every row" if full else "Open and lately moved rows"
        self.stdout.write(f"{form} in {seconds:.1f} s.")


def _ledger(since: datetime | None) -> Break | None:
    """Recompute the digests: of everything with its seals, or of streams that moved since."""
    if since is None:
        return ledger.verify()
    streams = Stream.objects.filter(events__at__gte=since).distinct().order_by("kind", "key")
    found = (ledger.verify_stream(stream) for stream in streams)
    return next((broken for broken in found if broken is not None), None)


def _said(broken: Break | None) -> str:
    if broken is None:
        return "holds"
    return (
        f"is broken at {broken.stream}, event {broken.seq}: {broken.rule}; expected"
        f" {broken.expected or 'nothing'}, found {broken.found or 'nothing'}"
    )


def _as_json(
    results: list[Result], broken: Break | None, full: bool, seconds: float
) -> dict[str, object]:
    return {
        "holds": broken is None and all(result.holds for result in results),
        "form": "full" if full else "quick",
        "seconds": round(seconds, 3),
        "invariants": [
            {
                "code": result.code,
                "sentence": result.sentence,
                "holds": result.holds,
                "offenders": [vars(one) for one in result.offenders],
                "problem": result.problem,
                "seconds": result.seconds,
            }
            for result in results
        ],
        "ledger": None if broken is None else vars(broken),
        "not_looked_at": NOT_YET,
    }
