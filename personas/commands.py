"""The command protocol: one way in for every change, by a person, a worker or a timer.

A command opens one transaction with short limits, finds its receipt, takes the lock its caller
names, re-checks rules on locked rows in its body, writes its events, and stores what it answered.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from psycopg2 import errors as pg

from personas import statements
from personas.errors import Busy, Conflict, DomainError, Invalid
from personas.ledger import Actor as Actor
from personas.ledger import Recorder, canonical, last_change
from personas.models import Receipt

T = TypeVar("T")

LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "5s"
# What a request calls otherwise than the ledger; the requests stay, for receipts hold their digest.
SUBJECTS = {"item": "work_item"}

LIMITS: Final = (
    "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true),"
    " baton_now()"
)
CLAIM: Final = (
    "INSERT INTO personas_receipt (actor_id, key, name, request, command)"
    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (actor_id, key) DO NOTHING RETURNING id"
)
ANSWER: Final = "UPDATE personas_receipt SET response = %s WHERE id = %s"


@dataclass
class Command:
    """A command under way: its actor, its id, its one reading of the clock, its events.

    `now` is the database's clock, and never before the last event of the run that it locked.
    """

    actor: Actor
    id: UUID
    now: datetime
    recorder: Recorder
    refusal: DomainError | None = None
    notes: dict[str, object] = field(default_factory=dict)

    def refuse(self, error: DomainError) -> None:
        """Answer with `error`, but keep what was changed (a deadline that was just applied)."""
        self.refusal = error


@dataclass(frozen=True)
class Answer:
    """What a command answered: JSON for the edges; `replayed` where a receipt answered."""

    data: dict[str, Any]
    replayed: bool = False


def execute(
    *,
    actor: Actor,
    name: str,
    lock: Callable[[], T],
    body: Callable[[Command, T], Mapping[str, object]],
    key: str | None = None,
    request: Mapping[str, object] | None = None,
) -> Answer:
    """Run one command; raises DomainError kinds, Busy where a row stays locked for 2 s.

    Rules are judged on locked rows; what no lock covers (two new rows of one name at once) the
    database refuses, and its refusal is a Conflict.
    """
    try:
        with transaction.atomic():
            command = _begin(actor)
            receipt, stored = _receipt(command, name=name, key=key, request=request or {})
            if stored is not None:
                return Answer(stored, replayed=True)
            data = dict(_answered(lock(), command, body, request or {}))
            command.recorder.flush()
            if receipt is not None and command.refusal is None:
                _keep_answer(receipt, data)
            elif receipt is not None:
                receipt.delete()
    except DatabaseError as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error
    if command.refusal is not None:
        raise command.refusal
    return Answer(data)


def _keep_answer(receipt: Receipt, data: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        statements.run(cursor, ANSWER, [json.dumps(data), receipt.pk])


def _answered(
    locked: T,
    command: Command,
    body: Callable[[Command, T], Mapping[str, object]],
    request: Mapping[str, object],
) -> Mapping[str, object]:
    """Run the body; a Conflict that does not say who was first and when learns it here.

    Told of the thing that the request names first, by the ledger; else of what was locked.
    """
    _not_before(command, locked)
    try:
        return body(command, locked)
    except Conflict as error:
        stream = getattr(locked, "stream", None)
        if stream is not None and error.data.get("at") is None:
            things = ((n, v) for n, v in request.items() if isinstance(v, int))
            noun, pk = next(things, ("", None))
            subject = (SUBJECTS.get(noun, noun), pk)
            known = {name: value for name, value in error.data.items() if value is not None}
            error.data = {**last_change(stream, subject), **known}
        raise


def _not_before(command: Command, locked: object) -> None:
    """Let no command be earlier than the one it waited for: its clock was read before the wait.

    What was locked tells when it moved last, by the database's clock; so along a run's ledger
    times never go back, and no deadline is judged by a moment that lies before what is decided on.
    """
    moved_at = getattr(locked, "moved_at", None)
    if isinstance(moved_at, datetime) and moved_at > command.now:
        command.now = command.recorder.now = moved_at


def _told(error: DatabaseError) -> Exception | None:
    """Return what the caller is told of the database's refusal; None where it says enough."""
    cause = error.__cause__
    if isinstance(cause, pg.LockNotAvailable | pg.QueryCanceled | pg.DeadlockDetected):
        return Busy("busy", "Another change holds this row; try again.")
    if isinstance(cause, pg.UniqueViolation):
        return Conflict("taken", "Somebody else was first; look again.")
    return OperationalError(*error.args) if away(error) else None


def away(error: Exception) -> bool:
    """Whether the database is away or busy: trying again may help, nothing was wrong in asking.

    When a server dies in mid-answer, psycopg2 raises a plain DatabaseError without SQLSTATE; every
    answer of a living server has one.
    """
    if isinstance(error, Busy | OperationalError | InterfaceError):
        return True
    if isinstance(error.__cause__, pg.ReadOnlySqlTransaction):
        return True  # a standby, or a disk that was made read-only: it will take writes again
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "pgcode", None) is None


def _begin(actor: Actor) -> Command:
    with connection.cursor() as cursor:
        statements.run(cursor, LIMITS, [LOCK_TIMEOUT, STATEMENT_TIMEOUT])
        now = cursor.fetchone()[2]
    command = uuid4()
    return Command(actor, command, now, Recorder(actor, command, now))


def _receipt(
    command: Command, *, name: str, key: str | None, request: Mapping[str, object]
) -> tuple[Receipt | None, dict[str, Any] | None]:
    """Claim the receipt, or return the response stored under it; 422 for another request."""
    if key is None or command.actor.user is None:
        return None, None
    digest = hashlib.sha256(canonical([name, request])).hexdigest()
    with connection.cursor() as cursor:
        # Waits for a twin that is under way: its commit makes this a replay, its rollback a claim.
        statements.run(cursor, CLAIM, [command.actor.user.pk, key, name, digest, command.id])
        row = cursor.fetchone()
    if row is not None:
        return Receipt(pk=row[0]), None
    receipt = Receipt.objects.get(actor=command.actor.user, key=key)
    if receipt.request != digest:
        raise Invalid(
            "This Idempotency-Key was used for another request.",
            fields={"Idempotency-Key": [f"key {key!r} belongs to a different {receipt.name}"]},
        )
    return receipt, receipt.response
