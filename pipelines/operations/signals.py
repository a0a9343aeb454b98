"""How much one column alone tells about a target. Loads numpy and pandas.

Each column becomes out-of-fold target means of its bins or categories, so that an
identifier with one row per value scores about 0.5 and not 1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.tables import as_numbers, column_type

BINS = 50
FOLDS = 3
SMOOTHING = 10.0  # rows of prior mean added to each bin


@dataclass(frozen=True)
class Signal:
    """One column's score: AUC in [0, 1] for two classes, else R2 (at most 1)."""

    column: str
    score: float
    measure: str


class Binner:
    """Learns quantile bins of numbers and times, or the categories of the rest.

    Codes are whole numbers from 0; code 0 is missing or never seen.
    """

    def __init__(self, series: pd.Series, bins: int = BINS) -> None:
        self.edges: np.ndarray = np.empty(0)
        self.categories: pd.Index | None = None
        self.size = 2
        if column_type(series) in ("int", "float", "time"):
            values = as_numbers(series)
            known = values[np.isfinite(values)]
            marks = np.linspace(0, 1, bins + 1)[1:-1]
            self.edges = np.unique(np.quantile(known, marks)) if known.size else self.edges
            self.size = len(self.edges) + 2
        else:
            self.categories = pd.Index(series.dropna().unique())
            self.size = len(self.categories) + 1

    def codes(self, series: pd.Series) -> np.ndarray:
        """The bin of every row."""
        if self.categories is not None:
            found: np.ndarray = self.categories.get_indexer(pd.Index(series)) + 1
            return found.astype("int64")
        values = as_numbers(series)
        known = np.isfinite(values)
        codes = np.zeros(len(values), dtype="int64")
        codes[known] = np.searchsorted(self.edges, values[known], side="right") + 1
        return codes


def out_of_fold(codes: np.ndarray, target: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Mean target of each row's code, learnt on the other folds only."""
    size = int(codes.max()) + 1
    counts = np.stack([np.bincount(codes[folds == f], minlength=size) for f in range(FOLDS)])
    sums = np.stack(
        [np.bincount(codes[folds == f], target[folds == f], minlength=size) for f in range(FOLDS)]
    )
    scores = np.empty(len(codes))
    for fold in range(FOLDS):
        other_counts, other_sums = counts.sum(0) - counts[fold], sums.sum(0) - sums[fold]
        prior = other_sums.sum() / max(1.0, float(other_counts.sum()))
        means = (other_sums + SMOOTHING * prior) / (other_counts + SMOOTHING)
        scores[folds == fold] = means[codes[folds == fold]]
    return scores


def make_folds(rows: int, seed: int) -> np.ndarray:
    """A fold number for every row, the same for the same seed."""
    return np.random.default_rng(seed).permutation(rows) % FOLDS


def auc(target: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Area under the ROC curve with ties counted half; NaN with one class only."""
    order = np.argsort(scores, kind="stable")
    ranked, truth = scores[order], target[order].astype("float64")
    weight = np.ones(len(truth)) if weights is None else weights[order]
    return _auc_sorted(ranked, truth, weight)


def _auc_sorted(ranked: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> float:
    ends = np.flatnonzero(np.append(np.diff(ranked) > 0, True))
    hits, misses = np.cumsum(weight * truth)[ends], np.cumsum(weight * (1 - truth))[ends]
    positives, negatives = float(hits[-1]), float(misses[-1])
    if positives == 0 or negatives == 0:
        return float("nan")
    hit_steps = np.diff(hits, prepend=0.0)
    below = misses - np.diff(misses, prepend=0.0) / 2
    return float(np.sum(hit_steps * below) / (positives * negatives))


def average_precision(
    target: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Area under the precision-recall curve by steps; NaN without positives."""
    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order], target[order].astype("float64")
    weight = np.ones(len(truth)) if weights is None else weights[order]
    ends = np.flatnonzero(np.append(np.diff(ranked) < 0, True))
    hits, seen = np.cumsum(weight * truth)[ends], np.cumsum(weight)[ends]
    if hits[-1] == 0:
        return float("nan")
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return float(np.sum(np.diff(hits, prepend=0.0) * precision) / hits[-1])


def r_squared(target: np.ndarray, predicted: np.ndarray) -> float:
    """Share of variance explained; NaN for a constant target."""
    spread = float(np.sum((target - target.mean()) ** 2)) if np.ptp(target) else 0.0
    return float("nan") if spread == 0 else 1 - float(np.sum((target - predicted) ** 2)) / spread


def several(series: pd.Series, *, task: str = "") -> bool:
    """Whether these are more than two classes; numbers only where a classification is asked."""
    classed = task == "classification" or column_type(series) == "text"
    return classed and series.dropna().nunique() > 2


def as_target(series: pd.Series) -> tuple[np.ndarray, bool]:
    """The target as numbers and whether it has two classes; more classes count the rarest."""
    values = series.dropna().unique()
    if len(values) == 2 or column_type(series) in ("text", "bool"):
        counts = series.value_counts()
        ordered = sorted(counts.items(), key=lambda item: (item[1], str(item[0])))
        positive = ordered[0][0]
        if len(values) == 2:
            positive = sorted(values, key=lambda value: (isinstance(value, str), value))[1]
        return (series == positive).to_numpy(dtype="float64"), True
    return as_numbers(series), False


def signal(series: pd.Series, target: np.ndarray, *, binary: bool, folds: np.ndarray) -> Signal:
    """What the column alone tells: the better of its raw order and its binned means."""
    means = out_of_fold(Binner(series).codes(series), target, folds)
    if not binary:
        return Signal(str(series.name), max(0.0, r_squared(target, means)), "R2")
    best = auc(target, means)
    if column_type(series) != "text":
        values = as_numbers(series)
        known = np.isfinite(values)
        # a raw order with gaps is compared on its known rows only, if they are most
        if known.mean() > 0.5 and 0 < target[known].mean() < 1:
            raw = auc(target[known], values[known])
            best = max(best, raw, 1 - raw)
    return Signal(str(series.name), best, "AUC")


def closest(series: pd.Series, target: np.ndarray, *, binary: bool, folds: np.ndarray) -> Signal:
    """As `signal`; of two numbers also the squared correlation, of values or of their ranks.

    Means of bins of a few hundred rows are drawn to the overall mean, so that even a copy of the
    target has an R2 far below 1: what looks for copies asks in this way, too.
    """
    found = signal(series, target, binary=binary, folds=folds)
    if binary or column_type(series) not in ("int", "float", "time"):
        return found
    values = as_numbers(series)
    known = np.isfinite(values) & np.isfinite(target)
    if known.mean() <= 0.5 or np.ptp(values[known]) == 0 or np.ptp(target[known]) == 0:
        return found
    pairs = pd.DataFrame({"value": values[known], "target": target[known]})
    straight = float(np.corrcoef(pairs.to_numpy(), rowvar=False)[0, 1])
    ranked = float(np.corrcoef(pairs.rank().to_numpy(), rowvar=False)[0, 1])
    return Signal(found.column, max(found.score, straight**2, ranked**2), "R2")
