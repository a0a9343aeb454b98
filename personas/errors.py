"""What can go wrong in the domain, said once; the edges turn each kind into an answer."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """Something the domain refuses, with a code for programs and a message for people."""

    def __init__(self, code: str, message: str, **data: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class NotAllowed(DomainError):
    """The person may not do this; `code` names the rule that forbids it."""


class NotFound(DomainError):
    """There is no such thing, or the person may not know of it."""


class Conflict(DomainError):
    """The state has moved on; `data` says who, when and what it is now."""


class Gone(DomainError):
    """It was closed by time or by cancelling; `data` gives the reason."""


class Busy(DomainError):
    """The row is locked by another command; trying again will help."""


class Invalid(DomainError):
    """Bad input; `fields` holds every problem at once, by field path."""

    def __init__(self, message: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__("invalid", message)
        self.fields = {name: list(texts) for name, texts in (fields or {}).items()}
