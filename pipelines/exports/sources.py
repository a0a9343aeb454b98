"""The source files that a module needs of this project: read from the files, nothing imported."""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def closure(modules: Iterable[str]) -> dict[str, Path]:
    """Return every module of this project that these import, by name, sorted."""
    found: dict[str, Path] = {}
    left = list(modules)
    while left:
        name = left.pop()
        path = _path(name)
        if name in found or path is None:
            continue
        found[name] = path
        if "." in name:
            left.append(name.rpartition(".")[0])
        left.extend(_imports(path))
    return dict(sorted(found.items()))


def _path(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # What is imported from a package may be one of its modules.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
