"""95 % bootstrap intervals of scores and of decisions."""

from __future__ import annotations

import numpy as np

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.learning.metrics import Labels
from pipelines.operations.learning.resampling import Interval, Resampling, interval, sum_samples
from pipelines.operations.learning.tasks import Task


def score_intervals(task: Task, holdout: Holdout, resampling: Resampling) -> dict[str, Interval]:
    """Each score of the task."""
    values = task.measure(holdout.scores, holdout.labels)
    samples = task.samples(holdout.scores, holdout.labels, resampling)
    return {name: interval(values[name], samples[name]) for name in task.scores}


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
