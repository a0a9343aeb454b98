"""What the address of a connection may look like, by kind. Light: the API checks with it."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

KINDS: Final = ("postgresql", "sqlite", "s3")
EXAMPLES: Final = {
    "postgresql": "postgresql://reader@db.example.org:5432/sales?sslmode=verify-full",
    "sqlite": "sqlite:///srv/data/sales.sqlite",
    "s3": "s3://bucket/folder?endpoint=https://store.example.org&region=eu-1&user=KEYID",
}
SSL_MODES: Final = ("verify-full", "verify-ca", "require", "disable")
_KNOWN: Final = {
    "postgresql": {"sslmode"},
    "sqlite": set[str](),
    "s3": {"endpoint", "region", "user"},
}


class BadAddress(ValueError):
    """An address that does not suit its kind; the text says why."""


@dataclass(frozen=True)
class Address:
    """A parsed address; what a kind does not have is empty."""

    kind: str
    host: str = ""
    port: int = 0
    user: str = ""
    place: str = ""  # database, file or bucket
    folder: str = ""  # below the bucket
    secure: str = ""  # sslmode, or the scheme of the endpoint
    region: str = ""


def parse(kind: str, text: str) -> Address:
    """The parts of an address; raises BadAddress, never repeating what may be a secret."""
    if kind not in KINDS:
        raise BadAddress(f"kind must be one of {', '.join(KINDS)}")
    try:
        parts = urlsplit(text)
        port = parts.port or 0
    except ValueError as error:
        raise BadAddress(f"is no address such as {EXAMPLES[kind]}") from error
    if parts.scheme != kind or "\0" in text or parts.fragment:
        raise BadAddress(f"must look like {EXAMPLES[kind]}")
    if parts.password is not None:
        raise BadAddress("must not hold a password: the secret comes from the environment")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - _KNOWN[kind])
    if unknown:
        raise BadAddress(f"has unknown parts: {', '.join(unknown)}")
    made = {"postgresql": _postgresql, "sqlite": _sqlite, "s3": _s3}[kind]
    return made(parts, port, options)


def _postgresql(parts: SplitResult, port: int, options: dict[str, str]) -> Address:
    place = unquote(parts.path.removeprefix("/"))
    mode = options.get("sslmode", "verify-full")
    if not parts.hostname or not parts.username or not place or "/" in place:
        raise BadAddress(f"must name user, host and database: {EXAMPLES['postgresql']}")
    if mode not in SSL_MODES:
        raise BadAddress(f"sslmode must be one of {', '.join(SSL_MODES)}")
    return Address(
        "postgresql", parts.hostname, port or 5432, unquote(parts.username), place, secure=mode
    )


def _sqlite(parts: SplitResult, port: int, _options: dict[str, str]) -> Address:
    path = unquote(parts.path)
    if parts.netloc or port or not path.startswith("/") or path.endswith("/"):
        raise BadAddress(f"must name a file by its full path: {EXAMPLES['sqlite']}")
    return Address("sqlite", place=path)


def _s3(parts: SplitResult, port: int, options: dict[str, str]) -> Address:
    endpoint = urlsplit(options.get("endpoint", ""))
    if not parts.hostname or port or parts.username or parts.netloc != parts.hostname:
        raise BadAddress(f"must name a bucket in small letters: {EXAMPLES['s3']}")
    if (
        endpoint.scheme not in ("http", "https")
        or not endpoint.hostname
        or endpoint.path not in ("", "/")
        or endpoint.username
        or endpoint.query
    ):
        raise BadAddress("endpoint must be https://host or http://host, with a port if need be")
    return Address(
        "s3",
        endpoint.hostname,
        endpoint.port or (443 if endpoint.scheme == "https" else 80),
        options.get("user", ""),
        parts.netloc,
        folder=unquote(parts.path.strip("/")),
        secure=endpoint.scheme,
        region=options.get("region", "us-east-1"),
    )
