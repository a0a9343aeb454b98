"""What holds back code that others brought: the kernel's means, and which of them this one has.

Nothing here needs a right: it binds the process that asks, and whatever it starts, for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.confinement import landlock, limits, seccomp

HELD = ("memory", "processes", "file_size", "writes", "marks", "reads", "network", "signals")


@dataclass(frozen=True)
class Bounds:
    """How far a process may go: MiB, processes, and the folders or files it may read or write."""

    memory: int
    processes: int
    file_size: int
    reads: Sequence[str] = ()
    lists: Sequence[str] = ()  # folders whose names may be listed, not what is in the files
    writes: Sequence[str] = ()
    alone: bool = False  # starts no process at all, where seccomp can hold that

    def as_json(self) -> str:
        """As one line, for the process that is to bind itself."""
        return json.dumps(asdict(self))


def available() -> dict[str, str]:
    """What this machine's kernel can hold, by which means; "" where it cannot."""
    abi = landlock.abi()
    by_landlock = f"Landlock ABI {abi}"
    whole = abi >= landlock.TRUNCATES
    return {
        "memory": "looked at, RLIMIT_DATA",
        "processes": "counted, RLIMIT_NPROC",
        "file_size": "RLIMIT_FSIZE",
        "writes": by_landlock if whole else "",
        "marks": "seccomp" if seccomp.available() else "",
        "reads": by_landlock if abi else "",
        "network": "seccomp" if seccomp.available() else (f"{by_landlock}, TCP" if abi > 3 else ""),
        "signals": by_landlock if abi >= landlock.SCOPES else "",
    }


def confine(bounds: Bounds) -> dict[str, str]:
    """Bind this process (one thread, so far) and all that it starts; say what holds by what.

    Raises OSError where the kernel has a means and refuses to apply it.
    """
    found = available()
    counts = limits.apply(
        memory=bounds.memory, processes=bounds.processes, file_size=bounds.file_size
    )
    if not counts:
        found["processes"] = "counted"
    if landlock.abi():
        landlock.restrict(
            reads=[Path(path) for path in bounds.reads],
            lists=[Path(path) for path in bounds.lists],
            writes=[Path(path) for path in bounds.writes],
        )
    if seccomp.available():
        seccomp.refuse_sockets()
        if bounds.alone:
            seccomp.refuse_processes()
    return found


def missing(held: Mapping[str, str]) -> list[str]:
    """Return what is not enforced, of all that could be."""
    return [name for name in HELD if not held.get(name)]
