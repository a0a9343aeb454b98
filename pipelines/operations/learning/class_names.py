"""Classes as text, and the columns of predictions that hold their probabilities. Light."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.operations.contract import Json
from pipelines.operations.windows import text_of

PREFIX = "p:"
MOST_CLASSES = 20  # beyond, neither a matrix of costs nor one of errors can be read (own)
LONGEST_NAME = 200  # characters


def texts_of(classes: Iterable[Json]) -> list[str]:
    """Each class as people and logs write it."""
    return [text_of(value) for value in classes]


def probability_columns(classes: Iterable[Json]) -> list[str]:
    """One column for each class, in order."""
    return [f"{PREFIX}{name}" for name in texts_of(classes)]


def classes_in(columns: Sequence[str]) -> list[str]:
    """The classes that a table of predictions holds probabilities of, in order."""
    return [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]
