"""The staleness curve of predicted numbers: error by age of what was learned.

Skill is by how much less a model errs than the same answer for every row of the scored period
(its median for the mean absolute error, its mean for squared errors), or than a column such as
the last season where one is named. The one answer knows the scored period, so skill beside it is
understated. A column is compared on the rows that have it, models and all; a period in which
fewer than LEAST_ROWS have it is scored beside the one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

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
    known = _known(naive)
    if naive is not None and known is not None:
        naive, truth = naive[known], truth[known]
        predicted = [one[known] for one in predicted]
        blocks = np.unique(resampling.blocks[known], return_inverse=True)[1]
        resampling = replace(resampling, blocks=blocks.astype(np.int64))
    else:
        naive = None
    values = np.asarray([value_scores(one, truth)[metric] for one in predicted])
    samples = np.column_stack([value_samples(one, truth, resampling)[metric] for one in predicted])
    return Scored(values, samples, no_skill(truth, metric, naive))


def _known(naive: Floats | None) -> npt.NDArray[np.bool_] | None:
    if naive is None or np.isfinite(naive).sum() < LEAST_ROWS:
        return None
    return np.isfinite(naive)


def no_skill(truth: Floats, metric: str, naive: Floats | None) -> float:
    """What the answer without a model scores: the column, else one answer for all rows."""
    if naive is not None:
        return value_scores(naive, truth)[metric]
    same = float(np.median(truth)) if metric == "mae" else float(truth.mean())
    return value_scores(np.full(truth.size, same), truth)[metric]
