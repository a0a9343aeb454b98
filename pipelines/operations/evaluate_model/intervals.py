"""95 % bootstrap intervals of scores and of decisions."""

from __future__ import annotations

import numpy as np

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.metrics import (
    Floats,
    Labels,
    all_scores,
    brier_losses,
    log_losses,
)
from pipelines.operations.learning.resampling import (
    Interval,
    Resampling,
    area_samples,
    interval,
    sum_samples,
)


def score_intervals(scores: Floats, labels: Labels, resampling: Resampling) -> dict[str, Interval]:
    """ROC AUC, average precision, log loss and Brier score."""
    values = all_scores(scores, labels)
    aucs, averages = area_samples(scores, labels, resampling)
    losses = np.column_stack(
        [log_losses(scores, labels), brier_losses(scores, labels), np.ones(scores.size)]
    )
    sums = sum_samples(losses, resampling)
    return {
        "roc_auc": interval(values["roc_auc"], aucs),
        "pr_auc": interval(values["pr_auc"], averages),
        "log_loss": interval(values["log_loss"], sums[:, 0] / sums[:, 2]),
        "brier": interval(values["brier"], sums[:, 1] / sums[:, 2]),
    }


def decision_intervals(
    flags: np.ndarray, labels: Labels, resampling: Resampling
) -> dict[str, Interval]:
    """Precision (of those flagged) and recall (of the positives); NaN for a share of nothing."""
    columns = np.column_stack([flags & (labels == 1), flags, labels == 1]).astype(np.float64)
    hits, flagged, positives = columns.sum(axis=0)
    sums = sum_samples(columns, resampling)
    with np.errstate(invalid="ignore", divide="ignore"):
        precisions, recalls = sums[:, 0] / sums[:, 1], sums[:, 0] / sums[:, 2]
    return {
        "precision": interval(hits / flagged if flagged else float("nan"), precisions),
        "recall": interval(hits / positives if positives else float("nan"), recalls),
    }


def interval_json(found: Interval) -> dict[str, Json]:
    """Value and bounds; None where undefined."""
    return {
        "value": finite(found.value, 6),
        "low": finite(found.low, 6),
        "high": finite(found.high, 6),
    }
