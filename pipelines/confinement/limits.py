"""Limits of the kernel on one process and what it starts: rlimits, no new rights."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct
from pathlib import Path
from typing import Final

MEMORY_SLACK: Final = 2048  # MiB, own: what libraries reserve and never touch counts as data
TASKS_SLACK: Final = 256  # own: threads count, and what the same user starts meanwhile
OPEN_FILES: Final = 1024
NOBODY: Final = 65534
_NO_NEW_PRIVS, _DROP_BOUND, _DEATH_SIGNAL, _SUBREAPER = 38, 24, 1, 36
_KEPT_RIGHTS: Final = 0b110  # to read files whoever owns them: CAP_DAC_OVERRIDE, _READ_SEARCH
_CAPABILITIES: Final = 0x20080522  # version 3 of the call

_libc = ctypes.CDLL(None, use_errno=True)


def modest() -> None:
    """What does every child good: no core files, no rights from programs it starts."""
    _lower(resource.RLIMIT_CORE, 0)
    _prctl(_NO_NEW_PRIVS, 1)


def apply(*, memory: int, processes: int, file_size: int) -> bool:
    """Bind this process: memory and file size in MiB. Raises OSError where the kernel refuses.

    Return whether RLIMIT_NPROC counts: not for root that may not, or cannot, become another user.

    RLIMIT_NPROC counts all tasks of the user, and never those of root: it only stops what forks
    without end between two looks of the supervisor, who counts processes exactly.
    """
    modest()
    _lower(resource.RLIMIT_DATA, (memory + MEMORY_SLACK) << 20)
    _lower(resource.RLIMIT_FSIZE, file_size << 20)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    user = NOBODY if os.geteuid() == 0 else os.getuid()
    _lower(resource.RLIMIT_NPROC, tasks_of(user) + processes + TASKS_SLACK)
    return os.geteuid() != 0 or _count_as_nobody()


def die_with_parent(signal: int) -> None:
    """Get the signal when the parent is gone."""
    _prctl(_DEATH_SIGNAL, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent is gone: none gets away."""
    _prctl(_SUBREAPER, 1)


def tasks_of(user: int) -> int:
    """Count the tasks (threads, too) of a user, as the kernel does for RLIMIT_NPROC."""
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "status").read_text()
            except OSError:
                continue  # it ended meanwhile
            said = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            if int(said["Uid"].split()[0]) == user:
                count += int(said.get("Threads", "1"))
    return count


def _lower(kind: int, wanted: int) -> None:
    _, most = resource.getrlimit(kind)
    bound = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(kind, (bound, bound))


def _count_as_nobody() -> bool:
    """Root's tasks are not counted; those of a real user are. Files stay root's.

    Return False in a container without CAP_SETUID, or whose users have no such number.
    """
    for right in range(64):
        if not _KEPT_RIGHTS >> right & 1 and _libc.prctl(_DROP_BOUND, right, 0, 0, 0) != 0:
            break  # the kernel has no more rights than these
    counted = True
    try:
        os.setresuid(NOBODY, 0, 0)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise
        counted = False
    head = struct.pack("=Ii", _CAPABILITIES, 0)
    now = ctypes.create_string_buffer(24)
    _checked("capget", _libc.capget(head, now))
    kept = _KEPT_RIGHTS & int(struct.unpack("=6I", now.raw)[1])  # what is permitted at all
    _checked("capset", _libc.capset(head, struct.pack("=6I", kept, kept, 0, 0, 0, 0)))
    return counted


def _checked(name: str, answer: int) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _prctl(what: int, value: int) -> None:
    if _libc.prctl(what, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {what}: {os.strerror(code)}")
