"""Do the probabilities of several classes mean what they say: error, noise floor, each class.

The error that is judged is that of the likeliest class: how sure the model says it is of it
against how often it is right, in ten bins of equally many rows (top-label or confidence ECE, Guo
and others 2017). The error of a class is that of its probability against all other classes; the
mean over classes (classwise ECE, Kull and others 2019) is stated and not judged: it is at most
2 / K, so of 20 classes 90 % said and 45 % right make only 0.04 of it.

What a model with exactly right probabilities would show by chance depends on the rows and on the
probabilities themselves, so the floor is drawn: whether the likeliest class is right is drawn
from its own probability, and the 95 % point of the error is the floor (consistency resampling,
Broecker and Smith 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.calibration import BINS, bins
from pipelines.operations.learning.class_scores import one_hot
from pipelines.operations.learning.metrics import Floats, Labels

DRAWS = 200


@dataclass(frozen=True)
class ClassErrors:
    """The error of the likeliest class, what chance alone makes of it, and of each class."""

    error: float
    floor: float
    by_class: Floats


def class_errors(scores: Floats, truth: Labels, *, seed: int) -> ClassErrors:
    """Errors of K probabilities per row, with the noise floor of as many rows."""
    top, place = scores.max(axis=1), _bins_of(scores.max(axis=1))
    right = (scores.argmax(axis=1) == truth).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = [
        _error(top, (rng.random(top.size) < top).astype(np.float64), place) for _ in range(DRAWS)
    ]
    hot = one_hot(truth, scores.shape[1])
    each = [_error(scores[:, k], hot[:, k], _bins_of(scores[:, k])) for k in range(scores.shape[1])]
    return ClassErrors(_error(top, right, place), float(np.percentile(drawn, 95)), np.asarray(each))


def _bins_of(scores: Floats) -> npt.NDArray[np.int64]:
    """The bin of each row, by the rule of `calibration.bins`: equal scores stay together."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    cuts = [ranked.size * place // BINS for place in range(1, BINS)]
    starts = sorted({0, *(int(np.searchsorted(ranked, ranked[cut])) for cut in cuts)})
    found = np.empty(scores.size, dtype=np.int64)
    found[order] = np.searchsorted(starts, np.arange(scores.size), side="right") - 1
    return found


def _error(scores: Floats, truth: Floats, place: npt.NDArray[np.int64]) -> float:
    """|sum of probabilities - rows that it is true of| over bins, by rows."""
    return float(np.abs(np.bincount(place, scores - truth, minlength=BINS)).sum() / truth.size)


def calibration_facts(
    scores: Floats, truth: Labels, names: list[str], *, seed: int
) -> dict[str, Json]:
    """Error, floor, each class, and bins of the likeliest class: how sure, how often right."""
    found = class_errors(scores, truth, seed=seed)
    top = scores.max(axis=1)
    right = (scores.argmax(axis=1) == truth).astype(np.int64)
    return {
        "error": finite(found.error, 6),
        "noise_floor": finite(found.floor, 6),
        "floor_from": "outcomes drawn from the model's own probabilities",
        "of": "the likeliest class",
        "mean_over_classes": finite(float(found.by_class.mean()), 6),
        "bins": list[Json](bins(top, right)),
        "bins_of": "the likeliest class",
        "classes": [
            {"class": name, "error": finite(float(error), 6)}
            for name, error in zip(names, found.by_class, strict=True)
        ],
    }
