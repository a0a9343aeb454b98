"""The row form of what tells several classes apart: softmax, keyword votes, calibrated machines."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from pipelines.operations.learning.keyword_votes import KeywordVotes, winner
from pipelines.operations.rowwise.stages import NotCompilableError


def softmax(raw: np.ndarray) -> list[float]:
    """Shares that grow with the exponent of each value, as scikit-learn sums them."""
    shifted = np.exp(raw - raw.max())
    found: list[float] = (shifted / shifted.sum()).tolist()
    return found


def keyword_votes(model: KeywordVotes) -> Callable[[Sequence[object]], list[float]]:
    """Probabilities by the class with most of its words in the text."""
    known, shares = model.known(), [[float(share) for share in row] for row in model.shares_]

    def scores(vector: Sequence[object]) -> list[float]:
        return list(shares[winner(known, str(vector[model.column]))])

    return scores


def calibrated_several(
    model: CalibratedClassifierCV,
) -> Callable[[Sequence[float]], list[float]]:
    """Linear machines, one for each class, each with its sigmoid; normalised.

    Raises NotCompilableError for another kind of calibration.
    """
    (only, *more) = model.calibrated_classifiers_
    machine, curves = only.estimator, only.calibrators
    if more or only.method != "sigmoid" or not isinstance(machine, LinearSVC):
        raise NotCompilableError("a calibration other than sigmoids of a linear machine")
    weights = np.asarray(machine.coef_, dtype=float)
    intercept = np.ravel(np.asarray(machine.intercept_, dtype=float))
    slopes = np.asarray([float(curve.a_) for curve in curves])
    offsets = np.asarray([float(curve.b_) for curve in curves])
    if len(curves) != len(weights):
        raise NotCompilableError("a calibration that knows fewer classes than its machine")

    def scores(vector: Sequence[float]) -> list[float]:
        margins = weights @ np.asarray(vector) + intercept
        raw = expit(-(slopes * margins + offsets))
        total = float(raw.sum())
        if total == 0:
            return [1.0 / len(raw)] * len(raw)
        found: list[float] = (raw / total).tolist()
        return found

    return scores
