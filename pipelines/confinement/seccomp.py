"""A seccomp filter that refuses sockets: no network, and none of this machine's servers either.

Landlock cannot refuse to connect to a unix socket that has a path, as a database's has; a network
namespace cannot, either. Pairs of connected sockets (`socketpair`) stay possible. Refused are, too,
calls that reach into another process of the same user, and System V's and POSIX's shared objects,
which have no place that Landlock could guard; and changes of a file's mode, owner, times, flags and
extended attributes, which Landlock does not look at. A filter sees no path, so that these are
refused of every file, of a process's own as well.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EACCES, 0x00050000 | errno.ENOSYS
_NEVER: Final = 0x00050000 | errno.EPERM
_LOAD, _EQUAL, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_SET_SECCOMP, _FILTER = 22, 2
_X32: Final = 0x40000000  # numbers of x86's third set of calls begin here
_ACTIONS: Final = Path("/proc/sys/kernel/seccomp/actions_avail")
_FIRST: Final = 16  # where the low word of a call's first argument is; all a pid or a flag has
_SECOND: Final = 24
_THREAD: Final = 0x10000  # flag of clone: a thread, no process
# The same number on every machine: io_uring_setup, which makes sockets past the calls that are
# refused; pidfd_getfd, process_madvise, process_mrelease.
_EVERYWHERE: Final = (425, 438, 440, 448)
# fchmodat2, setxattrat, removexattrat, file_setattr: the same everywhere, too.
_MARKING: Final = (452, 463, 466, 469)
# What ioctl does with an open file's flags and project: FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS,
# FS_IOC_SETVERSION, FS_IOC_FSSETXATTR (linux/fs.h).
_FLAGS: Final = (0x40086602, 0x40046602, 0x40087602, 0x401C5820)
_CLONE3: Final = 435  # its flags are behind a pointer; libraries do with clone where it is unknown


@dataclass(frozen=True)
class _Machine:
    audit: int
    sockets: int
    reaching: tuple[int, ...]  # into others: see _MACHINES
    shared: tuple[int, ...]  # shmget, msgget, semget, mq_open
    to_pid: tuple[int, ...]  # the first argument says whom; 0 is the caller itself
    forks: tuple[int, ...]  # fork, vfork
    clone: int
    marking: tuple[int, ...]  # files: see _MACHINES
    ioctl: int


# reaching: ptrace, process_vm_readv, process_vm_writev, unshare, setns, setpriority, ioprio_set,
# migrate_pages, move_pages. to_pid: prlimit64, sched_setaffinity, _setparam, _setscheduler,
# _setattr. marking: chmod, fchmod, fchmodat; chown, fchown, lchown, fchownat; utime, utimes,
# futimesat, utimensat; setxattr, lsetxattr, fsetxattr; removexattr, lremovexattr, fremovexattr.
# arm64 has fewer, those that take a folder or an open file. Numbers:
# linux/arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h; scripts/syscall.tbl.
_MACHINES: Final[Mapping[str, _Machine]] = {
    "x86_64": _Machine(
        audit=0xC000003E,
        sockets=41,
        reaching=(101, 310, 311, 272, 308, 141, 251, 256, 279),
        shared=(29, 68, 64, 240),
        to_pid=(302, 203, 142, 144, 314),
        forks=(57, 58),
        clone=56,
        marking=(90, 91, 268, 92, 93, 94, 260, 132, 235, 261, 280, 188, 189, 190, 197, 198, 199),
        ioctl=16,
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        sockets=198,
        reaching=(117, 270, 271, 97, 268, 140, 30, 238, 239),
        shared=(194, 186, 190, 180),
        to_pid=(261, 122, 118, 119, 274),
        forks=(),
        clone=220,
        marking=(52, 53, 55, 54, 88, 5, 6, 7, 14, 15, 16),
        ioctl=29,
    ),
}

_libc = ctypes.CDLL(None, use_errno=True)


def available() -> bool:
    """Whether the kernel filters calls, and the numbers of this machine's calls are known."""
    return (
        platform.machine() in _MACHINES
        and _ACTIONS.exists()
        and ctypes.sizeof(ctypes.c_void_p) == 8
    )


def refuse_sockets() -> None:
    """Refuse sockets, reaching into others, shared objects and new namespaces, for good.

    With EACCES; marks of files with EPERM. Needs no_new_privs. Raises OSError where the kernel
    refuses.
    """
    machine = _MACHINES[platform.machine()]
    numbers = (machine.sockets, *machine.reaching, *machine.shared, *_EVERYWHERE)
    marks = (*machine.marking, *_MARKING)
    lines = [*_refused(numbers), *_refused(marks, _NEVER), *_refused_flags(machine.ioctl)]
    _load(machine, [*lines, *_refused_to_others(machine.to_pid)])


def refuse_processes() -> None:
    """Refuse to start a process, but not a thread, with EACCES, for good.

    Needs no_new_privs. Raises OSError where the kernel refuses.
    """
    machine = _MACHINES[platform.machine()]
    lines = [
        *_refused(machine.forks),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
        (_EQUAL, 0, 4, machine.clone),
        (_LOAD, 0, 0, _FIRST),
        (_HAS_BIT, 1, 0, _THREAD),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    _load(machine, lines)


_Line = tuple[int, int, int, int]


def _refused(numbers: tuple[int, ...], answer: int = _REFUSE) -> list[_Line]:
    return [
        line for number in numbers for line in ((_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer))
    ]


def _refused_flags(ioctl: int) -> list[_Line]:
    """A number stays loaded where it is not ioctl's; where it is, the call is decided here."""
    count = len(_FLAGS)
    return [
        (_EQUAL, 0, count + 3, ioctl),
        (_LOAD, 0, 0, _SECOND),
        *((_EQUAL, count - place, 0, flag) for place, flag in enumerate(_FLAGS)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _NEVER),
    ]


def _refused_to_others(numbers: tuple[int, ...]) -> list[_Line]:
    """A number stays loaded where it is none of these; where it is, the call is decided here."""
    return [
        line
        for number in numbers
        for line in (
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _FIRST),
            (_EQUAL, 1, 0, 0),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        )
    ]


def _load(machine: _Machine, lines: list[_Line]) -> None:
    program = _program(machine, lines)
    held = ctypes.create_string_buffer(program)
    head = struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(held))
    if _libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")


def _program(machine: _Machine, lines: list[_Line]) -> bytes:
    """Classic BPF; a jump counts the instructions it leaps over."""
    whole = [
        (_LOAD, 0, 0, 4),  # the machine that the call was made for
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, 0),  # its number
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
        *lines,
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in whole)
