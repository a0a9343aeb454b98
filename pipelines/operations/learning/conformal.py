"""Intervals around a predicted number: split conformal with signed errors, and their check.

Half of the holdout sets how far the truth strays below and above the prediction, the other
half says whether the interval covers as promised. Signed errors, each tail on its own
(Linusson, Johansson and Loefstroem 2014), since delays, prices and counts stray further up
than down: for exchangeable rows the coverage is at least 1 - alpha whatever the model.

How far may the coverage found be off? Over many rows of one calibration it is a Beta variable
around 1 - alpha with variance alpha (1 - alpha) / (m + 2) for m calibration rows (Vovk 2012),
over n rows counted it varies by alpha (1 - alpha) / n more. Rows of one day stray together, so
both are multiplied by the design effect, the ratio of the variance between days to that of
independent rows (Kish 1965). The limit is 3 sqrt(alpha (1 - alpha) / n_e) with
1 / n_e = effect (1 / n + 1 / (m + 2)): for independent rows and many calibration rows the
textbook's 3 sqrt(alpha (1 - alpha) / n).

Few calibration rows are promised more than 1 - alpha, since no place lies between two ranks: of
38 errors the smallest and the largest are taken, and 37 of 39 rows are expected inside where 90 %
are promised. Too many is therefore counted from what is expected, too few from the promise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Blocks, Resampling, some_groups

FEWEST_BLOCKS = 5  # fewer say nothing of how rows stray together: no band is given (own)
SIGMAS = 3.0  # stat: a true interval is called false once in 370 times


@dataclass(frozen=True)
class Margin:
    """What is added to a prediction: from `low` (mostly below 0) to `high`, at this level."""

    low: float
    high: float
    level: float
    rows: int

    @property
    def width(self) -> float:
        """Of the interval, in the target's unit."""
        return self.high - self.low

    @property
    def expected(self) -> float:
        """Share of exchangeable rows inside: the promise or, by whole ranks, a little more."""
        return expected_share(self.rows, 1 - self.level)


@dataclass(frozen=True)
class Coverage:
    """How many of the other rows the interval covers, beside what it promises.

    `strict` is the share inside its ends. Where many rows err alike, an end lies on a tie and
    the closed interval holds more than promised whatever is done; no honest one holds fewer.
    """

    share: float
    strict: float
    rows: int
    effective_rows: float | None  # None, as the tolerance, where too few blocks tell it
    tolerance: float | None
    promised: float
    expected: float

    @property
    def holds(self) -> bool | None:
        """Enough with its ends, and not too many without them; None where chance is unknown."""
        if self.tolerance is None:
            return None
        enough = self.share >= self.promised - self.tolerance
        return enough and self.strict <= self.expected + self.tolerance


def expected_share(rows: float, alpha: float) -> float:
    """Share of exchangeable rows inside the signed ends that so many calibration rows set."""
    return 1 - 2 * math.floor((rows + 1) * alpha / 2 + 1e-9) / (rows + 1)


def margin(errors: Floats, alpha: float) -> Margin | None:
    """Margin from truth - prediction of the calibration rows; None where they are too few.

    The bounds are the floor((m + 1) alpha / 2)-th smallest and largest of m errors: MAPIE's of a
    score that is not symmetric, but for whole ranks, which rounding passes there (59 rows at 90 %).
    """
    m = errors.size
    place = math.floor((m + 1) * alpha / 2 + 1e-9)
    if place < 1:
        return None
    ranked = np.sort(errors)
    return Margin(float(ranked[place - 1]), float(ranked[m - place]), 1 - alpha, m)


def first_half(
    rows: int, moments: Floats | None, resampling: Resampling, share: float = 0.5
) -> np.ndarray:
    """True for the rows that calibrate: the earlier half (or `share`), else so many at random.

    Rows of one moment, and of one day or block where those are drawn, stay on one side. Where
    groups are drawn, groups are parted at random: one may hold rows of all times.
    """
    if resampling.unit == "group":
        return some_groups(resampling.blocks, int(rows * share), seed=resampling.seed)
    if moments is None:
        order = np.random.default_rng([resampling.seed, 2]).permutation(rows)
        return order < int(rows * share)
    keys = resampling.blocks if resampling.unit in ("day", "block") else moments
    bound = np.sort(keys)[min(int(rows * share), rows - 1)]
    return np.asarray(keys < bound)


def coverage(
    errors: Floats, found: Margin, blocks: Blocks, *, before: tuple[Floats, Blocks] | None = None
) -> Coverage:
    """Of rows that did not calibrate; `blocks` are their days (or each row its own).

    `before` are errors and blocks of the rows that calibrated, where they are at hand: they say
    as well how rows of one block stray together.
    """
    sides = [(_inside(errors, found), blocks)]
    sides += [(_inside(before[0], found), before[1])] if before else []
    strict = float(((errors > found.low) & (errors < found.high)).mean())
    return counted(sides, strict, found.level, found.rows, expected=found.expected)


def counted(
    sides: Sequence[tuple[Floats, Blocks]],
    strict: float,
    level: float,
    rows: int,
    *,
    expected: float,
) -> Coverage:
    """Coverage of the first side's rows by intervals that `rows` rows have set.

    `expected` is the share of these rows inside by `expected_share`, each by its own interval.
    """
    inside, alpha = sides[0][0], 1 - level
    effect = design_effect(sides, alpha)
    if effect is None:
        return Coverage(float(inside.mean()), strict, inside.size, None, None, level, expected)
    effective = 1 / (effect * (1 / inside.size + 1 / (rows + 2)))
    tolerance = SIGMAS * math.sqrt(alpha * (1 - alpha) / effective)
    return Coverage(
        float(inside.mean()), strict, inside.size, effective, tolerance, level, expected
    )


def _inside(errors: Floats, found: Margin) -> Floats:
    return ((errors >= found.low) & (errors <= found.high)).astype(np.float64)


def design_effect(sides: Sequence[tuple[Floats, Blocks]], alpha: float) -> float | None:
    """Variance of a share between blocks over that of independent rows; at least 1.

    None where rows are tied, and fewer than five blocks on sides of two or more tell how much:
    a band by one or two degrees of freedom would be everything from 0 to 1 and judge nothing.

    `sides` are the rows that count and, where known, those that calibrate: 1 for a covered row,
    and its block. Each side strays from its own share, so a promise that is broken does not widen
    what is allowed. The variance is itself estimated, from B blocks: three standard deviations
    of a normal are then t(B - sides) at the same probability, and the effect grows by
    (t / 3) squared, 1.6 for twelve blocks. Of 400 evaluations each without any fault, 12 to 100
    groups that err more or less than others, 0.2 to 1.3 % leave the band so made; 13 to 33 % leave
    that of independent rows, 1 to 6 % that of the test rows' variance alone.
    """
    between, rows, count, used, tied = 0.0, 0, 0, 0, False
    for inside, blocks in sides:
        codes = np.unique(blocks, return_inverse=True)[1]
        found = int(codes.max()) + 1
        rows += inside.size
        tied = tied or found < inside.size
        if found < 2 or found == inside.size:
            continue
        strays = np.bincount(codes, inside - inside.mean(), minlength=found)
        between += float(np.square(strays).sum())
        count, used = count + found, used + 1
    if not tied:
        return 1.0
    if count < FEWEST_BLOCKS:
        return None
    freedom = count - used
    found_effect = between * count / freedom / rows / (alpha * (1 - alpha))
    return max(1.0, found_effect) * caution(freedom)


def caution(freedom: int) -> float:
    """By what a variance of so many degrees of freedom may be too small, in squared terms."""
    return (float(stats.t.isf(float(stats.norm.sf(SIGMAS)), freedom)) / SIGMAS) ** 2


def as_json(found: Margin | None, checked: Coverage | None) -> Json:
    """For facts; None where there were too few rows."""
    if found is None or checked is None:
        return None
    return {
        "level": found.level,
        "low": found.low,
        "high": found.high,
        "width": found.width,
        "calibration_rows": found.rows,
        "checked_rows": checked.rows,
        "effective_rows": finite(checked.effective_rows, 1),
        "coverage": checked.share,
        "strictly_inside": checked.strict,
        "expected": finite(checked.expected, 6),
        "tolerance": finite(checked.tolerance, 6),
        "holds": checked.holds,
    }
