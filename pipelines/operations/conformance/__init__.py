"""What Baton relies on of every operation, as rules that its builder can test it against.

Baton's own operations and those of packages are held to the same rules. Each returns what is wrong,
in words; an empty list is the answer that is wanted. `docs/operations-of-your-own.md` has the use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelines.operations.conformance.code import declaration, defaults, purity, row_order
from pipelines.operations.conformance.running import (
    NoExample,
    Operation,
    Performed,
    load,
    perform_twice,
)
from pipelines.operations.conformance.runs import (
    bad_files_refused,
    facts_are_json,
    inputs_unchanged,
    order_free,
    outputs_as_declared,
    progress_told,
    same_twice,
)
from pipelines.operations.contract import OperationError

__all__ = [
    "RULES",
    "NoExample",
    "Operation",
    "Performed",
    "judged",
    "load",
    "perform_twice",
    "problems",
]

_OF_CODE: Final[Mapping[str, Callable[[Operation], Iterator[str]]]] = {
    "declaration": declaration,
    "defaults": defaults,
    "purity": purity,
    "row_order": row_order,
}
_OF_RUNS: Final[Mapping[str, Callable[[Operation, Performed], Iterator[str]]]] = {
    "inputs_unchanged": inputs_unchanged,
    "outputs_as_declared": outputs_as_declared,
    "same_twice": same_twice,
    "facts_are_json": facts_are_json,
    "progress_told": progress_told,
    "order_free": order_free,
    "bad_files_refused": bad_files_refused,
}
RULES: Final = (*_OF_CODE, *_OF_RUNS)


def problems(module: str, rule: str, *, folder: Path) -> list[str]:
    """Return what the operation does against the rule; raises KeyError for an unknown rule."""
    operation = load(module)
    if rule in _OF_CODE:
        return judged(rule, operation)
    try:
        return judged(rule, operation, perform_twice(operation, folder))
    except NoExample as error:
        return [str(error)]
    except OperationError as error:
        return [f"it refuses its own example, run twice: {error}"]


def judged(rule: str, operation: Operation, done: Performed | None = None) -> list[str]:
    """Return what the operation does against the rule, of runs that are there already."""
    if rule in _OF_CODE:
        return list(_OF_CODE[rule](operation))
    assert done is not None
    return list(_OF_RUNS[rule](operation, done))
