"""The facts of the environment that scores depend on, and how they stand to the lock file."""

import hashlib
import platform
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from pipelines.operations.contract import Json

# Scores depend on these; everything else may change without a new package.
RUNTIME = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
LOCK = Path(__file__).resolve().parents[3] / "requirements" / "app.txt"
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


def installed() -> dict[str, str]:
    """Versions of the packages that scores depend on; raises PackageNotFoundError."""
    return {name: metadata.version(name) for name in RUNTIME}


def pinned(lock: Path = LOCK) -> dict[str, str]:
    """Versions that the lock file states, by normalised name; empty where there is no lock."""
    if not lock.is_file():
        return {}
    lines = (PINNED.match(line) for line in lock.read_text("utf-8").splitlines())
    return {_normal(found[1]): found[2] for found in lines if found}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def describe(lock: Path = LOCK) -> dict[str, Json]:
    """Python, packages, the lock file's digest, and what deviates from it."""
    versions = installed()
    locked = pinned(lock)
    deviations: list[Json] = [
        {"package": name, "installed": version, "locked": locked.get(name)}
        for name, version in versions.items()
        if locked.get(name) != version
    ]
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "machine": platform.machine(),
        "packages": {**versions},
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        "deviations": deviations,
    }


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[dict[str, Json]]:
    """What differs between two environments: Python's minor version and each package."""
    found: list[dict[str, Json]] = []
    old, new = str(before.get("python")), str(after.get("python"))
    if old.split(".")[:2] != new.split(".")[:2]:
        found.append({"package": "python", "packaged": old, "here": new})
    theirs, ours = before.get("packages"), after.get("packages")
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found += [
            {"package": name, "packaged": theirs.get(name), "here": ours.get(name)}
            for name in sorted(theirs.keys() | ours.keys())
            if theirs.get(name) != ours.get(name)
        ]
    return found
