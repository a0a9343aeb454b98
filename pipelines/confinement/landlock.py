"""Landlock: a process gives up what it may do with files, for itself and all that it starts.

Three system calls, the same numbers on every machine (linux/landlock.h). No package is used for
them: docs/decisions/0016.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION: Final = 1  # flag of landlock_create_ruleset: say the ABI
_BENEATH: Final = 1  # rule type: a folder or file and what is beneath

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_AND_MAKE: Final = sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_CONNECT_AND_BIND: Final = 0b11  # TCP
_SCOPED: Final = 0b11  # abstract unix sockets, signals
TRUNCATES, SPEAKS, SCOPES = 3, 4, 6  # since which ABI

_READING: Final = EXECUTE | READ_FILE | READ_DIR
_OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE

_libc = ctypes.CDLL(None, use_errno=True)


@cache
def abi() -> int:
    """Return the ABI the kernel speaks; 0 where it has no Landlock, or has it switched off."""
    found: int = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    return max(found, 0)


def restrict(*, reads: Iterable[Path], lists: Iterable[Path], writes: Iterable[Path]) -> None:
    """Let this thread read and write there only; no TCP, no signals to others, where it can.

    What does not exist is left out. Raises OSError where the kernel refuses.
    """
    handled = _handled(abi())
    ruleset = _create(handled)
    try:
        for paths, allowed in (
            (reads, _READING),
            (lists, READ_DIR),
            (writes, handled),
        ):
            for path in paths:
                _allow(ruleset, path, allowed & handled)
        _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _handled(version: int) -> int:
    """Every right over files that this ABI can take away (but ioctl, which needs a device)."""
    rights = _READING | WRITE_FILE | _REMOVE_AND_MAKE
    if version >= 2:
        rights |= _REFER
    return rights | _TRUNCATE if version >= TRUNCATES else rights


def _create(handled: int) -> int:
    version = abi()
    words = [handled]
    if version >= SPEAKS:
        words.append(_CONNECT_AND_BIND)
    if version >= SCOPES:
        words.append(_SCOPED)
    attributes = struct.pack(f"={len(words)}Q", *words)
    return _call(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        allowed = rights if path.is_dir() else rights & _OF_FILES
        rule = struct.pack("=Qi", allowed, opened)
        _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(opened)


def _call(number: int, *words: object) -> int:
    found: int = _libc.syscall(number, *words)
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock call {number}: {os.strerror(code)}")
    return found
