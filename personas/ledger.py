"""The ledger: every state change as an event of a hash-chained stream.

The chain runs per stream (a run, a model, a person), so that writers of different runs never wait
for each other; `seal` ties all heads together every minute.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from personas import statements
from personas.models import Checkpoint, Event, Stream, User

SLACK: Final = timedelta(minutes=2)
WHOLE_ABOVE: Final = 1e16  # from here Python writes a float with an exponent, PostgreSQL does not


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, or the service, worker or timer of Baton itself."""

    kind: str
    name: str
    user: User | None = None

    @classmethod
    def person(cls, user: User) -> "Actor":
        """Return the actor of a signed-in person or a service account."""
        return cls("service" if user.is_service else "person", str(user), user)


TIMER = Actor("timer", "timer")
ENGINE = Actor("service", "engine")


@dataclass(frozen=True)
class Draft:
    """An event before its command commits."""

    stream: tuple[str, str]
    type: str
    subject: str
    subject_id: int | None
    before: str
    after: str
    data: Mapping[str, object]
    topic: str


@dataclass
class Recorder:
    """Collects the events of one command and writes them in one go, in the caller's transaction."""

    actor: Actor
    command: UUID
    now: datetime
    drafts: list[Draft] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)

    def record(
        self,
        stream: tuple[str, str],
        event: str,
        *,
        subject: tuple[str, int | None] = ("", None),
        before: str = "",
        after: str = "",
        data: Mapping[str, object] | None = None,
        topic: str = "",
    ) -> None:
        """Note an event; with a `topic`, the outbox's consumers are told after commit."""
        self.drafts.append(
            Draft(stream, event, subject[0], subject[1], before, after, _plain(data or {}), topic)
        )

    def notify(self, channel: str, payload: str) -> None:
        """Send a notification with the events; PostgreSQL delivers it only at commit."""
        self.notices.append((channel, payload))

    def mark(self) -> tuple[int, int]:
        """Return how much is recorded so far, for `back_to`."""
        return len(self.drafts), len(self.notices)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget what was recorded since: it was undone with its savepoint."""
        del self.drafts[mark[0] :], self.notices[mark[1] :]

    def flush(self) -> None:
        """Write what was recorded; locks each stream's head, in order of its name."""
        drafts, self.drafts = self.drafts, []
        by_stream: dict[tuple[str, str], list[Draft]] = {}
        for draft in drafts:
            by_stream.setdefault(draft.stream, []).append(draft)
        for stream in sorted(by_stream):
            self._append(stream, by_stream[stream])
        if self.notices:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {_calls(self.notices)}", _flat(self.notices))
            self.notices.clear()

    def _append(self, name: tuple[str, str], drafts: Sequence[Draft]) -> None:
        head = _lock_head(name)
        events = []
        for draft in drafts:
            event = Event(
                stream_id=head.pk,
                seq=head.seq + 1,
                type=draft.type,
                actor_kind=self.actor.kind,
                actor=self.actor.user,
                actor_name=self.actor.name,
                command=self.command,
                at=self.now,
                subject=draft.subject,
                subject_id=draft.subject_id,
                before=draft.before,
                after=draft.after,
                data=draft.data,
                previous=head.head,
            )
            event.digest = digest_of(event, name)
            head.seq, head.head = event.seq, event.digest
            events.append(event)
        # A hint that is lost costs a page its liveness for some seconds, nothing else.
        self.notify("baton_changed", f"{name[0]}:{name[1]}:{head.seq}")
        if any(draft.topic for draft in drafts):
            self.notify("baton_outbox", "")
        notices, self.notices = list(dict.fromkeys(self.notices)), []
        _write(head, events, [draft.topic for draft in drafts], notices)


def _plain(data: Mapping[str, object]) -> Mapping[str, Any]:
    """Return data as the database gives them back, or the digest could not be recomputed.

    jsonb keeps numbers as decimals: 1e16 comes back as a whole number, keys come back as text.
    """
    if all(value is None or isinstance(value, str | int) for value in data.values()):
        return data
    plain: Mapping[str, Any] = json.loads(canonical(data), parse_float=_number)
    return plain


def _number(text: str) -> int | float:
    value = float(text) + 0.0  # decimals know no negative zero
    return int(value) if value.is_integer() and abs(value) >= WHOLE_ABOVE else value


# Every command writes events: the object mapper alone would cost it a millisecond more.
LOCK_HEAD: Final = (
    "SELECT id, seq, head FROM personas_stream WHERE kind = %s AND key = %s FOR UPDATE"
)
COLUMNS: Final = (
    *("stream_id", "seq", "type", "actor_kind", "actor_id", "actor_name", "command", "at"),
    *("subject", "subject_id", "before", "after", "data", "previous", "digest"),
)
PLACES: Final = f"({', '.join(['%s'] * len(COLUMNS))})"


# Ids are given in the order of the rows, so that the n-th smallest is the n-th event's.
OUTBOX: Final = """
INSERT INTO personas_outbox (event_id, topic, created_at, due_at, tries, error)
SELECT id, topic, baton_now(), baton_now(), 0, ''
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM written) w
  JOIN unnest(%s::text[]) WITH ORDINALITY t(topic, place) USING (place) WHERE topic <> ''"""


# By kind of stream: the UPDATE of who keeps the time of its last event, given that and the key.
_FOLLOWERS: dict[str, str] = {}


def follow(kind: str, update: str) -> None:
    """Let an UPDATE (of a time, by a key) run in the statement that appends to such a stream.

    It must pass over rows that may change no more, and its row be locked by whoever appends.
    """
    _FOLLOWERS[kind] = update


def _lock_head(name: tuple[str, str]) -> Stream:
    with connection.cursor() as cursor:
        statements.run(cursor, LOCK_HEAD, name)
        row = cursor.fetchone()
        if row is None:
            Stream.objects.bulk_create([Stream(kind=name[0], key=name[1])], ignore_conflicts=True)
            statements.run(cursor, LOCK_HEAD, name)
            row = cursor.fetchone()
    return Stream(pk=row[0], kind=name[0], key=name[1], seq=row[1], head=row[2])


def _write(
    head: Stream,
    events: Sequence[Event],
    topics: Sequence[str],
    notices: Sequence[tuple[str, str]],
) -> None:
    """Write events, outbox rows, head and what is to be told at commit: one statement."""
    follower = _FOLLOWERS.get(head.kind)
    followed = f", followed AS ({follower})" if follower else ""
    time_and_key: list[Any] = [events[-1].at, head.key] if follower else []
    values: list[Any] = []
    for event in events:
        row = {name: getattr(event, name) for name in COLUMNS}
        row["command"], row["data"] = str(event.command), json.dumps(event.data)
        values.extend(row.values())
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    rows = ", ".join([PLACES] * len(events))
    sql = (
        f"WITH written AS (INSERT INTO personas_event ({columns}) VALUES {rows} RETURNING id),"  # noqa: S608
        f" sent AS ({OUTBOX}){followed}"
        " UPDATE personas_stream SET seq = %s, head = %s WHERE id = %s"
        f" RETURNING {_calls(notices)}"
    )
    with connection.cursor() as cursor:
        statements.run(
            cursor,
            sql,
            [
                *values,
                list(topics),
                *time_and_key,
                head.seq,
                head.head,
                head.pk,
                *_flat(notices),
            ],
        )


def _calls(notices: Sequence[tuple[str, str]]) -> str:
    return ", ".join(["pg_notify(%s, %s)"] * len(notices))


def _flat(notices: Sequence[tuple[str, str]]) -> list[str]:
    return [text for notice in notices for text in notice]


def last_change(stream: tuple[str, str], subject: tuple[str, int | None]) -> dict[str, object]:
    """Return `by`, `at` and `state` of the last change of a subject, else of the run it is in.

    Empty where neither has changed: of a person or a use case the last event may be about anything.
    For refusals: they name who was first.
    """
    rows = Event.objects.filter(stream__kind=stream[0], stream__key=stream[1]).order_by("-seq")
    name, pk = subject
    of_it = rows.filter(subject=name, subject_id=pk).exclude(subject_id=None)
    about = of_it.exclude(after="").first() or of_it.first()
    event = about
    if event is None and stream[0] == "run":
        event = rows.filter(subject="run").exclude(after="").first()
    if event is None:
        return {}
    state = {"state": event.after} if about is not None and event.after else {}
    return {"by": event.actor_name, "at": event.at, **state}


def digest_of(event: Event, stream: tuple[str, str]) -> str:
    """Return the SHA-256 (hex) of an event's content and of the digest before it."""
    body = {
        "stream": list(stream),
        "seq": event.seq,
        "type": event.type,
        "actor": [event.actor_kind, event.actor_id, event.actor_name],
        "command": str(event.command),
        "at": event.at.isoformat(),
        "subject": [event.subject, event.subject_id],
        "change": [event.before, event.after],
        "data": event.data,
        "previous": event.previous,
    }
    return hashlib.sha256(canonical(body)).hexdigest()


def canonical(body: object) -> bytes:
    """Return the one JSON form of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    ).encode()


@dataclass(frozen=True)
class Break:
    """The first row at which a chain does not hold."""

    stream: str
    seq: int
    rule: str
    expected: str
    found: str


def verify_stream(stream: Stream) -> Break | None:
    """Recompute a stream's chain; return its first broken row, or None.

    Events that were appended after `stream` was read are verified with the rest.
    """
    previous, seq, name = "", 0, (stream.kind, stream.key)
    for event in stream.events.order_by("seq").iterator():
        seq += 1
        if event.seq != seq:
            return Break(str(stream), seq, "seq has a gap", str(seq), str(event.seq))
        if event.previous != previous:
            return Break(str(stream), seq, "previous digest differs", previous, event.previous)
        digest = digest_of(event, name)
        if digest != event.digest:
            return Break(
                str(stream), seq, "content does not hash to its digest", event.digest, digest
            )
        previous = digest
        if seq == stream.seq and digest != stream.head:
            return Break(str(stream), seq, "the head differs", stream.head, digest)
    # A head is moved with its events: what was seen of them, a fresh look at it must name, too.
    head = stream if seq <= stream.seq else Stream.objects.get(pk=stream.pk)
    if head.seq < seq or seq < stream.seq:
        return Break(
            str(stream),
            seq + 1,
            "the head names an event that is missing",
            f"{head.seq} {head.head}",
            f"{seq} {previous}",
        )
    return None


def verify() -> Break | None:
    """Recompute every chain and every seal; return the first broken row, or None."""
    broken = (verify_stream(stream) for stream in Stream.objects.order_by("kind", "key"))
    return next((found for found in broken if found is not None), None) or verify_checkpoints()


def verify_checkpoints() -> Break | None:
    """Check that seals chain, and that each head they ever sealed is still in its stream."""
    previous = ""
    for number, seal in enumerate(Checkpoint.objects.order_by("id").iterator(), start=1):
        if seal.previous != previous:
            return Break("checkpoints", number, "previous seal differs", previous, seal.previous)
        root = root_of(seal.heads.items())
        digest = hashlib.sha256(canonical([seal.streams, root, seal.previous])).hexdigest()
        if (root, digest) != (seal.root, seal.digest):
            return Break(
                "checkpoints", number, "seal does not hash to its digest", seal.digest, digest
            )
        previous = seal.digest
    return _verify_sealed()


UNSEALED = """
SELECT coalesce(s.kind || ':' || s.key, 'stream ' || sealed.key), (sealed.value ->> 0)::bigint,
       c.id, sealed.value ->> 1, coalesce(e.digest, 'missing')
  FROM personas_checkpoint c
 CROSS JOIN LATERAL jsonb_each(c.heads) sealed
  LEFT JOIN personas_stream s ON s.id = sealed.key::bigint
  LEFT JOIN personas_event e
    ON e.stream_id = sealed.key::bigint AND e.seq = (sealed.value ->> 0)::bigint
 WHERE e.digest IS DISTINCT FROM sealed.value ->> 1
 ORDER BY c.id, 1 LIMIT 1
"""


def _verify_sealed() -> Break | None:
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED)
        row = cursor.fetchone()
    if row is None:
        return None
    stream, seq, number, sealed, now = row
    return Break(stream, seq, f"differs from checkpoint {number}", sealed, now)


def root_of(heads: Iterable[tuple[str, Sequence[object]]]) -> str:
    """Return the Merkle root (hex) over stream heads, ordered by stream."""
    level = [hashlib.sha256(canonical([pk, *head])).digest() for pk, head in sorted(heads)]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [
            hashlib.sha256(left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0].hex()


@transaction.atomic
def seal() -> Checkpoint | None:
    """Seal the heads that moved since the last checkpoint; None where nothing moved.

    One replica seals at a time (advisory lock); the others find nothing to do.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('baton.seal'))")
        if not cursor.fetchone()[0]:
            return None
    last = Checkpoint.objects.order_by("-id").first()
    streams = Stream.objects.filter(seq__gt=0)
    if last is not None:
        # An event's time is its transaction's start: one that commits late may predate a seal.
        streams = streams.filter(events__at__gte=last.at - SLACK).distinct()
    heads = {str(pk): [seq, head] for pk, seq, head in streams.values_list("id", "seq", "head")}
    if last is not None:
        heads = {pk: head for pk, head in heads.items() if last.heads.get(pk) != head}
    if not heads:
        return None
    previous = last.digest if last else ""
    root = root_of(heads.items())
    digest = hashlib.sha256(canonical([len(heads), root, previous])).hexdigest()
    return Checkpoint.objects.create(
        streams=len(heads), root=root, previous=previous, digest=digest, heads=heads
    )
