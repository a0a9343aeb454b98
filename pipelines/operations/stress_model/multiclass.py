"""Several classes under disturbance: how far probabilities move, which answers turn.

A row has moved by half the sum of the changes of its probabilities (total variation), which for
two classes is the change of the one probability.
"""

from __future__ import annotations

import numpy as np

from pipelines.operations.learning.class_decisions import Answers
from pipelines.operations.learning.metrics import Floats


def bad(scores: Floats) -> int:
    """Rows with a probability that is none, or that do not add up to 1 (Mon5)."""
    with np.errstate(invalid="ignore"):
        fine = ((scores >= 0) & (scores <= 1)).all(axis=1)
        fine &= np.abs(scores.sum(axis=1) - 1) <= 1e-6
    return int((~fine).sum())


def moved(scores: Floats, before: Floats) -> Floats:
    """Half the absolute changes of each row that has finite probabilities."""
    known = np.isfinite(scores).all(axis=1)
    found: Floats = np.abs(scores[known] - before[known]).sum(axis=1) / 2
    return found


def flipped(scores: Floats, before: Floats, decided: Answers) -> np.ndarray:
    """Which rows get another answer; one without finite probabilities does."""
    known = np.asarray(np.isfinite(scores).all(axis=1))
    found: np.ndarray = ~known
    found[known] = decided.costs.answers(scores[known]) != decided.costs.answers(before[known])
    return found
