"""Scores of probabilities against 0/1 labels, for one or many weightings of the rows.

All agree with scikit-learn's functions (tested); they exist because 300 bootstrap samples
of 55,000 rows cost 300 sorts there and one here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

EPS = float(np.finfo(np.float64).eps)  # log loss clips here, as scikit-learn does
HIGHER_IS_BETTER: Mapping[str, bool] = {
    "roc_auc": True,
    "pr_auc": True,
    "log_loss": False,
    "brier": False,
    "precision": True,
    "recall": True,
    "value_per_1000": True,
    "mae": False,
    "rmse": False,
    "r2": True,
    "pinball": False,
    "macro_f1": True,
    "balanced_accuracy": True,
    "accuracy": True,
}
SCORES: tuple[str, ...] = ("roc_auc", "pr_auc", "log_loss", "brier")


class Ranking:
    """Rows ordered by falling score; distinct scores are the thresholds of both curves."""

    def __init__(self, scores: Floats, labels: Labels) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ranked = scores[self.order]
        self.ends = np.append(np.flatnonzero(np.diff(ranked)), scores.size - 1)
        self.thresholds = ranked[self.ends]
        self.labels = labels[self.order].astype(np.float64)

    def counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """(true, false) positives at each threshold; weights are samples x rows."""
        ranked = weights[:, self.order]
        flagged = np.cumsum(ranked, axis=1)[:, self.ends]
        ranked *= self.labels
        true = np.cumsum(ranked, axis=1)[:, self.ends]
        return true, flagged - true

    def areas(self, weights: Floats) -> tuple[Floats, Floats]:
        """(ROC AUC, average precision) per sample; NaN where a class is absent."""
        true, false = self.counts(weights)
        positives, negatives = true[:, -1], false[:, -1]
        steps_true = np.diff(true, axis=1, prepend=0.0)
        steps_false = np.diff(false, axis=1, prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            wins = ((true - steps_true / 2) * steps_false).sum(axis=1)
            precision = np.divide(
                true, true + false, out=np.zeros_like(true), where=(true + false) > 0
            )
            average = (precision * steps_true).sum(axis=1)
            both = (positives > 0) & (negatives > 0)
            auc = np.where(both, wins / (positives * negatives), np.nan)
            return auc, np.where(positives > 0, average / positives, np.nan)


def log_losses(scores: Floats, labels: Labels) -> Floats:
    """Log loss of each row, in nats."""
    clipped = np.clip(scores, EPS, 1 - EPS)
    found: Floats = -np.where(labels == 1, np.log(clipped), np.log1p(-clipped))
    return found


def brier_losses(scores: Floats, labels: Labels) -> Floats:
    """Squared error of each row's probability."""
    found: Floats = np.square(scores - labels)
    return found


def all_scores(scores: Floats, labels: Labels, weights: Floats | None = None) -> dict[str, float]:
    """The four scores of one set of rows, weighted or not; one that is undefined is NaN."""
    each = np.ones(scores.size) if weights is None else weights
    auc, average = Ranking(scores, labels).areas(each[None, :])
    return {
        "roc_auc": float(auc[0]),
        "pr_auc": float(average[0]),
        "log_loss": float(np.average(log_losses(scores, labels), weights=weights)),
        "brier": float(np.average(brier_losses(scores, labels), weights=weights)),
    }


def metric_name(given: str) -> str:
    """The metric that a person's spelling means ("PR-AUC" -> "pr_auc"); "" for none."""
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    name = _SPELLINGS.get(name, name)
    return name if name in HIGHER_IS_BETTER else ""


_SPELLINGS: Mapping[str, str] = {
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "rocauc": "roc_auc",
    "prauc": "pr_auc",
    "average_precision": "pr_auc",
    "logloss": "log_loss",
    "brier_score": "brier",
    "value_per_1,000": "value_per_1000",
    "r²": "r2",
    "r_2": "r2",
    "r_squared": "r2",
    "mean_absolute_error": "mae",
    "f1_macro": "macro_f1",
    "root_mean_squared_error": "rmse",
}
