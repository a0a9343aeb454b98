"""The row form of what reads texts: term weights, topics, the keyword rule, calibrated scores."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from pipelines.operations.learning.texts import (
    STEPS,
    KeywordRule,
    TermWeights,
    Texts,
    Topics,
    rounded,
)
from pipelines.operations.learning.words import MAX_TEXT, terms, words
from pipelines.operations.rowwise.stages import NotCompilableError, Values

# Texts pass through a stage as they are, so that its vector holds more than numbers.
Vector = list[float]


@dataclass(frozen=True)
class Read:
    """A text as it is, cut to what is read; a missing one is empty."""

    source: int
    at: int

    def fill(self, vector: Vector, values: Values) -> None:
        """Hand the text on."""
        value = values[self.source]
        vector[self.at] = value[:MAX_TEXT] if isinstance(value, str) else ""  # type: ignore[call-overload]


@dataclass(frozen=True)
class Weigh:
    """TF-IDF weights of the terms of one text; `fold` holds topics where they follow."""

    source: int
    at: int
    places: Mapping[str, int]
    weights: Sequence[float]
    fold: np.ndarray | None = None

    def fill(self, vector: Vector, values: Values) -> None:
        """Write the weights of the known terms, or the topics made of them."""
        weighed = self._weighed(str(values[self.source]))
        if self.fold is None:
            for place, weight in weighed:
                vector[self.at + place] = weight
            return
        total = np.zeros(len(self.fold))
        for place, weight in weighed:
            total += weight * self.fold[:, place]
        vector[self.at : self.at + len(total)] = rounded(total).tolist()

    def _weighed(self, text: str) -> list[tuple[int, float]]:
        get = self.places.get
        counts = Counter(place for term in terms(text) if (place := get(term)) is not None)
        # in the order of the places, as the rows of a sparse matrix are summed
        raw = [
            (place, (math.log(count) + 1.0) * self.weights[place])
            for place, count in sorted(counts.items())
        ]
        length = math.sqrt(sum(weight * weight for _, weight in raw)) or 1.0
        return [(place, weight / length) for place, weight in raw]


def text_fillers(
    parts: Sequence[object], places: Sequence[int], where: slice
) -> list[Read | Weigh] | None:
    """Fillers of a branch that reads texts; None for one that does not."""
    first = parts[0] if parts else None
    if isinstance(first, Texts):
        at = range(where.start, where.stop)
        return [Read(source, place) for source, place in zip(places, at, strict=True)]
    if not isinstance(first, TermWeights):
        return None
    rest = parts[1:]
    if len(rest) > 1 or not all(isinstance(part, Topics) for part in rest):
        raise NotCompilableError("term weights before something that has no row form")
    fold = next((part.components_ for part in rest if isinstance(part, Topics)), None)
    weights = [float(weight) for weight in first.weights_]
    return [Weigh(places[0], where.start, dict(first.places()), weights, fold)]


def keyword_rule(model: KeywordRule) -> Callable[[Sequence[object]], list[float]]:
    """Scores of the keyword rule."""
    known = frozenset(filter(None, model.keywords_.split("\n")))
    shares = [float(share) for share in model.shares_]

    def scores(vector: Sequence[object]) -> list[float]:
        found = known.intersection(words(str(vector[model.column])))
        positive = shares[min(len(found), STEPS - 1)]
        return [1.0 - positive, positive]

    return scores


def calibrated(model: CalibratedClassifierCV) -> Callable[[Sequence[float]], list[float]]:
    """Scores of a linear machine calibrated by one sigmoid. Raises NotCompilableError."""
    (only, *more) = model.calibrated_classifiers_
    machine, curves = only.estimator, only.calibrators
    if more or len(curves) != 1 or only.method != "sigmoid" or not isinstance(machine, LinearSVC):
        raise NotCompilableError("a calibration other than one sigmoid of a linear machine")
    weights = np.asarray(machine.coef_, dtype=float)[0]
    intercept = float(np.ravel(machine.intercept_)[0])
    slope, offset = float(curves[0].a_), float(curves[0].b_)

    def scores(vector: Sequence[float]) -> list[float]:
        margin = float(np.asarray(vector) @ weights) + intercept
        positive = float(expit(-(slope * margin + offset)))
        return [1.0 - positive, positive]

    return scores
