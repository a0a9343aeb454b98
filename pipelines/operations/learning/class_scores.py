"""Scores of K probabilities per row against classes 0 to K - 1, for one or many weightings.

All agree with scikit-learn's functions where those are defined (tested): ROC AUC and average
precision one class against the rest, their plain mean over classes; log loss; the Brier score as
the sum over classes (0 to 2); F1 and recall of the likeliest class, their plain mean. A class
that occurs in no row has no area and no recall: means are over the classes that occur, where
scikit-learn raises an error or warns. F1 is a mean over the classes that occur or are answered.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.operations.learning.metrics import EPS, Floats, Labels, Ranking
from pipelines.operations.learning.resampling import CELLS, Resampling, sum_samples

SCORES: tuple[str, ...] = (
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "macro_f1",
    "balanced_accuracy",
    "accuracy",
)


def one_hot(codes: Labels, classes: int) -> Floats:
    """rows x classes, a one in each row."""
    found = np.zeros((codes.size, classes))
    found[np.arange(codes.size), codes] = 1.0
    return found


def likeliest(scores: Floats) -> Labels:
    """The class of greatest probability; the first of equal ones."""
    found: Labels = np.argmax(scores, axis=1).astype(np.int64)
    return found


def log_losses(scores: Floats, truth: Labels) -> Floats:
    """Log loss of each row, in nats."""
    own = scores[np.arange(truth.size), truth]
    found: Floats = -np.log(np.clip(own, EPS, 1 - EPS))
    return found


def brier_losses(scores: Floats, truth: Labels) -> Floats:
    """Squared errors of each row's probabilities, summed over classes."""
    found: Floats = np.square(scores - one_hot(truth, scores.shape[1])).sum(axis=1)
    return found


def mean_of_known(values: Floats) -> Floats:
    """Mean along the last axis over what is no NaN; NaN where all are."""
    known = np.isfinite(values)
    counts = known.sum(axis=-1)
    sums = np.where(known, values, 0.0).sum(axis=-1)
    found: Floats = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return found


def class_areas(scores: Floats, truth: Labels, weights: Floats) -> tuple[Floats, Floats]:
    """(ROC AUC, average precision) of each class against the rest: samples x classes."""
    pairs = [
        Ranking(scores[:, place], (truth == place).astype(np.int64)).areas(weights)
        for place in range(scores.shape[1])
    ]
    return np.column_stack([pair[0] for pair in pairs]), np.column_stack([p[1] for p in pairs])


def tallies(truth: Labels, answers: Labels, classes: int) -> Floats:
    """rows x 3 classes: right in class k, of class k, answered k."""
    of, said = one_hot(truth, classes), one_hot(answers, classes)
    return np.hstack([of * said, of, said])


def shares(sums: Floats) -> dict[str, Floats]:
    """Recall, precision, F1 of each class (samples x classes) and their means, from tallies.

    Precision of a class never answered is 0, as scikit-learn's zero_division=0 has it; recall of
    a class that never occurs is NaN.
    """
    right, of, said = np.split(sums, 3, axis=1)
    recall = np.divide(right, of, out=np.full_like(right, np.nan), where=of > 0)
    precision = np.divide(right, said, out=np.zeros_like(right), where=said > 0)
    f1 = np.divide(2 * right, of + said, out=np.full_like(right, np.nan), where=of + said > 0)
    total = of.sum(axis=1)
    accuracy = np.divide(right.sum(axis=1), total, out=np.full(len(sums), np.nan), where=total > 0)
    return {
        "recall": recall,
        "precision": precision,
        "f1": f1,
        "macro_f1": mean_of_known(f1),
        "balanced_accuracy": mean_of_known(recall),
        "accuracy": accuracy,
    }


def all_scores(scores: Floats, truth: Labels, weights: Floats | None = None) -> dict[str, float]:
    """Every score of one set of rows, weighted or not; one that is undefined is NaN."""
    each = np.ones(truth.size) if weights is None else weights
    aucs, averages = class_areas(scores, truth, each[None, :])
    counted = each @ tallies(truth, likeliest(scores), scores.shape[1])
    decided = shares(counted[None, :])
    return {
        "roc_auc": float(mean_of_known(aucs)[0]),
        "pr_auc": float(mean_of_known(averages)[0]),
        "log_loss": float(np.average(log_losses(scores, truth), weights=weights)),
        "brier": float(np.average(brier_losses(scores, truth), weights=weights)),
        **{name: float(decided[name][0]) for name in ("macro_f1", "balanced_accuracy", "accuracy")},
    }


def all_samples(scores: Floats, truth: Labels, resampling: Resampling) -> dict[str, Floats]:
    """Every score in every bootstrap sample."""
    aucs, averages = area_samples(scores, truth, resampling)
    losses = [log_losses(scores, truth), brier_losses(scores, truth), np.ones(truth.size)]
    sums = sum_samples(np.column_stack(losses), resampling)
    decided = shares(sum_samples(tallies(truth, likeliest(scores), scores.shape[1]), resampling))
    return {
        "roc_auc": mean_of_known(aucs),
        "pr_auc": mean_of_known(averages),
        "log_loss": sums[:, 0] / sums[:, 2],
        "brier": sums[:, 1] / sums[:, 2],
        **{name: decided[name] for name in ("macro_f1", "balanced_accuracy", "accuracy")},
    }


def area_samples(scores: Floats, truth: Labels, resampling: Resampling) -> tuple[Floats, Floats]:
    """ROC AUC and average precision of every class in every sample: samples x classes."""
    limit = max(1, CELLS // max(truth.size, 1))
    parts = [
        class_areas(scores, truth, weights[:, resampling.blocks])
        for weights in resampling.weights(limit)
    ]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def confusion(truth: Labels, answers: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Rows of class i (down) that were answered j (across)."""
    found = np.bincount(truth * classes + answers, minlength=classes * classes)
    return found.reshape(classes, classes).astype(np.int64)
