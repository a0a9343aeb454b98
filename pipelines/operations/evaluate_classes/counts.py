"""Recall, precision and F1 of each class, and their mean, from the four counts of decisions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.operations.contract import Json, finite

Floats = npt.NDArray[np.float64]
TAILS = (2.5, 97.5)
COUNTS = ("tn", "fp", "fn", "tp")


def four_counts(truth: npt.NDArray[np.bool_], flagged: npt.NDArray[np.bool_]) -> Floats:
    """rows x (tn, fp, fn, tp), each row a one in one place."""
    return np.column_stack(
        [~truth & ~flagged, ~truth & flagged, truth & ~flagged, truth & flagged]
    ).astype(np.float64)


def drawn(rows: Floats, groups: npt.NDArray[np.int64] | None, *, samples: int, seed: int) -> Floats:
    """samples x counts of bootstrap tables; whole groups where they are given.

    Drawing rows changes the counts as one multinomial draw does, so no row is touched.
    """
    rng, total = np.random.default_rng(seed), rows.sum(axis=0)
    if groups is None:
        size = int(total.sum())
        return rng.multinomial(size, total / size, size=samples).astype(np.float64)
    sums = np.zeros((int(groups.max()) + 1, rows.shape[1]))
    np.add.at(sums, groups, rows)
    count = len(sums)
    return rng.multinomial(count, np.full(count, 1.0 / count), size=samples) @ sums


def class_scores(counts: Floats) -> dict[str, Floats]:
    """Recall, precision and F1 of other (0) and positive (1), and the mean F1; a share of nothing
    is 0, as scikit-learn's zero_division=0 has it. `counts` is samples x (tn, fp, fn, tp).
    """
    tn, fp, fn, tp = counts.T
    f1 = [_share(2 * hits, 2 * hits + fp + fn) for hits in (tn, tp)]
    return {
        "recall 0": _share(tn, tn + fp),
        "recall 1": _share(tp, tp + fn),
        "precision 0": _share(tn, tn + fn),
        "precision 1": _share(tp, tp + fp),
        "f1 0": f1[0],
        "f1 1": f1[1],
        "macro_f1": (f1[0] + f1[1]) / 2,
        "accuracy": _share(tn + tp, counts.sum(axis=1)),
    }


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def with_interval(value: float, samples: Floats) -> dict[str, Json]:
    """The value with the 2.5 and 97.5 % points of its samples."""
    low, high = np.percentile(samples, TAILS)
    return {
        "value": finite(value, 6),
        "low": finite(float(low), 6),
        "high": finite(float(high), 6),
    }
