"""Each class apart, and the matrix of what was answered for what was true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning import class_scores
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import Interval, Resampling, interval, sum_samples

Table = list[dict[str, Json]]


def as_json(found: Interval) -> dict[str, Json]:
    """Value and bounds; None where undefined."""
    return {name: finite(getattr(found, name), 6) for name in ("value", "low", "high")}


def decided(
    truth: Labels, answers: Labels, names: Sequence[str], resampling: Resampling
) -> tuple[Table, dict[str, Interval]]:
    """(rows per class, overall scores) of answers, with bootstrap intervals.

    Recall, precision and F1 of each class; macro-F1, balanced accuracy and accuracy over all.
    """
    counted = class_scores.tallies(truth, answers, len(names))
    value = class_scores.shares(counted.sum(axis=0)[None, :])
    drawn = class_scores.shares(sum_samples(counted, resampling))
    table: Table = [
        {
            "class": name,
            "rows": int((truth == place).sum()),
            "answered": int((answers == place).sum()),
            **{
                kind: as_json(interval(float(value[kind][0, place]), drawn[kind][:, place]))
                for kind in ("recall", "precision", "f1")
            },
        }
        for place, name in enumerate(names)
    ]
    overall = {
        kind: interval(float(value[kind][0]), drawn[kind])
        for kind in ("macro_f1", "balanced_accuracy", "accuracy")
    }
    return table, overall


def areas(scores: Floats, truth: Labels, resampling: Resampling) -> list[dict[str, Json]]:
    """ROC AUC and average precision of each class against the rest, with intervals."""
    aucs, averages = class_scores.class_areas(scores, truth, np.ones((1, truth.size)))
    drawn_aucs, drawn_averages = class_scores.area_samples(scores, truth, resampling)
    return [
        {
            "roc_auc": as_json(interval(float(aucs[0, k]), drawn_aucs[:, k])),
            "pr_auc": as_json(interval(float(averages[0, k]), drawn_averages[:, k])),
        }
        for k in range(scores.shape[1])
    ]


def lowest_recall(table: Table) -> Json:
    """The recall of the class told least often; None where no class has rows."""
    known = [row["recall"] for row in table if isinstance(row["recall"], dict)]
    valued = [one for one in known if isinstance(one, dict) and one["value"] is not None]
    return min(valued, key=lambda one: float(str(one["value"])), default=None)


def matrix(truth: Labels, answers: Labels, names: Sequence[str]) -> dict[str, Json]:
    """Rows of each true class (down) by answer (across), and the commonest confusions."""
    counts = class_scores.confusion(truth, answers, len(names))
    pairs = [
        (int(counts[i, j]), i, j)
        for i in range(len(names))
        for j in range(len(names))
        if i != j and counts[i, j]
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return {
        "classes": list(names),
        "counts": [[int(cell) for cell in row] for row in counts],
        "commonest": [
            {
                "true": names[i],
                "answered": names[j],
                "rows": count,
                "share": finite(count / int(counts[i].sum()), 6),
            }
            for count, i, j in pairs[:5]
        ],
    }


def majority(truth: Labels, classes: int) -> dict[str, Json]:
    """What answering the most frequent class to every row scores."""
    most = np.full(truth.size, int(np.bincount(truth, minlength=classes).argmax()))
    counted = class_scores.tallies(truth, most, classes).sum(axis=0)[None, :]
    found = class_scores.shares(counted)
    return {name: finite(float(found[name][0]), 6) for name in ("macro_f1", "accuracy")}
