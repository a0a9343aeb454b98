"""What goes wrong as an answer: problem+json (RFC 9457), every kind in one table."""

from collections.abc import Mapping, Sequence

from personas.errors import Busy, Conflict, DomainError, Invalid, NotAllowed, NotFound
from pipelines.serving.predict import RowsError

Body = dict[str, object]
Headers = dict[str, str]


class HttpError(Exception):
    """A request that fails as HTTP: unreadable, too large, not signed in, wrong method."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


TITLES: Mapping[int, str] = {
    400: "The body cannot be read",
    401: "The token is not valid",
    403: "You may not do this",
    404: "There is no such thing",
    405: "This address takes other methods",
    409: "Nothing answers for this model",
    413: "The body is too large",
    422: "The input needs another look",
    500: "This is a defect of Baton",
    503: "It cannot be answered now",
}
STATUSES: Sequence[tuple[type[Exception], int]] = (
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (RowsError, 422),
    (Busy, 503),
)


def status_of(error: Exception) -> int:
    """The status of an error; 500 for one that nobody foresaw."""
    if isinstance(error, HttpError):
        return error.status
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def problem(error: Exception) -> tuple[int, Body, Headers]:
    """Status, body and headers of the answer to an error."""
    status = status_of(error)
    body: Body = {
        "type": f"urn:baton:{_code(error).replace('_', '-')}",
        "title": TITLES.get(status, "It failed"),
        "status": status,
        "detail": "It has been recorded." if status == 500 else str(error),
        "code": _code(error),
        "retryable": status == 503,
    }
    if isinstance(error, Invalid):
        body["fields"] = error.fields
    if isinstance(error, RowsError):
        body["rows"] = [one.as_json() for one in error.problems]
    if isinstance(error, DomainError):
        body |= {name: value for name, value in error.data.items() if name not in body}
    headers = dict(error.headers) if isinstance(error, HttpError) else {}
    if status == 503:
        headers["Retry-After"] = "1"
    return status, body, headers


def _code(error: Exception) -> str:
    if isinstance(error, HttpError | DomainError):
        return error.code
    return "rows_refused" if isinstance(error, RowsError) else "defect"
