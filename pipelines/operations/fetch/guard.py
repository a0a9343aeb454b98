"""Which hosts and files a connection may lead to, whoever named them.

People with the right to manage operations name connections; only who starts the processes
says which private addresses and folders may be reached. So a connection cannot be turned
into a way to the machine's own servers, to a cloud's metadata or to any file.
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any, Final

from pipelines.operations.contract import OperationError

# Addresses of version 6 behind which a host's translator finds one of version 4 (RFC 6052, 4291).
TRANSLATED: Final = IPv6Network("64:ff9b::/96")
COMPATIBLE: Final = IPv6Network("::/96")


def addresses(host: str, port: int, allowed: Sequence[str]) -> list[str]:
    """The addresses of a host, all of which may be reached; raises OperationError.

    Public addresses may; others only where `allowed` names `host` or `host:port`.
    """
    named = host in allowed or f"{host}:{port}" in allowed
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OperationError(
            "connection_failed", "The connection's host is not known by name.", retryable=True
        ) from error
    texts = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not named and any(not _public(ip_address(text.split("%")[0])) for text in texts):
        raise OperationError(
            "address_not_allowed",
            "The connection leads to an address inside this network that is not among those"
            " named in BATON_CONNECTION_HOSTS.",
            field="connection",
            rule="is public, or named in BATON_CONNECTION_HOSTS",
        )
    return texts


def _public(address: IPv4Address | IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if isinstance(inner, IPv6Address) and inner in TRANSLATED:
        inner = IPv4Address(int(inner) & 0xFFFF_FFFF)
    elif isinstance(inner, IPv6Address) and inner in COMPATIBLE:
        return False
    return bool(inner.is_global and not inner.is_multicast)


@contextmanager
def only(host: str, pinned: Sequence[str]) -> Iterator[None]:
    """Let this process look up no other host, and that one at the addresses checked before.

    So a redirect leads nowhere, and a name cannot change its address after the check.
    """
    original = socket.getaddrinfo

    def look_up(name: Any, service: Any, *rest: Any, **named: Any) -> list[Any]:
        text = name.decode() if isinstance(name, bytes) else str(name)
        if text != host and text not in pinned:
            raise OSError("only the connection's own host may be reached")
        return [row for one in pinned for row in original(one, service, *rest, **named)]

    socket.getaddrinfo = look_up  # type: ignore[assignment]
    try:
        yield
    finally:
        socket.getaddrinfo = original


def file_in(path: str, folders: Sequence[str]) -> Path:
    """The real path of a file below one of the folders; raises OperationError."""
    real = Path(path).resolve()
    if not any(real.is_relative_to(Path(folder).resolve()) for folder in folders if folder):
        raise OperationError(
            "file_not_allowed",
            "The connection's file is in none of the folders named in BATON_CONNECTION_FOLDERS.",
            field="connection",
            rule="is below a folder of BATON_CONNECTION_FOLDERS",
        )
    if not real.is_file():
        raise OperationError("connection_failed", "The connection's file is not there.")
    return real
