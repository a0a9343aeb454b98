"""Keep what a verification found; of many engine processes one at a time has its turn."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from pipelines.runs.invariants.contract import Offender, Result
from pipelines.runs.models import Verification

# An event's time is its command's beginning: one that commits late may predate the last look.
SLACK: Final = timedelta(minutes=2)
LONGEST_LOOK: Final = timedelta(hours=1)  # what moved before that is the full form's
KEPT_ROWS: Final = 100

# Whoever moves the beginning has the turn. Nothing stays locked: who dies loses only this turn.
_TURN: Final = """
WITH last AS (SELECT began_at FROM runs_verification WHERE form = 'quick')
INSERT INTO runs_verification (form, began_at, seconds, results)
VALUES ('quick', baton_now(), 0, '{}'::jsonb)
    ON CONFLICT (form) DO UPDATE SET began_at = excluded.began_at
 WHERE runs_verification.began_at <= excluded.began_at - make_interval(secs => %s)
RETURNING began_at, (SELECT began_at FROM last)
"""


def take_turn(*, every: float) -> datetime | None:
    """Begin the next quick verification; returns since when to look, or None: too early.

    `every` is in seconds.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [every])
        row = cursor.fetchone()
    return None if row is None else since(row[0], row[1])


def since(now: datetime, last: datetime | None) -> datetime:
    """Return since when rows count as lately moved."""
    earliest = now - LONGEST_LOOK
    return earliest if last is None else max(earliest, last - SLACK)


def known() -> list[Offender]:
    """Return the rows that the last verifications of either form found broken."""
    found: dict[tuple[str, str], Offender] = {}
    for results in Verification.objects.values_list("results", flat=True):
        for code, entry in results.items():
            for row in entry["rows"]:
                found[code, f"{row[0]}:{row[1]}"] = Offender(*row)
    return list({one.name: one for one in found.values()}.values())


def write(form: str, results: Iterable[Result], *, began_at: datetime, seconds: float) -> None:
    """Keep what was found, and since when what does not hold has not held.

    A turn that took so long that another began meanwhile does not take that one's beginning back.
    """
    before = Verification.objects.filter(form=form).values_list("results", flat=True).first() or {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT baton_now()")
        now: datetime = cursor.fetchone()[0]
    entries = {one.code: _entry(one, before.get(one.code, {}), now) for one in results}
    found = {"ended_at": now, "seconds": round(seconds, 3), "results": entries}
    row, new = Verification.objects.get_or_create(
        form=form, defaults={**found, "began_at": began_at}
    )
    if not new:
        found["began_at"] = max(began_at, row.began_at)
        Verification.objects.filter(form=form).update(**found)


def _entry(result: Result, before: dict[str, Any], now: datetime) -> dict[str, Any]:
    rows: Sequence[Offender] = result.offenders[:KEPT_ROWS]
    return {
        "offenders": None if result.problem else len(result.offenders),
        "rows": [[one.what, one.id, one.run, one.wrong] for one in rows],
        "problem": result.problem,
        "seconds": result.seconds,
        "since": None if result.holds else before.get("since") or now.isoformat(),
    }
