"""A place of its own for each test run that happens at the same time."""

import fcntl
import os
from pathlib import Path

SLOTS = range(1, 16)  # Redis has 16 databases; 0 is left alone
_HELD: list[int] = []


def take_slot(var: Path) -> int:
    """The first free number; held until the process ends. Raises RuntimeError when all are used."""
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    for slot in SLOTS:
        descriptor = os.open(var / f"slot-{slot}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        _HELD.append(descriptor)
        return slot
    raise RuntimeError(f"{len(SLOTS)} test runs use {var} already")
