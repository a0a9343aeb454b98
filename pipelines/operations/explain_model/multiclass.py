"""Scores of several classes, as curves and reasons show them: one number where one is drawn."""

from __future__ import annotations

import numpy as np

from pipelines.operations.contract import Json
from pipelines.operations.explain_model.view import View
from pipelines.operations.learning.class_names import texts_of
from pipelines.operations.learning.metrics import Floats


def mean_score(view: View, scores: Floats) -> dict[str, Json]:
    """The mean score; of several classes each mean, and that of the most frequent class."""
    if scores.ndim == 1:
        return {"score": float(scores.mean())}
    means = scores.mean(axis=0)
    names = texts_of(view.holdout.classes)
    most = commonest(view)
    return {
        "score": float(means[most]),
        "of": names[most],
        "classes": {name: float(mean) for name, mean in zip(names, means, strict=True)},
    }


def commonest(view: View) -> int:
    """The place of the class with most rows."""
    return int(np.bincount(view.holdout.labels).argmax())


def of_truth(view: View, scores: Floats, picked: np.ndarray) -> Floats:
    """The score of each picked row; of several classes the probability of its true one."""
    if scores.ndim == 1:
        return scores
    found: Floats = scores[np.arange(len(scores)), view.holdout.labels[picked]]
    return found


def named(view: View, row: int) -> dict[str, Json]:
    """What a row of several classes was, and what was likeliest; nothing for other tasks."""
    if view.holdout.scores.ndim == 1:
        return {}
    names = texts_of(view.holdout.classes)
    return {
        "class": names[int(view.holdout.labels[row])],
        "answered": names[int(view.holdout.scores[row].argmax())],
    }
