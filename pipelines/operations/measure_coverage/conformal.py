"""Split conformal sets for two classes (Vovk; Angelopoulos and Bates 2021, section 1).

A row's strangeness for a class is 1 minus the probability of that class. Its cut is the k-th
smallest strangeness of the true classes of m calibration rows, k = ceil((m + 1) * confidence):
by exchangeability a new row's true class lies below it with probability k / (m + 1) at least.
A class belongs to a row's set when its strangeness is at most the cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from pipelines.operations.learning.metrics import Floats, Labels

Sets = npt.NDArray[np.bool_]  # rows x (other, positive)
# Two-sided share outside 3 standard deviations of a normal: what the catalogue's bound allows
OUTSIDE = 0.0026997960632601866


@dataclass(frozen=True)
class Cuts:
    """The greatest strangeness allowed for (other, positive), and the rows behind each."""

    other: float
    positive: float
    rows: tuple[int, int]

    @property
    def fewest(self) -> int:
        """Rows behind the least sure of the cuts there are."""
        return fewest_rows((self.other, self.positive), self.rows)


def rank(rows: int, confidence: float) -> int:
    """Which smallest strangeness is the cut; more than `rows` where they are too few for any.

    As MAPIE's, but for (m + 1) * confidence that is a whole number: there rounding may give one
    more. MAPIE refuses where there are too few rows, and asks for one or two more than needed.
    """
    # 0.9 * 10 is 9.000000000000002 in floats: an integer must not be passed by so little
    return math.ceil((rows + 1) * confidence - 1e-9)


def cut(strangeness: Floats, confidence: float) -> float:
    """The k-th smallest; infinite where there are too few rows: then every class is possible."""
    place = rank(strangeness.size, confidence)
    if place > strangeness.size:
        return math.inf
    return float(np.partition(strangeness, place - 1)[place - 1])


def fewest_rows(cuts: Iterable[float], rows: Iterable[int]) -> int:
    """The least rows of any finite cut; where none is finite, the least of all.

    A class without a cut stands in every set: it is surely covered, and no reason to ask more.
    """
    given = list(zip(cuts, rows, strict=True))
    return min([one for end, one in given if math.isfinite(end)] or [one for _, one in given])


def calibrate(scores: Floats, labels: Labels, confidence: float, *, by_class: bool) -> Cuts:
    """Cuts from calibration rows: one for both classes, or one for each."""
    strange = strangeness(scores)[np.arange(labels.size), labels]
    if not by_class:
        found = cut(strange, confidence)
        return Cuts(found, found, (labels.size, labels.size))
    other, positive = strange[labels == 0], strange[labels == 1]
    return Cuts(cut(other, confidence), cut(positive, confidence), (other.size, positive.size))


def strangeness(scores: Floats) -> Floats:
    """rows x (other, positive)."""
    return np.column_stack([scores, 1 - scores])


def sets(scores: Floats, cuts: Cuts) -> Sets:
    """Which classes are possible for each row."""
    found: Sets = strangeness(scores) <= np.asarray([cuts.other, cuts.positive])
    return found


def covered(found: Sets, labels: Labels) -> npt.NDArray[np.bool_]:
    """Whether each row's set holds its true class."""
    inside: npt.NDArray[np.bool_] = found[np.arange(labels.size), labels]
    return inside


def drawn(calibrated: int, confidence: float, effect: float) -> tuple[float, float]:
    """Parameters of the Beta law of the coverage that a cut of so many rows has."""
    place = rank(calibrated, confidence)
    return place / effect, (calibrated + 1 - place) / effect


def chance_of_fewer(
    share: float, rows: int, calibrated: int, confidence: float, effect: float
) -> float:
    """Probability of so small a coverage of these rows, or a smaller, by the law of `allowed`.

    With too few calibration rows for a cut, everything is covered: 1.
    """
    if rank(calibrated, confidence) > calibrated:
        return 1.0
    worth = max(1, round(rows / effect))
    law = stats.betabinom(worth, *drawn(calibrated, confidence, effect))
    return float(law.cdf(round(share * worth)))


def allowed(
    rows: int,
    calibrated: int,
    confidence: float,
    effect: float | None = 1.0,
    *,
    expected: float | None = None,
) -> tuple[float, float] | tuple[None, None]:
    """Between which shares the coverage of `rows` test rows lies in 99.73 % of all cases.

    The catalogue allows 3 * sqrt(a * (1 - a) / n), which holds the cut for known. It is drawn:
    the coverage given m calibration rows is Beta(k, m + 1 - k), so that of n test rows is
    beta-binomial (Angelopoulos and Bates 2021, appendix C), of about the variance
    a * (1 - a) * (1 / n + 1 / m). With n = m the catalogue's bound would be broken by chance in
    3.4 % of cases instead of 0.27 %. Ties and sets of everything only make coverage higher.
    With a cut for each class the rows of the smallest that has a cut are taken for m: the band is
    then wider than needed, never too narrow.

    Rows of one group or day stray together: n of them are worth n / effect independent ones, on
    both sides, `effect` being the design effect (Kish 1965). Where too few groups tell it, None,
    nothing is allowed nor forbidden: (None, None).

    `expected` is the mean coverage where whole ranks promise more than the confidence, as in both
    tails of intervals or with few rows for each step: the upper limit is then counted from there.
    """
    if effect is None:
        return None, None
    place = rank(calibrated, confidence)
    if place > calibrated:
        return 1.0, 1.0
    worth = max(1, round(rows / effect))
    law = stats.betabinom(worth, *drawn(calibrated, confidence, effect))
    low, high = law.ppf([OUTSIDE / 2, 1 - OUTSIDE / 2]) / worth
    beyond = max(0.0, expected - place / (calibrated + 1)) if expected is not None else 0.0
    return float(low), min(1.0, float(high) + beyond)
