"""Shapley values of a score by sampling orders of columns (Strumbelj and Kononenko 2014).

The row stands against other rows of the holdout: columns are switched from such a row's values
to its own, one after the other, and what the score moves is the column's. Over all orders and
other rows the mean is the interventional Shapley value. Each order is used with its reverse
against the same row (antithetic), which makes the spread smaller. The parts add up exactly to
the row's score minus the mean score of the rows it stood against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.operations.learning.metrics import Floats

Index = npt.NDArray[np.int64]
# (position of the row, of the other row, which columns are the row's own) -> scores
Mixed = Callable[[Index, Index, npt.NDArray[np.bool_]], Floats]


@dataclass(frozen=True)
class Parts:
    """What each column added to one row's score, its standard error, and the base score."""

    added: Floats
    errors: Floats
    base: float


@dataclass(frozen=True)
class Orders:
    """Orders of columns (pairs x columns); the n-th pair stands against the n-th other row."""

    columns: Index

    @property
    def pairs(self) -> int:
        """How many orders, and how many other rows."""
        return len(self.columns)


def draw(columns: int, *, orders: int, rng: np.random.Generator) -> Orders:
    """Half as many orders as asked for: each is also walked backwards."""
    pairs = max(1, orders // 2)
    drawn = np.asarray([rng.permutation(columns) for _ in range(pairs)])
    return Orders(drawn.astype(np.int64))


def explain(row: int, orders: Orders, score: Mixed) -> Parts:
    """Parts of one row."""
    forward, reverse = orders.columns, orders.columns[:, ::-1]
    walked = np.concatenate([forward, reverse])
    others = np.tile(np.arange(orders.pairs), 2)
    walks, columns = walked.shape
    # after `step` columns of its order, a column comes from the row if its rank is below step
    rank = np.argsort(walked, axis=1)
    steps = np.arange(columns + 1)
    own = rank[:, None, :] < steps[None, :, None]
    mixed = score(
        np.full(walks * (columns + 1), row),
        np.repeat(others, columns + 1),
        own.reshape(-1, columns),
    ).reshape(walks, columns + 1)
    moves = np.take_along_axis(np.diff(mixed, axis=1), rank, axis=1)
    pairs = (moves[: walks // 2] + moves[walks // 2 :]) / 2
    spread = pairs.std(axis=0, ddof=1) if len(pairs) > 1 else np.full(columns, np.nan)
    return Parts(pairs.mean(axis=0), spread / np.sqrt(len(pairs)), float(mixed[:, 0].mean()))
