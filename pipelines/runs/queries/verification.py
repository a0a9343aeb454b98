"""What the last verification of the invariants found: for the console and /metrics. One query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from pipelines.runs.invariants import INVARIANTS, Offender
from pipelines.runs.models import Verification


@dataclass(frozen=True)
class Held:
    """One invariant as it was last seen; `offenders` is None where it could not be checked."""

    code: str
    sentence: str
    offenders: int | None
    rows: tuple[Offender, ...]
    problem: str
    since: datetime | None

    @property
    def holds(self) -> bool:
        """Whether it was looked at and nothing broke it."""
        return self.offenders == 0


@dataclass(frozen=True)
class Verified:
    """A verification that ended; `age` is in seconds, by the database's clock."""

    form: str
    ended_at: datetime
    age: float
    seconds: float
    invariants: tuple[Held, ...]

    @property
    def broken(self) -> tuple[Held, ...]:
        """Return what does not hold, or could not be checked."""
        return tuple(one for one in self.invariants if not one.holds)


def last_verified(form: str = "quick") -> Verified | None:
    """Return what the last verification of a form found, or None where none has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT baton_now()")
        now: datetime = cursor.fetchone()[0]
    row = Verification.objects.filter(form=form, ended_at__isnull=False).first()
    if row is None or row.ended_at is None:
        return None
    return Verified(
        form=form,
        ended_at=row.ended_at,
        age=max(0.0, (now - row.ended_at).total_seconds()),
        seconds=row.seconds,
        invariants=tuple(
            _held(one.code, one.sentence, row.results[one.code])
            for one in INVARIANTS
            if one.code in row.results
        ),
    )


def _held(code: str, sentence: str, entry: dict[str, Any]) -> Held:
    return Held(
        code=code,
        sentence=sentence,
        offenders=entry["offenders"],
        rows=tuple(Offender(*row) for row in entry["rows"]),
        problem=entry["problem"],
        since=datetime.fromisoformat(entry["since"]) if entry["since"] else None,
    )
