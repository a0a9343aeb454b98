"""What a connection leads to, looked at before any run: read once, kept, and seen like an upload.

A run reads afresh; this is for the person who chooses the columns. A child of its own reads, as
for an inspection; it gets the secret from this process's environment, as a worker's child does.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from personas.commands import Answer, Command, execute
from personas.errors import Busy, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import Event
from pipelines import catalogue
from pipelines.artefacts.actions import register, storage
from pipelines.artefacts.connections import Source, opened, problems_of
from pipelines.operations.contract import OperationError
from pipelines.runs.inspections import WAIT_SECONDS, seats
from pipelines.runs.lanes import Lane, Result, Work
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import not_managing

OPERATION: Final = "fetch"
ASKED: Final = "use_case.preview_asked"
EVENT: Final = "use_case.previewed"
FAILED: Final = "use_case.preview_failed"
SAID: Final = ("name", "digest", "media", "size", "rows")
LONGEST: Final = 60.0  # seconds; somebody waits for the answer (own)
MOST_ROWS: Final = 1_000_000  # own: as many as a profile holds without sampling
MOST_BYTES: Final = 256 << 20  # own
MEDIUM: Final = "parquet"
FIELDS: Final = {"query": "query", "table": "query", "key": "path", "max_bytes": "path"}


def preview(*, actor: Actor, use_case: UseCase, source: Source, key: str | None = None) -> Answer:
    """Read through the connection and keep what was there; the answer names the artefact.

    Raises NotAllowed for who does not manage the use case, Invalid by connection, query or path,
    Busy while others are looked at, StorageError.
    """
    refusal = None if actor.user is None else not_managing(actor.user, use_case)
    if refusal is not None:
        raise refusal
    if use_case.retired_at is not None:
        raise NotAllowed("use_case.retired", f"“{use_case.title}” is retired.")
    asked = _ask(actor, use_case, source, key)
    seen = known(use_case, source) if asked.replayed else None
    if seen is not None:
        return Answer({name: seen[name] for name in SAID}, replayed=True)
    try:
        with _read(use_case, source) as (path, facts):
            digest, size = storage().put(path)
    except Invalid as error:
        _note(actor, use_case, FAILED, {**source.as_parameters(), "fields": error.fields})
        raise
    name = f"{source.connection}.{MEDIUM}"
    found: dict[str, Any] = {"name": name, "digest": digest, "media": MEDIUM, "size": size}
    found["rows"] = facts["rows"]

    def body(command: Command, _locked: None) -> dict[str, object]:
        register(digest=digest, size=size, media=MEDIUM, name=name, by=actor.user)
        data = {**source.as_parameters(), **found}
        command.recorder.record(
            use_case.stream, EVENT, subject=("use_case", use_case.pk), data=data
        )
        return dict(found)

    return execute(actor=actor, name="preview", lock=lambda: None, body=body)


def _note(actor: Actor, use_case: UseCase, event: str, data: dict[str, Any]) -> None:
    def body(command: Command, _locked: None) -> dict[str, object]:
        command.recorder.record(
            use_case.stream, event, subject=("use_case", use_case.pk), data=data
        )
        return {}

    execute(actor=actor, name="note_preview", lock=lambda: None, body=body)


def _ask(actor: Actor, use_case: UseCase, source: Source, key: str | None) -> Answer:
    """Take the command's key and write down what is asked, before a foreign server is."""

    def body(command: Command, _locked: None) -> dict[str, object]:
        problems = problems_of(source, use_case=use_case.key)
        if not source.connection:
            problems["connection"] = ["must not be empty"]
        if problems:
            raise Invalid("Nothing can be read.", fields=problems)
        data: dict[str, object] = {**source.as_parameters()}
        command.recorder.record(
            use_case.stream, ASKED, subject=("use_case", use_case.pk), data=data
        )
        return data

    return execute(
        actor=actor,
        name="ask_preview",
        lock=lambda: None,
        body=body,
        key=key,
        request={"use_case": use_case.pk, **source.as_parameters()},
    )


def known(use_case: UseCase, source: Source) -> dict[str, Any] | None:
    """Return what the last look through the use case's connection found; None where none was."""
    last = _last(use_case, source)
    return {**last.data, "at": last.at} if last is not None and last.type == EVENT else None


def problems(use_case: UseCase, source: Source) -> dict[str, list[str]]:
    """Return why nothing was read, by field: as it is now, or as the last look said; {} if it was.

    Nothing is read for it.
    """
    found = problems_of(source, use_case=use_case.key)
    last = _last(use_case, source)
    if found or last is None or last.type != FAILED:
        return found
    fields: dict[str, list[str]] = last.data["fields"]
    return fields


def _last(use_case: UseCase, source: Source) -> Event | None:
    kind, stream = use_case.stream
    looks = Event.objects.filter(stream__kind=kind, stream__key=stream, type__in=(EVENT, FAILED))
    last = looks.order_by("-seq").first()
    return last if last is not None and Source.of(last.data) == source else None


@contextmanager
def _read(use_case: UseCase, source: Source) -> Iterator[tuple[Path, dict[str, Any]]]:
    if not seats.acquire(timeout=WAIT_SECONDS):
        raise Busy("inspections_busy", "Other data are being looked at; try again soon.")
    scratch = settings.VAR / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    # A worker that starts removes the folders of processes that are no more.
    folder = Path(tempfile.mkdtemp(dir=scratch, prefix=f"{os.getpid()}-preview-"))
    try:
        result = _perform(use_case, source, folder)
        if result.kind != "done":
            raise _refused(result)
        yield Path(result.message["outputs"]["table"]), result.message["facts"]
    except OperationError as error:
        raise _named(error.as_json()) from None
    finally:
        seats.release()
        shutil.rmtree(folder, ignore_errors=True)


def _perform(use_case: UseCase, source: Source, folder: Path) -> Result:
    spec = catalogue.spec(OPERATION)
    outputs = folder / "out"
    outputs.mkdir()
    lane = Lane(0, folder)
    work = Work(
        operation=OPERATION,
        params={
            "connection": source.connection,
            "query": source.query,
            "key": source.path,
            "max_rows": MOST_ROWS,
            "max_bytes": MOST_BYTES,
            "timeout": int(LONGEST),
        },
        inputs={},
        many={},
        seed=0,
        folder=outputs,
        max_runtime=LONGEST,
        max_memory=spec.max_memory,
        connection=opened(source.connection, use_case=use_case.key),
    )
    try:
        return lane.perform(work, lambda message: None, beat_every=LONGEST)
    finally:
        lane.kill()


def _refused(result: Result) -> Invalid:
    error = result.message.get("error")
    if isinstance(error, dict):
        return _named(error)
    said = f"Reading took longer than {LONGEST:.0f} s" if result.kind == "timed_out" else ""
    return _named({"message": said or f"Reading ended as {result.kind}."})


def _named(error: dict[str, Any]) -> Invalid:
    """The operation's refusal by the field that the person gave."""
    code, message = error.get("code"), str(error.get("message", ""))
    if code == "too_many_rows":
        message += " To look at it before a run, let the query say LIMIT; a run reads all of it."
    if code == "no_secret":
        message = "This process was not given the connection's secret; a run's worker may have it."
    default = "query" if code == "too_many_rows" else "connection"
    field = FIELDS.get(str(error.get("field")), default)
    return Invalid("Nothing can be read.", fields={field: [message]})
