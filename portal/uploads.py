"""Uploads on their way in: streamed to disk within the limit, and known by what they hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest

from personas.errors import DomainError, Invalid
from pipelines.operations.brought import kinds

MEGABYTE = 1024 * 1024
HEAD = 64 * 1024
OVERHEAD = 64 * 1024  # what the multipart envelope may add to a file
LONGEST_NAME = 200
JSON_LIMIT = 16 * MEGABYTE


class TooLarge(DomainError):
    """The upload is larger than the installation takes; nothing of it is kept."""


def too_large(size: int, *, at_least: bool = False) -> TooLarge:
    """Return the refusal that names limit and size."""
    limit = settings.UPLOAD_LIMIT_MB
    shown = f"{'more than ' if at_least else ''}{size / MEGABYTE:.1f} MB"
    return TooLarge(
        "upload_too_large",
        f"The upload has {shown}; the limit is {limit} MB (BATON_UPLOAD_LIMIT_MB).",
        limit_bytes=limit * MEGABYTE,
        size_bytes=size,
    )


def check_length(request: HttpRequest) -> None:
    """Refuse by the announced length, before anything is read. Raises TooLarge."""
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > settings.UPLOAD_LIMIT_MB * MEGABYTE + OVERHEAD:
        raise too_large(announced)


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Writes a file to disk as it comes and stops at the limit, whatever was announced."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Start counting."""
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a chunk; raises TooLarge."""
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_LIMIT_MB * MEGABYTE:
            self.file.close()  # which removes it
            raise too_large(self.received, at_least=True)
        super().receive_data_chunk(raw_data, start)


def prepare(request: HttpRequest) -> None:
    """Check the length and stream the request's files to disk. Raises TooLarge.

    Must be called before anything reads the body, the check of the CSRF token included.
    """
    check_length(request)
    request.upload_handlers = [LimitedUploadHandler(request)]


def media_of(path: Path, *, name: str, wanted: str = "") -> str:
    """Return what the content is: csv, parquet or skops by looking, another medium as named.

    Raises Invalid naming file, rule and what was found.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise _refused(name, "the file is empty (0 bytes)")
    if wanted not in ("", *CHECKS):
        raise _refused(name, f"must be one of {', '.join(CHECKS)}, got {wanted!r}", field="media")
    if kinds.is_pickle(head):
        raise _refused(name, "is a pickle, which runs code when it is opened; use skops or ONNX")
    medium = wanted or _found(path, head, name)
    CHECKS[medium](path, head, name)
    return medium


def _found(path: Path, head: bytes, name: str) -> str:
    """The medium by what the file holds; of texts, JSON is told from CSV by the name."""
    if head[:4] == b"PAR1":
        return "parquet"
    if name.lower().endswith(".json"):
        return "json"
    suffix = name.lower().rpartition(".")[2]
    # What is named as a model is judged as one, so that the refusal says why it is none.
    if suffix in MODELS:
        return suffix
    kind = kinds.kind_of(path) if head[:4] == b"PK\x03\x04" else None
    return kinds.SKOPS if kind is not None and kind.name == kinds.SKOPS else "csv"


def clean_name(name: str) -> str:
    """Return a file's name without folders and control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable())[:LONGEST_NAME] or "upload"


def _refused(name: str, rule: str, *, field: str = "file") -> Invalid:
    return Invalid(f"{name} cannot be taken.", fields={field: [f"{name}: {rule}"]})


def _parquet(path: Path, head: bytes, name: str) -> None:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 4))
        tail = stream.read(4)
    if head[:4] != b"PAR1" or tail != b"PAR1":
        raise _refused(name, "is no whole Parquet file: it must begin and end with PAR1")


def _text(path: Path, head: bytes, name: str) -> None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, which the inspection names
        return
    if b"\x00" in head:
        found = "a zip archive" if head[:2] == b"PK" else "binary content"
        raise _refused(name, f"is neither CSV nor Parquet; found {found}")
    if head[:4] == b"PK\x03\x04":
        raise _refused(name, "is neither CSV nor Parquet; found a zip archive")


def _json(path: Path, head: bytes, name: str) -> None:
    size = path.stat().st_size
    if size > JSON_LIMIT:
        raise _refused(name, f"JSON of {size} bytes; at most {JSON_LIMIT}")
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _refused(name, f"is not JSON: {error}") from None


def _model(path: Path, head: bytes, name: str) -> None:
    kind = kinds.kind_of(path)
    if kind.refusal:
        raise _refused(name, f"is no model that can be taken: {kind.refusal}")


def _zip(path: Path, head: bytes, name: str) -> None:
    if head[:4] != b"PK\x03\x04":
        raise _refused(name, "is no zip archive")


def _anything(path: Path, head: bytes, name: str) -> None:
    return None


MODELS = (kinds.SKOPS, kinds.ONNX)
CHECKS: dict[str, Callable[[Path, bytes, str], None]] = {
    "csv": _text,
    "parquet": _parquet,
    "json": _json,
    "skops": _model,
    "zip": _zip,
    "onnx": _model,
    "bytes": _anything,
}
