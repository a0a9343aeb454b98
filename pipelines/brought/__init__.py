"""Operations that installed packages bring, under the entry points `baton.operations`.

Web, engine and worker import none of their code: a child reads their specs, under limits and a
deadline, and what comes back is data. Only the confined child that computes an attempt imports it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import invalidate_caches
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Final

from pipelines.brought import code, specs
from pipelines.brought.code import FromSource as FromSource
from pipelines.brought.reading import read
from pipelines.operations.contract import Json, Spec

GROUP: Final = "baton.operations"
AGAIN_SECONDS: Final = 60.0  # own: until what was not read in time is read again
_ONE_AT_A_TIME: Final = threading.RLock()  # threads of a server ask for the same at once
_READ: Final[dict[tuple[str, str], tuple[float, Mapping[str, Mapping[str, Json]]]]] = {}


@dataclass(frozen=True)
class Package:
    """Whose code it is: name and version of the distribution, digest of its files."""

    distribution: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"

    def as_json(self) -> dict[str, Json]:
        """For the attempt's record, the cache key and the API."""
        return {
            "distribution": self.distribution,
            "version": self.version,
            "digest": self.digest,
        }


@dataclass(frozen=True)
class Brought:
    """One entry point: its declaration, or why it cannot be used."""

    name: str
    module: str
    package: Package
    spec: Spec | None = None
    error: str = ""

    def as_json(self) -> dict[str, Json]:
        """For pages, API and the row of a worker."""
        version = self.spec.version if self.spec else None
        whose = self.package.as_json()
        return {"name": self.name, "version": version, "package": whose, "error": self.error}


def find(name: str) -> Brought | None:
    """Return what is brought under that name, usable or not; None where nothing is."""
    if name not in _entries():
        return None
    with _ONE_AT_A_TIME:
        try:
            return _found(name)
        except _Late as late:
            return late.found


def names() -> list[str]:
    """Every name under which something is brought, usable or not."""
    return sorted(_entries())


def forget() -> None:
    """Look again at what is installed: for tests; a process of Baton looks once."""
    invalidate_caches()
    for known in (_entries, _found, _package):
        known.cache_clear()
    _READ.clear()


@cache
def _entries() -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=GROUP):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


@cache
def _found(name: str) -> Brought:
    entries = _entries()[name]
    package, error = _package(_owner(entries[0]))
    found = Brought(name, entries[0].value, package, error=error)
    if len(entries) > 1:
        whose = " and ".join(sorted(str(_package(_owner(entry))[0]) for entry in entries))
        return _refused(found, f"{whose} bring an operation of this name; remove one of them")
    if error:
        return found
    said = _read(_owner(entries[0])).get(name, {})
    if said.get("late"):
        raise _Late(_refused(found, str(said["error"])))
    if "error" in said or "spec" not in said:
        return _refused(found, str(said.get("error") or "its declaration was not read"))
    try:
        spec = specs.from_json(said["spec"])
    except specs.BadSpec as problem:
        return _refused(found, str(problem))
    problems = specs.problems(name, spec)
    if problems:
        return _refused(found, "; ".join(problems))
    return Brought(name, entries[0].value, package, spec=spec)


def _refused(found: Brought, error: str) -> Brought:
    return Brought(found.name, found.module, found.package, error=error[:1000])


def _owner(entry: EntryPoint) -> Distribution:
    """The distribution of an entry point; importlib.metadata gives it to each that it finds."""
    owner = entry.dist
    assert owner is not None
    return owner


def _read(owner: Distribution) -> Mapping[str, Mapping[str, Json]]:
    """What the child says of the distribution's entries: one child for each distribution.

    What took too long may have met a busy machine: it is read again, but not at each look.
    """
    key, now_ = (str(owner.name), str(owner.version)), time.monotonic()
    at, said = _READ.get(key, (0.0, None))
    late = said is not None and any(one.get("late") for one in said.values())
    if said is None or (late and now_ - at > AGAIN_SECONDS):
        said = read(_values(owner))
        _READ[key] = (time.monotonic(), said)
    return said


class _Late(Exception):
    """It was not read in time; raised, for what is raised is not remembered for good."""

    def __init__(self, found: Brought) -> None:
        super().__init__(found.error)
        self.found = found


def _values(owner: Distribution) -> dict[str, str]:
    """The modules of the distribution's entries, by name."""
    return {
        name: entries[0].value
        for name, entries in _entries().items()
        if _same(_owner(entries[0]), owner)
    }


def _same(one: Distribution, other: Distribution) -> bool:
    return one is other or (one.name, one.version) == (other.name, other.version)


@cache
def _package(owner: Distribution) -> tuple[Package, str]:
    """Whose code it is, and why that cannot be told."""
    name, version = str(owner.name), str(owner.version)
    try:
        mine = _values(owner)
        modules = {value.partition(".")[0] for value in mine.values()}
        said = [f"{entry}={value}" for entry, value in mine.items()]
        return Package(name, version, code.digest(owner, modules, said)), ""
    except (OSError, code.NoCode) as problem:
        return Package(name, version, ""), f"its code cannot be read: {problem}"


def now(name: str) -> Package | None:
    """Whose code it is at this moment, read anew; None where it is gone."""
    forget()
    entries = _entries().get(name)
    return None if entries is None else _package(_owner(entries[0]))[0]


def tops(name: str) -> set[str]:
    """Every top-level module of the package that brings it; empty where it is gone."""
    entries = _entries().get(name)
    if entries is None:
        return set()
    return code.tops(_owner(entries[0]), {entries[0].value.partition(".")[0]})
