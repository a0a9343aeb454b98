"""What other people's code may read: Python, packages, the system's libraries; nothing of ours."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from pipelines.brought import code

# What libraries look at outside of their own folders; nothing here is a secret.
SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/bin", "/nix/store", "/sys/devices", "/opt/rocm"),
    "/sys/fs/cgroup",  # its limits: DuckDB ends the process where it may not look
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/os-release", "/etc/fonts"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/OpenCL", "/etc/ssl/certs"),
)
PROCESS: Final = ("/proc",)
DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full")


def home() -> Path:
    """Where Baton lies."""
    return Path(__file__).resolve().parents[2]


def readable(modules: Collection[str]) -> Iterator[str]:
    """Folders and files that the code of these modules may read."""
    ours = _ours()
    for place in {*SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix}:
        yield from around(Path(place), ours)
    yield from PROCESS
    yield str(home() / "pipelines")
    for place in {*sysconfig.get_paths().values(), *filter(None, sys.path)}:
        if not _holds(Path(place), ours):
            yield place
    for _, folder in code.places({module.partition(".")[0] for module in modules}):
        yield str(folder)


def around(place: Path, ours: Collection[Path]) -> Iterator[str]:
    """Yield the place; where something of ours lies in it, what lies beside that."""
    if not _holds(place, ours):
        yield str(place)
    elif place.resolve() not in (*ours, Path("/")):
        for child in sorted(place.resolve().iterdir()):
            if not child.is_symlink():
                yield from around(child, ours)


def _holds(place: Path, ours: Collection[Path]) -> bool:
    return any(one.is_relative_to(place.resolve()) for one in ours)


def _ours() -> tuple[Path, ...]:
    """What may lie anywhere, and is not theirs to read: code with its settings, and the data."""
    data = os.environ.get("BATON_VAR", "").strip()
    return (home(), Path(data or home() / "var").resolve())
