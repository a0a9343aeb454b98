"""Do group means differ, where rows of one block (a day, a person) may stray together?

Wald test of equal means with a cluster-robust covariance (Liang and Zeger 1986) and the usual
correction for few clusters, B / (B - 1) * (n - 1) / (n - k), against F(k - 1, B - 1): what a
regression on indicators of the groups with clustered errors gives. B is the number of blocks of
the group that has fewest, since its mean is known no better than that (with all 100 blocks for
B, a group of ten would be accused in 10 % of cases, not 5 %). Where every row is a block of
its own it is Welch's analysis of variance (1951), as `scipy.stats.f_oneway(equal_var=False)`.

The covariance is learnt from blocks: what a group's only block strays by is counted as its mean,
so that group would seem known exactly (30 persons, one of them in a group: 71 % accused without a
difference; three: 19 %; five: 13 %). A group of fewer than ten blocks is therefore not tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Blocks

Codes = npt.NDArray[np.int64]
LEAST_BLOCKS = 10  # of every group, for its spread to be known (own)
LEAST_SPREAD = 1e-14  # of the largest value: below, rounding alone could be the spread (own)


def equal_means(values: Floats, codes: Codes, blocks: Blocks | None) -> float | None:
    """p-value of equal means of the groups `codes`; None where it cannot be told.

    `blocks` is None for independent rows. It cannot be told for fewer than two groups, for
    groups without a spread, and where a group has rows in fewer than LEAST_BLOCKS blocks.
    """
    known, place = np.unique(codes, return_inverse=True)
    if known.size < 2 or values.size <= known.size:
        return None
    if np.ptp(values) == 0:
        return 1.0
    if blocks is None:
        return _welch([values[place == group] for group in range(known.size)])
    return _wald(values, place.astype(np.int64), np.unique(blocks, return_inverse=True)[1])


def _welch(parts: Sequence[Floats]) -> float | None:
    largest = max(float(np.abs(part).max(initial=0.0)) for part in parts)
    if min(part.size for part in parts) < 2 or min(float(np.ptp(part)) for part in parts) == 0:
        return None
    # The test does not depend on the scale; squares of what is very large or small are no numbers.
    scaled = [part / largest for part in parts]
    # Rounding leaves a constant a deviation of 1e-17; beside the largest value that is none.
    if min(float(np.std(part, ddof=1)) for part in scaled) < LEAST_SPREAD:
        return None
    found = float(stats.f_oneway(*scaled, equal_var=False).pvalue)
    return found if math.isfinite(found) else None


def _wald(values: Floats, place: Codes, blocks: Blocks) -> float | None:
    groups, count = int(place.max()) + 1, int(blocks.max()) + 1
    present = np.unique(place * count + blocks) // count
    fewest = int(np.bincount(present, minlength=groups).min())
    if count <= groups or fewest < LEAST_BLOCKS:
        return None
    sizes = np.bincount(place, minlength=groups).astype(np.float64)
    means = np.bincount(place, values, minlength=groups) / sizes
    pulls = np.zeros((count, groups))
    np.add.at(pulls, (blocks, place), (values - means[place]) / sizes[place])
    rows = values.size
    correction = fewest / (fewest - 1) * (rows - 1) / (rows - groups)
    covariance = correction * pulls.T @ pulls
    contrast = np.column_stack([-np.ones(groups - 1), np.eye(groups - 1)])
    away, spread = contrast @ means, contrast @ covariance @ contrast.T
    if np.linalg.matrix_rank(spread) < groups - 1:
        return None
    statistic = float(away @ np.linalg.solve(spread, away)) / (groups - 1)
    return float(stats.f.sf(statistic, groups - 1, fewest - 1))
