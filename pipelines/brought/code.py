"""The digest of a distribution's code: what its own files are, not what it depends on."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

MOST_FILES: Final = 20_000  # own; code, not data
MOST_BYTES: Final = 512 << 20


class NoCode(Exception):
    """No file of the distribution is to be found, or far more than code has."""


def digest(owner: Distribution, modules: Collection[str], entries: Collection[str] = ()) -> str:
    """Return the SHA-256 (hex) over names and content of all files; raises NoCode, OSError.

    And over the entries, "name=module": the same files say another thing under another entry.

    Those that the installer recorded, and all in the folders of `modules` (top-level names), which
    an installation in place for development does not record. What is
    cached as compiled is left out: `FromSource` does not run it.
    """
    found: dict[str, Path] = {}
    for name, path in (*_recorded(owner), *_in_place(modules)):
        found.setdefault(name, path)
    if not found:
        raise NoCode(f"no file of {owner.name} or its modules {', '.join(sorted(modules))}")
    whole = hashlib.sha256()
    for entry in sorted(entries):
        whole.update(f"{entry}\0\n".encode())
    size = 0
    for name, path in sorted(found.items()):
        size += path.stat().st_size
        if len(found) > MOST_FILES or size > MOST_BYTES:
            raise NoCode(f"more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()


def places(modules: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield each module's name and its folder or file; imports nothing."""
    for name in sorted(modules):
        spec = find_spec(name)  # of a top-level name, this imports nothing
        if spec is None:
            continue
        for place in spec.submodule_search_locations or ():
            yield name, Path(place)
        if not spec.submodule_search_locations and spec.origin:
            yield name, Path(spec.origin)


def _recorded(owner: Distribution) -> Iterator[tuple[str, Path]]:
    for path in owner.files or ():
        if path.parts[0] == ".." or path.parts[0].endswith((".dist-info", ".egg-info")):
            continue
        place = Path(str(owner.locate_file(path)))
        if _is_code(place) and place.is_file():
            yield path.as_posix(), place


def _in_place(modules: Collection[str]) -> Iterator[tuple[str, Path]]:
    for name, place in places(modules):
        if place.is_file():
            yield place.name, place
        for path in place.rglob("*") if place.is_dir() else ():
            if _is_code(path) and path.is_file():
                yield f"{name}/{path.relative_to(place).as_posix()}", path


def _is_code(path: Path) -> bool:
    return path.suffix != ".pyc" or path.parent.name != "__pycache__"


def tops(owner: Distribution, modules: Collection[str]) -> set[str]:
    """Names of all modules that the distribution has at its top, recorded or not."""
    recorded = {path.parts[0].partition(".")[0] for path in owner.files or ()}
    return {*modules, *recorded} - {""}


class FromSource(MetaPathFinder):
    """Finds these modules as ever, and lets none of them run from a cache that is not hashed."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the other finders; raises ImportError for a module in a folder of caches."""
        if name.partition(".")[0] not in self.names:
            return None
        for finder in sys.meta_path:
            found = None if finder is self else finder.find_spec(name, path, target)
            if found is None:
                continue
            if isinstance(found.loader, SourcelessFileLoader) and "__pycache__" in name.split("."):
                raise ImportError(f"{name} is a compiled file that nobody vouches for")
            if type(found.loader) is SourceFileLoader:
                found.loader = _Source(found.loader.name, found.loader.path)
            return found
        return None


class _Source(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Compile the source anew, whatever lies in a cache."""
        place = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(place), place)
        return code
