"""ROC and precision-recall curves, thinned to what a chart can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from pipelines.operations.contract import Json
from pipelines.operations.learning.metrics import Floats, Labels, Ranking

POINTS = 201
T = TypeVar("T")


def roc_curve(scores: Floats, labels: Labels) -> list[dict[str, Json]]:
    """From nothing flagged to all: false positive rate, true positive rate, threshold."""
    ranking = Ranking(scores, labels)
    true, false = ranking.counts(np.ones((1, scores.size)))
    rows: list[dict[str, Json]] = [{"fpr": 0.0, "tpr": 0.0, "threshold": None}]
    for t, f, threshold in zip(
        true[0] / true[0, -1], false[0] / false[0, -1], ranking.thresholds, strict=True
    ):
        rows.append({"fpr": float(f), "tpr": float(t), "threshold": float(threshold)})
    return thin(rows)


def pr_curve(scores: Floats, labels: Labels) -> list[dict[str, Json]]:
    """Recall, precision, threshold, by rising recall."""
    ranking = Ranking(scores, labels)
    true, false = ranking.counts(np.ones((1, scores.size)))
    recall, precision = true[0] / true[0, -1], true[0] / (true[0] + false[0])
    return thin(
        [
            {"recall": float(r), "precision": float(p), "threshold": float(t)}
            for r, p, t in zip(recall, precision, ranking.thresholds, strict=True)
        ]
    )


def thin(rows: Sequence[T]) -> list[T]:
    """At most POINTS of the rows, evenly, with the first and the last."""
    if len(rows) <= POINTS:
        return list(rows)
    kept = np.unique(np.linspace(0, len(rows) - 1, POINTS).round().astype(int))
    return [rows[place] for place in kept]
