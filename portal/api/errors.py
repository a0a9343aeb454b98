"""What goes wrong as an answer: problem+json (RFC 9457), every kind in one table."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from personas.commands import away
from personas.errors import Busy, Conflict, DomainError, Gone, Invalid, NotAllowed, NotFound
from pipelines.artefacts.storage import AlteredContent, MissingContent, StorageError
from portal.uploads import TooLarge

logger = logging.getLogger(__name__)

MEDIA = "application/problem+json"
RETRY_SECONDS = 2


@dataclass(frozen=True)
class Kind:
    """How one kind of error is answered; `code` and `detail` stand in where it has none."""

    status: int
    slug: str
    title: str
    detail: str = ""
    retryable: bool = False


# The first row whose class fits counts, so a class stands above its own base.
KINDS: Sequence[tuple[type[Exception], Kind]] = (
    (TooLarge, Kind(413, "too-large", "The upload is too large")),
    (NotAllowed, Kind(403, "not-allowed", "You may not do this")),
    (NotFound, Kind(404, "not-found", "There is no such thing")),
    (Conflict, Kind(409, "conflict", "The state has moved on")),
    (Gone, Kind(410, "gone", "It was closed")),
    (Invalid, Kind(422, "invalid", "The input needs another look")),
    (Busy, Kind(503, "busy", "Another change is under way", retryable=True)),
    (MissingContent, Kind(500, "content-missing", "The stored content is missing")),
    (AlteredContent, Kind(500, "content-altered", "The stored content has been altered")),
    (StorageError, Kind(503, "storage", "The artefact store does not answer", retryable=True)),
    (exceptions.ValidationError, Kind(422, "invalid", "The input needs another look")),
    (exceptions.ParseError, Kind(400, "malformed", "The body cannot be read")),
    (exceptions.NotAuthenticated, Kind(401, "not-signed-in", "Sign in first")),
    (exceptions.AuthenticationFailed, Kind(401, "not-signed-in", "The token is not valid")),
    (exceptions.PermissionDenied, Kind(403, "not-allowed", "You may not do this")),
    (exceptions.NotFound, Kind(404, "not-found", "There is no such thing")),
    (exceptions.MethodNotAllowed, Kind(405, "method", "This address takes other methods")),
    (exceptions.NotAcceptable, Kind(406, "not-acceptable", "Only JSON is answered here")),
    (exceptions.UnsupportedMediaType, Kind(415, "media", "This media type is not taken here")),
    (exceptions.Throttled, Kind(429, "throttled", "Too many requests", retryable=True)),
    (Http404, Kind(404, "not-found", "There is no such thing", "Nothing is found here.")),
    (PermissionDenied, Kind(403, "not-allowed", "You may not do this", "Permission denied.")),
    (SuspiciousOperation, Kind(400, "malformed", "The request cannot be read")),
    (
        OperationalError,
        Kind(503, "database", "The database does not answer", "Try again soon.", retryable=True),
    ),
    (
        InterfaceError,
        Kind(503, "database", "The database does not answer", "Try again soon.", retryable=True),
    ),
)
UNKNOWN = Kind(500, "defect", "This is a defect of Baton", "It has been recorded.")
STATUSES = {kind.status: kind.title for _, kind in reversed(KINDS)}


def answer(error: Exception, context: Mapping[str, object]) -> Response:
    """Answer any error as a problem; DRF calls this for whatever an endpoint raises."""
    kind = kind_of(error)
    if kind is UNKNOWN:
        logger.error("an endpoint failed", exc_info=error)
        got_request_exception.send(sender=answer, request=context.get("request"))
    response = Response(problem(error, kind), status=kind.status, content_type=MEDIA)
    for name, value in _headers(error, kind).items():
        response[name] = value
    # DRF sets the same on its own answers: the log of a refused request stays quiet.
    response.exception = True
    return response


def kind_of(error: Exception) -> Kind:
    """Return the table's row for an error."""
    if isinstance(error, DatabaseError) and away(error):
        error = OperationalError(*error.args)
    for known, kind in KINDS:
        if isinstance(error, known):
            return kind
    return UNKNOWN


def problem(error: Exception, kind: Kind) -> dict[str, object]:
    """Return the body: type, title, status, detail, code, and what the error knows more."""
    body: dict[str, object] = {
        "type": f"urn:baton:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": _detail(error, kind),
        "code": _code(error, kind),
        "retryable": kind.retryable,
    }
    if isinstance(error, Invalid):
        body["fields"] = error.fields
    elif isinstance(error, exceptions.ValidationError):
        body["fields"] = flatten(error.detail)
    if isinstance(error, DomainError):
        body |= {name: _plain(value) for name, value in error.data.items() if name not in body}
    return body


def _code(error: Exception, kind: Kind) -> str:
    if isinstance(error, DomainError):
        return error.code
    return kind.slug.replace("-", "_")


def _detail(error: Exception, kind: Kind) -> str:
    if isinstance(error, exceptions.ValidationError):
        count = len(flatten(error.detail))
        return f"{count} field{'s need' if count != 1 else ' needs'} another look."
    if isinstance(error, exceptions.APIException):
        return str(error.detail)
    if isinstance(error, DomainError | MissingContent | AlteredContent):
        return str(error)
    if isinstance(error, StorageError):
        # Its text may name folders of the machine.
        logger.error("the artefact store: %s", error)
    return kind.detail or kind.title


def flatten(detail: object, path: str = "") -> dict[str, list[str]]:
    """Return a validation error's texts by dotted field path, as the domain names fields."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            found |= flatten(inner, here)
        return found
    if isinstance(detail, list) and any(isinstance(part, Mapping | list) for part in detail):
        found = {}
        for number, inner in enumerate(detail):
            found |= flatten(inner, f"{path}.{number}") if inner else {}
        return found
    texts = detail if isinstance(detail, list) else [detail]
    return {path or "body": [str(text) for text in texts]}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _headers(error: Exception, kind: Kind) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.APIException):
        challenge = getattr(error, "auth_header", None)
        if challenge:
            headers["WWW-Authenticate"] = str(challenge)
    wait = getattr(error, "wait", None)
    if kind.retryable:
        headers["Retry-After"] = f"{wait:.0f}" if wait else str(RETRY_SECONDS)
    return headers
