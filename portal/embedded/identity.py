"""As whom PostgreSQL runs: it refuses root, so root hands it another face."""

import ctypes
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from portal.embedded.places import EmbeddedError

_CLONE_NEWUSER = 0x10000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Disguise(TypedDict, total=False):
    """The arguments of subprocess that change who a child is."""

    preexec_fn: Callable[[], None]
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Identity:
    """A way to run PostgreSQL; `uid` and `gid` own its files."""

    name: str
    uid: int
    gid: int
    disguise: Disguise

    @property
    def changes_owner(self) -> bool:
        """Whether the data must belong to somebody else than the launcher."""
        return self.uid != os.geteuid()


def plain() -> Identity:
    """As ourselves: the ordinary case."""
    return Identity("plain", os.geteuid(), os.getegid(), {})


def namespaced() -> Identity:
    """As root in a user namespace where root is seen as somebody else.

    File rights stay root's, so it works below a folder only root may enter.
    """
    # initdb looks its own name up, so the shown id must have one.
    shown = next((entry for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    uid, gid = (shown.pw_uid, shown.pw_gid) if shown else (65534, 65534)

    def enter() -> None:
        if _LIBC.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} 0 1"),
            ("gid_map", f"{gid} 0 1"),
        ):
            descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(descriptor, text.encode())
            os.close(descriptor)

    return Identity("namespaced", 0, 0, {"preexec_fn": enter})


def nobody() -> Identity:
    """As the user nobody, where user namespaces are forbidden (most container profiles).

    Raises EmbeddedError where no such user exists.
    """
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as problem:
        raise EmbeddedError(
            "PostgreSQL does not run as root, user namespaces are forbidden here and there is no "
            "user nobody. Run as an ordinary user, or set DATABASE_URL."
        ) from problem
    return Identity(
        "nobody",
        entry.pw_uid,
        entry.pw_gid,
        {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []},
    )


def choose() -> Identity:
    """The first way that works on this machine."""
    if os.geteuid() != 0:
        return plain()
    candidate = namespaced()
    try:
        subprocess.run(["/bin/true"], check=True, **candidate.disguise)
    except (OSError, subprocess.SubprocessError):
        return nobody()
    return candidate


def can_enter(folder: Path, identity: Identity) -> bool:
    """Whether that user reaches the folder through all of its parents."""
    if not identity.changes_owner:
        return True
    for parent in (folder, *folder.parents):
        found = parent.stat()
        owned = found.st_uid == identity.uid and found.st_mode & 0o100
        if not owned and not found.st_mode & 0o001:
            return False
    return True


def give(folder: Path, identity: Identity) -> None:
    """Make the folder and all in it the identity's (only root can, and only root needs to)."""
    if os.geteuid() != 0 or folder.stat().st_uid == identity.uid:
        return
    os.chown(folder, identity.uid, identity.gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), identity.uid, identity.gid, follow_symlinks=False)
