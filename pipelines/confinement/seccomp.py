"""A seccomp filter that refuses sockets: no network, and none of this machine's servers either.

Landlock cannot refuse to connect to a unix socket that has a path, as a database's has; a network
namespace cannot, either. Pairs of connected sockets (`socketpair`) stay possible.
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

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_SET_SECCOMP, _FILTER = 22, 2
_X32: Final = 0x40000000  # numbers of x86's third set of calls begin here
_ACTIONS: Final = Path("/proc/sys/kernel/seccomp/actions_avail")
_IO_URING: Final = 425  # makes and connects sockets past the calls that are refused


@dataclass(frozen=True)
class _Machine:
    audit: int
    refused: tuple[int, ...]  # socket, ptrace, process_vm_writev, unshare, setns


_MACHINES: Final[Mapping[str, _Machine]] = {
    "x86_64": _Machine(0xC000003E, (41, 101, 311, 272, 308)),
    "aarch64": _Machine(0xC00000B7, (198, 117, 271, 97, 268)),
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
    """Refuse sockets, tracing others and new namespaces with EACCES, for good.

    Needs no_new_privs. Raises OSError where the kernel refuses.
    """
    program = _program(_MACHINES[platform.machine()])
    held = ctypes.create_string_buffer(program)
    head = struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(held))
    if _libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")


def _program(machine: _Machine) -> bytes:
    """Classic BPF; a jump counts the instructions it leaps over."""
    numbers = (*machine.refused, _IO_URING)
    lines = [
        (_LOAD, 0, 0, 4),  # the machine that the call was made for
        (_EQUAL, 0, len(numbers) + 3, machine.audit),
        (_LOAD, 0, 0, 0),  # its number
        (_AT_LEAST, len(numbers) + 1, 0, _X32),
        *((_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
