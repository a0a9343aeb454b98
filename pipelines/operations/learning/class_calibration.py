"""Do the probabilities of several classes mean what they say: error by class and noise floor.

The error of a class is the expected calibration error of its probability against all other
classes, in ten bins of equally many rows; the model's is the mean over classes (classwise ECE,
Kull and others 2019). What a model with exactly right probabilities would show by chance depends
on K, on the rows and on the probabilities themselves, so the floor is drawn: outcomes are drawn
from the model's own probabilities, and its 95 % point is the floor (consistency resampling,
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
    """The error of each class, their mean, and what chance alone makes of the mean."""

    by_class: Floats
    floor: float

    @property
    def error(self) -> float:
        """Mean over classes."""
        return float(self.by_class.mean())


def class_errors(scores: Floats, truth: Labels, *, seed: int) -> ClassErrors:
    """Errors of K probabilities per row, with the noise floor of as many rows."""
    places = [_bins_of(scores[:, place]) for place in range(scores.shape[1])]
    found = _errors(scores, one_hot(truth, scores.shape[1]), places)
    rng, ends = np.random.default_rng(seed), np.cumsum(scores, axis=1)
    drawn = np.empty(DRAWS)
    for number in range(DRAWS):
        marks = rng.random(truth.size)[:, None] * ends[:, -1:]
        outcome = np.minimum((marks >= ends).sum(axis=1), scores.shape[1] - 1)
        drawn[number] = _errors(scores, one_hot(outcome, scores.shape[1]), places).mean()
    return ClassErrors(found, float(np.percentile(drawn, 95)))


def _bins_of(scores: Floats) -> npt.NDArray[np.int64]:
    """The bin of each row, by the rule of `calibration.bins`: equal scores stay together."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    cuts = [ranked.size * place // BINS for place in range(1, BINS)]
    starts = sorted({0, *(int(np.searchsorted(ranked, ranked[cut])) for cut in cuts)})
    found = np.empty(scores.size, dtype=np.int64)
    found[order] = np.searchsorted(starts, np.arange(scores.size), side="right") - 1
    return found


def _errors(scores: Floats, hot: Floats, places: list[npt.NDArray[np.int64]]) -> Floats:
    """Per class: |sum of probabilities - rows of the class| over bins, by rows."""
    return np.asarray(
        [
            np.abs(np.bincount(place, scores[:, k] - hot[:, k], minlength=BINS)).sum() / len(hot)
            for k, place in enumerate(places)
        ]
    )


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
        "of": "mean over classes",
        "bins": list[Json](bins(top, right)),
        "bins_of": "the likeliest class",
        "classes": [
            {"class": name, "error": finite(float(error), 6)}
            for name, error in zip(names, found.by_class, strict=True)
        ],
    }
