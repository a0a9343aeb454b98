"""The facts of the environment that scores depend on, and how they stand to the lock file."""

import hashlib
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from pipelines.operations.contract import Json

# Scores depend on these; everything else may change without a new package.
RUNTIME = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
LOCK = Path(__file__).resolve().parents[3] / "requirements" / "app.txt"


def installed(also: Sequence[str] = ()) -> dict[str, str]:
    """Versions of the packages that scores depend on; raises PackageNotFoundError.

    `also` names further ones, such as the runtime of a model that was brought.
    """
    return {name: metadata.version(name) for name in (*RUNTIME, *also)}


def pinned(lock: Path = LOCK) -> dict[str, str]:
    """Versions that the lock file states for this Python; empty where there is no lock."""
    if not lock.is_file():
        return {}
    lines = [line.rstrip(" \\") for line in lock.read_text("utf-8").splitlines()]
    stated = [Requirement(line) for line in lines if "==" in line and line[:1].isalnum()]
    return {
        _normal(one.name): str(one.specifier).removeprefix("==")
        for one in stated
        if one.marker is None or one.marker.evaluate()
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def beyond(packaged: Mapping[str, Json]) -> list[str]:
    """Packages that an environment names beside those that every package depends on."""
    named = packaged.get("packages")
    return sorted(named.keys() - set(RUNTIME)) if isinstance(named, dict) else []


def describe(lock: Path = LOCK, *, also: Sequence[str] = ()) -> dict[str, Json]:
    """Python, packages, the lock file's digest, and what deviates from it."""
    versions = installed(also)
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
