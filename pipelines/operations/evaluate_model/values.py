"""Judging a regression: errors, bias by size of prediction, an interval, what errors cost."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.evaluate_model.intervals import interval_json, score_intervals
from pipelines.operations.evaluate_model.judgement import Judgement
from pipelines.operations.learning import conformal
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.conformal import Coverage, Margin
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Interval, Resampling, interval, sum_samples
from pipelines.operations.learning.unit_costs import (
    UnitCost,
    parse_unit_cost,
    worth,
    worth_interval,
)
from pipelines.operations.learning.values import bias_bins, pinball_losses

POINTS = 1000  # rows of the plot of predictions against what came out


def judge_values(
    context: Context, candidate: Candidate, holdout: Holdout, resampling: Resampling
) -> Judgement:
    """The judgement of a regression; raises OperationError for a bad cost."""
    given = context.mapping("costs")
    cost = parse_unit_cost({"currency": context.text("currency"), **given} if given else {})
    predicted, truth = holdout.scores, holdout.labels
    measured = score_intervals(candidate.task, holdout, resampling)
    measured["bias"] = _mean(predicted - truth, resampling)
    context.progress(0.7, "intervals drawn", truth.size)
    calibrates = conformal.first_half(truth.size, _moments(candidate, holdout), resampling)
    margin, covered = _interval(context, truth - predicted, calibrates, resampling)
    if margin is not None:
        losses = _pinball(predicted, truth, margin)
        measured["pinball"] = _mean_of(losses, ~calibrates, resampling)
    usual = _usual(candidate, truth)
    money = _value(holdout, usual, cost, resampling)
    if isinstance(money, dict) and cost is not None:
        measured["value_per_1000"] = worth_interval(
            worth(predicted, truth, usual, cost), resampling
        )
    low, high = (margin.low, margin.high) if margin else (math.nan, math.nan)
    return Judgement(
        measured=measured,
        facts={
            **_spread(truth),
            "usual": usual,
            "bias_bins": list[Json](bias_bins(predicted, truth)),
            "prediction_interval": conformal.as_json(margin, covered),
            "value": money,
            "sentences": list[Json](_sentences(candidate, holdout, margin)),
        },
        curves={"points": list[Json](_points(predicted, truth, context.seed))},
        columns=pd.DataFrame(
            {
                "score": predicted,
                "label": truth,
                "low": predicted + low,
                "high": predicted + high,
                "level": margin.level if margin else math.nan,
                "usual": usual,
                "calibrates": calibrates,
            }
        ),
    )


def _mean(values: Floats, resampling: Resampling) -> Interval:
    return _mean_of(values, np.ones(values.size, dtype=bool), resampling)


def _mean_of(values: Floats, counted: np.ndarray, resampling: Resampling) -> Interval:
    """Of the rows that count, one at least; samples that drew none of them say nothing."""
    weights = counted.astype(np.float64)
    sums = sum_samples(np.column_stack([values * weights, weights]), resampling)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = sums[:, 0] / sums[:, 1]
    return interval(float(values[counted].mean()), samples)


def _moments(candidate: Candidate, holdout: Holdout) -> Floats | None:
    """Times as numbers that order the rows; None where one is missing or there are none."""
    if not candidate.time:
        return None
    times = pd.to_datetime(holdout.frame[candidate.time], utc=True)
    if times.isna().any():
        return None
    return times.to_numpy(dtype="datetime64[us]").astype(np.float64)


def _interval(
    context: Context, errors: Floats, calibrates: np.ndarray, resampling: Resampling
) -> tuple[Margin | None, Coverage | None]:
    margin = conformal.margin(errors[calibrates], context.number("alpha"))
    if margin is None or calibrates.all():
        return None, None
    checks = ~calibrates
    blocks = resampling.blocks
    before = (errors[calibrates], blocks[calibrates])
    return margin, conformal.coverage(errors[checks], margin, blocks[checks], before=before)


def _pinball(predicted: Floats, truth: Floats, margin: Margin) -> Floats:
    """Mean loss of both ends of the interval, each as the quantile that it stands for."""
    tail = (1 - margin.level) / 2
    low = pinball_losses(predicted + margin.low, truth, tail)
    return (low + pinball_losses(predicted + margin.high, truth, 1 - tail)) / 2


def _usual(candidate: Candidate, truth: Floats) -> float:
    """The answer without a model: the median of training, else of these rows."""
    known = candidate.about.get("usual")
    median = known.get("median") if isinstance(known, dict) else None
    return float(median) if isinstance(median, int | float) else float(np.median(truth))


def _value(holdout: Holdout, usual: float, cost: UnitCost | None, resampling: Resampling) -> Json:
    if cost is None:
        return None
    found = worth_interval(worth(holdout.scores, holdout.labels, usual, cost), resampling)
    missed = 1000 * cost.amount * float(np.abs(holdout.scores - holdout.labels).mean())
    return {
        "currency": cost.currency,
        "unit_cost": cost.amount,
        "per_1000": interval_json(found),
        "per_1000_over_best_without_model": interval_json(found),
        "errors_cost_per_1000": finite(missed, 6),
        "against": [{"against": f"always answering {usual:g}", "worth": finite(found.value, 6)}],
    }


def _spread(truth: Floats) -> dict[str, Json]:
    low, quarter, middle, three, high = np.quantile(truth, [0, 0.25, 0.5, 0.75, 1])
    return {
        "truth": {
            "mean": float(truth.mean()),
            "deviation": finite(float(truth.std(ddof=1)), 6) if truth.size > 1 else None,
            "quantiles": [float(low), float(quarter), float(middle), float(three), float(high)],
        }
    }


def _sentences(candidate: Candidate, holdout: Holdout, margin: Margin | None) -> list[str]:
    errors = np.abs(holdout.scores - holdout.labels)
    middle, most = np.quantile(errors, [0.5, 0.9])
    off = f"50 are off by at most {middle:.4g}, 90 by at most {most:.4g}"
    found = [f"Of 100 predictions of {candidate.target}, {off}."]
    if margin is not None:
        found.append(
            f"The interval from {margin.low:+.4g} to {margin.high:+.4g} around a prediction is"
            f" meant to hold {margin.level:.0%} of the outcomes."
        )
    return found


def _points(predicted: Floats, truth: Floats, seed: int) -> list[dict[str, Json]]:
    """A sample of rows for a plot."""
    picked = np.arange(truth.size)
    if truth.size > POINTS:
        picked = np.sort(np.random.default_rng(seed).choice(truth.size, POINTS, replace=False))
    return [
        {"prediction": float(p), "truth": float(t)}
        for p, t in zip(predicted[picked], truth[picked], strict=True)
    ]
