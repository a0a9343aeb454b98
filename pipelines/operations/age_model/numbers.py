"""The staleness curve of predicted numbers: error by age of what was learned.

Skill is by how much less a model errs than the same answer for every row of the scored period
(its median for the mean absolute error, its mean for squared errors), or than a column such as
the last season where one is named. Both know the period, so skill is understated, not made up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.operations.age_model.curve import Scored
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.learning.values import value_samples, value_scores

LEAST_ROWS = 20  # of every window and scored period (own)


def score_ages(
    predicted: Sequence[Floats],
    truth: Floats,
    metric: str,
    resampling: Resampling,
    *,
    naive: Floats | None = None,
) -> Scored:
    """One scored period; `predicted` are those of the models by age."""
    values = np.asarray([value_scores(one, truth)[metric] for one in predicted])
    samples = np.column_stack([value_samples(one, truth, resampling)[metric] for one in predicted])
    return Scored(values, samples, no_skill(truth, metric, naive))


def no_skill(truth: Floats, metric: str, naive: Floats | None) -> float:
    """What the answer without a model scores; rows where the column is missing do not count."""
    if naive is not None and np.isfinite(naive).any():
        known = np.isfinite(naive)
        return value_scores(naive[known], truth[known])[metric]
    same = float(np.median(truth)) if metric == "mae" else float(truth.mean())
    return value_scores(np.full(truth.size, same), truth)[metric]
