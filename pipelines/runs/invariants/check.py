"""Ask the database whether the invariants hold. Reads only; each statement by itself, timed."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from psycopg2 import errors as pg

from pipelines.artefacts.actions import storage
from pipelines.artefacts.storage import StorageError
from pipelines.runs.invariants.contract import Invariant, Offender, Result
from pipelines.runs.invariants.table import INVARIANTS

QUICK_SECONDS: Final = 5.0
FULL_SECONDS: Final = 900.0
LONGEST_TRANSACTION: Final = 30.0  # seconds
MOST: Final = {False: 100, True: 1000}  # offenders named per invariant, by form
# Names the connection while it may be long in one statement: I24 leaves it out.
NAME: Final = "baton verify"
_CONTENT: Final = """
SELECT DISTINCT ON (o.value ->> 'digest') o.value ->> 'digest', a.id, a.run_id, o.key
  FROM runs_step s JOIN runs_attempt a ON a.id = s.result_id
 CROSS JOIN LATERAL jsonb_each(a.outputs) o
  JOIN artefacts_artefact f ON f.digest = o.value ->> 'digest'
 ORDER BY o.value ->> 'digest', a.id
"""


@dataclass(frozen=True)
class Scope:
    """What to look at: every row, or what moved since a time and what was broken before."""

    full: bool
    since: datetime | None = None
    known: Sequence[Offender] = ()

    @property
    def seconds(self) -> float:
        """How long one statement may take."""
        return FULL_SECONDS if self.full else QUICK_SECONDS


def check_all(scope: Scope, invariants: Iterable[Invariant] = INVARIANTS) -> list[Result]:
    """Check each invariant; a statement that is too slow or fails is a problem, not a pass.

    Raises OperationalError where the database is away.
    """
    return [_check(one, scope) for one in invariants]


def _check(invariant: Invariant, scope: Scope) -> Result:
    begun = time.perf_counter()
    problem, found = "", list[Offender]()
    try:
        found = _ask(invariant, scope)
        if scope.full and invariant.code == "I19":
            found += _altered_content()
    except OperationalError as error:
        if not isinstance(error.__cause__, pg.QueryCanceled | pg.LockNotAvailable):
            raise
        problem = f"no answer within {scope.seconds:g} s"
    except DatabaseError as error:
        problem = f"the statement failed: {str(error).splitlines()[0]}"
    return Result(
        code=invariant.code,
        sentence=invariant.sentence,
        offenders=tuple(found),
        problem=problem,
        seconds=round(time.perf_counter() - begun, 4),
    )


def _ask(invariant: Invariant, scope: Scope) -> list[Offender]:
    values = {
        "limit": MOST[scope.full],
        "since": scope.since,
        "known": [one.name for one in scope.known],
        "runs": [one.run for one in scope.known if one.run is not None],
        "lease": settings.LEASE_SECONDS,
        "sweep": settings.SWEEP_SECONDS,
        "longest": LONGEST_TRANSACTION,
        "role": settings.APPLICATION_ROLE,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        _restrict(cursor, scope)
        cursor.execute(invariant.statement(full=scope.full), values)
        rows = cursor.fetchall()
        # Nothing was written; so the limits end with it where it is part of a longer transaction.
        transaction.set_rollback(True)
    return [Offender(what, pk, run, wrong) for what, pk, run, wrong in rows]


def _restrict(cursor: object, scope: Scope) -> None:
    limits = {
        "transaction_read_only": "on",
        "statement_timeout": f"{scope.seconds * 1000:.0f}",
        "lock_timeout": "1000",
    }
    if scope.full:
        limits["application_name"] = NAME
    else:
        # Few rows of large tables: where the planner takes many to have moved, it reads them all.
        limits |= {"enable_seqscan": "off", "random_page_cost": "1.1", "jit": "off"}
    calls = ", ".join(["set_config(%s, %s, true)"] * len(limits))
    values = [text for pair in limits.items() for text in pair]
    cursor.execute(f"SELECT {calls}", values)  # type: ignore[attr-defined]


def _altered_content() -> list[Offender]:
    """Read every artefact that an accepted result names, and hash it."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTENT)
        rows = cursor.fetchall()
    found = []
    for digest, attempt, run, name in rows:
        try:
            storage().open(digest).close()
        except StorageError as error:
            found.append(Offender("attempt", attempt, run, f"its output {name}: {error}"))
    return found
