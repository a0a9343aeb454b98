"""The prediction log's writer: rows wait in memory and are written in batches by one thread.

What a crash may lose: the rows not yet written, normally those of the last quarter second,
never more than LIMIT. A full queue refuses new predictions rather than answer them unlogged.
"""

import csv
import io
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import (
    DataError,
    IntegrityError,
    close_old_connections,
    connection,
)

from personas.errors import Busy
from pipelines.operations.contract import Json

EVERY = 0.25  # seconds between two writes
BATCH = 2000  # rows of one COPY
LIMIT = 50_000  # rows that may wait

log = logging.getLogger("baton.serve")


class Entry(NamedTuple):
    """One row of the log; the fields are the table's columns."""

    model_id: int
    version_id: int | None
    deployment_id: int | None
    mode: str
    served_by: str
    key: str
    event_time: datetime | None
    inputs: Mapping[str, Json]
    score: float | None
    label: Json
    failed: bool
    latency: float
    request: UUID
    asked_by_id: int | None
    probabilities: Mapping[str, Json] | None = None


_INPUTS = json.JSONEncoder(separators=(",", ":"), allow_nan=False)  # `dumps` makes one a call
_COPY = f"COPY serving_prediction ({', '.join(Entry._fields)}) FROM STDIN (FORMAT csv)"


class LogWriter:
    """Takes rows from any thread; `start` and `stop` frame its life."""

    def __init__(self, *, every: float = EVERY, limit: int = LIMIT) -> None:
        self.every = every
        self.limit = limit
        self.written = 0
        self._rows: list[Entry] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, *, seconds: float = 10.0) -> None:
        """Write what waits and end."""
        self._stop.set()
        self._thread.join(seconds)

    def check_room(self, count: int) -> None:
        """Raise Busy where so many more rows would not fit."""
        if len(self._rows) + count > self.limit:
            raise Busy("log_full", "The prediction log is behind; ask again in a moment.")

    def add(self, rows: Sequence[Entry]) -> None:
        """Take rows to be written."""
        with self._lock:
            self._rows.extend(rows)

    @property
    def waiting(self) -> int:
        """Rows not yet written."""
        return len(self._rows)

    def flush(self) -> None:
        """Write what waits now; what cannot be written waits on. Raises DatabaseError."""
        while True:
            with self._lock:
                batch = self._rows[:BATCH]
            if not batch:
                return
            self.written += _write(batch)
            with self._lock:
                del self._rows[: len(batch)]

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._stop.wait(self.every)
            try:
                self.flush()
            # Whatever goes wrong with a batch, the thread must live: without it nobody is answered.
            except Exception:
                log.exception("the prediction log cannot be written; %d rows wait", self.waiting)
                close_old_connections()
        connection.close()


def _write(batch: Sequence[Entry]) -> int:
    """Write rows and return how many; one that the database refuses must not hold up the rest."""
    try:
        with connection.cursor() as cursor:
            # Several times quicker than the ORM's INSERT, and holds the GIL as much less.
            cursor.copy_expert(_COPY, _as_csv(batch))
    except (DataError, IntegrityError, ValueError):
        if len(batch) == 1:
            log.exception("a prediction cannot be logged: key %r", batch[0].key)
            return 0
        half = len(batch) // 2
        return _write(batch[:half]) + _write(batch[half:])
    return len(batch)


def _as_csv(batch: Sequence[Entry]) -> io.StringIO:
    """The rows as COPY reads them: an empty field is null."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    for entry in batch:
        label = None if entry.label is None else json.dumps(entry.label)
        inputs = _INPUTS.encode(entry.inputs)
        shares = None if entry.probabilities is None else _INPUTS.encode(entry.probabilities)
        row = entry._replace(inputs=inputs, label=label, probabilities=shares)  # type: ignore[arg-type]
        writer.writerow(row)
    lines.seek(0)
    return lines
