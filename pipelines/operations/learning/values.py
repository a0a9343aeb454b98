"""Scores of predicted numbers against what came out, their samples, and their bias.

`mae` mean absolute error, `rmse` root of the mean squared error (both in the target's unit),
`r2` share of the variance explained (at most 1, below 0 where the mean would do better).
They agree with scikit-learn's functions (tested), but for `r2` of a truth that is one value: there
is nothing to explain, so it is not a number; scikit-learn says 1 or 0, or divides by what rounding
leaves of a spread (a mean of three times 0.1 is not 0.1) and gives -10^31.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json, OperationError, finite
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Resampling, sum_samples

VALUE_SCORES: tuple[str, ...] = ("mae", "rmse", "r2")
MINIMUM_ROWS = 20  # below it no fold says anything about a number (own)
BINS = 10
ROUNDING = 1e-12  # share of the sum of squares: less is what a sample of one value leaves (tool)
Z = 1.959963984540054


def as_values(values: pd.Series) -> Floats:
    """The target as float64; raises OperationError for what is no finite number."""
    name = str(values.name)
    found = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~np.isfinite(found)
    if values.dtype == bool or wrong.any():
        shown = str(values[wrong].iloc[0] if wrong.any() else values.iloc[0])[:80]
        raise OperationError(
            "target_not_a_number",
            f"target {name} holds {shown}",
            field="target", value=shown, rule="is a finite number in every row that has one",
        )  # fmt: skip
    return found


def need_spread(values: pd.Series) -> None:
    """Raise OperationError where there is nothing to learn: few rows, or one value only."""
    name, known = str(values.name), values.dropna()
    if not known.size:
        raise OperationError(
            "target_missing", f"target {name} has no value in any row",
            field="target", value=name, rule="is a number",
        )  # fmt: skip
    found = as_values(known)
    if known.size < MINIMUM_ROWS:
        raise OperationError(
            "too_few_rows", f"target {name} is known in {known.size} rows",
            field="target", value=int(known.size), rule=f"in at least {MINIMUM_ROWS} rows",
        )  # fmt: skip
    if np.ptp(found) == 0:
        raise OperationError(
            "target_constant", f"target {name} is {found[0]:g} in every row",
            field="target", value=float(found[0]), rule="has more than one value",
        )  # fmt: skip


def value_scores(
    predicted: Floats, truth: Floats, weights: Floats | None = None
) -> dict[str, float]:
    """The three scores of one set of rows, weighted or not; r2 of a constant truth is NaN."""
    if not truth.size:
        return dict.fromkeys(VALUE_SCORES, float("nan"))
    errors = predicted - truth
    square = float(np.average(np.square(errors), weights=weights))
    middle = np.average(truth, weights=weights)
    spread = float(np.average(np.square(truth - middle), weights=weights))
    # the mean of three times 0.1 is not 0.1, so the spread alone does not tell a constant
    told = spread > 0 and np.ptp(truth if weights is None else truth[weights > 0]) > 0
    return {
        "mae": float(np.average(np.abs(errors), weights=weights)),
        "rmse": math.sqrt(square),
        "r2": 1 - square / spread if told else float("nan"),
    }


def value_samples(predicted: Floats, truth: Floats, resampling: Resampling) -> dict[str, Floats]:
    """The three scores of every bootstrap sample."""
    errors = predicted - truth
    # around the overall mean, so that the variance does not drown in the square of the level
    centred = truth - truth.mean()
    columns = [np.abs(errors), np.square(errors), centred, np.square(centred), np.ones(truth.size)]
    absolute, squares, first, second, rows = sum_samples(np.column_stack(columns), resampling).T
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = second - np.square(first) / rows
        told = spread > ROUNDING * second
        return {
            "mae": absolute / rows,
            "rmse": np.sqrt(squares / rows),
            "r2": np.where(told, 1 - squares / spread, np.nan),
        }


def pinball_losses(predicted: Floats, truth: Floats, quantile: float) -> Floats:
    """Pinball loss of each row for a predicted quantile (0.5: half the absolute error)."""
    above = truth - predicted
    found: Floats = np.maximum(quantile * above, (quantile - 1) * above)
    return found


def bias_bins(predicted: Floats, truth: Floats) -> list[dict[str, Json]]:
    """Up to ten bins of equally many rows by rising prediction: what came out, and the bias.

    `bias` is mean prediction less mean truth, with a 95 % normal interval of the row errors;
    equal predictions stay together.
    """
    order = np.argsort(predicted, kind="stable")
    ranked, outcome = predicted[order], truth[order]
    cuts = [ranked.size * place // BINS for place in range(1, BINS)]
    starts = sorted({0, *(int(np.searchsorted(ranked, ranked[cut])) for cut in cuts)})
    ends = [*starts[1:], ranked.size]
    return [_bin(ranked[a:b], outcome[a:b]) for a, b in zip(starts, ends, strict=True) if b > a]


def _bin(predicted: Floats, truth: Floats) -> dict[str, Json]:
    errors = predicted - truth
    spread = float(errors.std(ddof=1)) / math.sqrt(errors.size) if errors.size > 1 else math.nan
    bias = float(errors.mean())
    return {
        "rows": int(errors.size),
        "from": float(predicted[0]),
        "to": float(predicted[-1]),
        "mean_prediction": float(predicted.mean()),
        "mean_truth": float(truth.mean()),
        "bias": bias,
        "low": finite(bias - Z * spread, 6),
        "high": finite(bias + Z * spread, 6),
        "mae": float(np.abs(errors).mean()),
    }
