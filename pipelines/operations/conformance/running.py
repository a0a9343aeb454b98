"""Running an operation on its example, as its contract is tested."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from pipelines.operations.contract import Context, Json, NotYet, Outcome, Run, Spec, clean_params

SEED: Final = 7

Given: TypeAlias = "Mapping[str, Path | Mapping[str, Path]]"
Example: TypeAlias = "Callable[[Path], tuple[Given, Mapping[str, Json]]]"


@dataclass(frozen=True)
class Operation:
    """An operation with its example; `connection` is what the example is reached through."""

    module: str
    spec: Spec
    run: Run
    example: Example | None = None
    connection: Callable[[Path], Mapping[str, Json]] | None = None


@dataclass(frozen=True)
class Performed:
    """The example run twice: its inputs before and after, both outcomes, the progress told."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    first: Outcome
    second: Outcome
    folder: Path
    progress: tuple[float, ...]
    given: Given = field(default_factory=dict)
    params: Mapping[str, Json] = field(default_factory=dict)


class NoExample(Exception):
    """There is nothing to run: no example.py, or one in which the operation waits."""


def load(module: str) -> Operation:
    """Import spec, compute and example of a package.

    Raises ImportError, AttributeError, and TypeError where SPEC is no Spec.
    """
    spec = importlib.import_module(f"{module}.spec").SPEC
    if not isinstance(spec, Spec):
        raise TypeError(f"{module}.spec.SPEC is no Spec but {type(spec).__name__}")
    run = importlib.import_module(f"{module}.compute").run
    if importlib.util.find_spec(f"{module}.example") is None:
        return Operation(module, spec, run)
    given = importlib.import_module(f"{module}.example")
    return Operation(module, spec, run, given.example, getattr(given, "connection", None))


def perform_twice(operation: Operation, folder: Path) -> Performed:
    """Build the example in the folder and run it twice. Raises NoExample."""
    if operation.example is None:
        raise NoExample(f"{operation.module} has no example.py: nothing is run")
    (folder / "given").mkdir()
    given, params = operation.example(folder / "given")
    made = operation.connection
    through = made(folder / "given") if made else {}
    before = _digests(given)
    seen: list[float] = []
    first = perform(operation, folder / "first", (given, params), seen, through)
    second = perform(operation, folder / "second", (given, params), [], through)
    after = _digests(given)
    return Performed(before, after, first, second, folder, tuple(seen), given, params)


def perform(
    operation: Operation,
    folder: Path,
    example: tuple[Given, Mapping[str, Json]],
    seen: list[float],
    connection: Mapping[str, Json],
) -> Outcome:
    """Run it once on the example; progress goes to `seen`. Raises NoExample, OperationError."""
    given, params = example
    folder.mkdir()
    outcome = operation.run(
        Context(
            spec=operation.spec,
            folder=folder,
            inputs={port: value for port, value in given.items() if isinstance(value, Path)},
            many={port: value for port, value in given.items() if not isinstance(value, Path)},
            params=clean_params(operation.spec, params),
            seed=SEED,
            connection=connection,
            report=lambda share, message, rows: seen.append(share),
        )
    )
    if isinstance(outcome, NotYet):
        raise NoExample(f"{operation.spec.name} waits in its example")
    return outcome


def _digests(given: Given) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in given.values():
        paths = [value] if isinstance(value, Path) else list(value.values())
        found |= {str(path): digest(path) for path in paths}
    return found


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
