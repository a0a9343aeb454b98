"""Judging a regression: errors, bias by size of prediction, an interval, what errors cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.evaluate_model.intervals import interval_json, score_intervals
from pipelines.operations.evaluate_model.judgement import Judgement
from pipelines.operations.evaluate_model.margins import (
    Margins,
    margin_by,
    margins_json,
    one_margin,
)
from pipelines.operations.learning import conformal
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Interval, Resampling, interval, sum_samples
from pipelines.operations.learning.unit_costs import (
    UnitCost,
    parse_unit_cost,
    without_model,
    worth,
    worth_interval,
)
from pipelines.operations.learning.values import bias_bins, pinball_losses
from pipelines.operations.tables import as_numbers

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
    errors, by = truth - predicted, context.text("interval_by")
    made = _margins(context, holdout, errors, calibrates, resampling)
    sharp = ~calibrates & made.promised
    if sharp.any():
        measured["pinball"] = _mean_of(_pinball(errors, made), sharp, resampling)
    usual, named = _usual(context, candidate, holdout)
    money = _value(holdout, (usual, named), cost, resampling)
    if isinstance(money, dict) and cost is not None:
        measured["value_per_1000"] = worth_interval(
            worth(predicted, truth, usual, cost), resampling
        )
    found = margins_json(made, errors, calibrates, blocks=resampling.blocks, by=by)
    return Judgement(
        measured=measured,
        facts={
            **_spread(truth),
            "usual": float(usual[0]) if not named else None,
            "usual_column": named,
            "bias_bins": list[Json](bias_bins(predicted, truth)),
            "prediction_interval": found,
            "value": money,
            "sentences": list[Json](_sentences(candidate, holdout, made)),
        },
        curves={"points": list[Json](_points(predicted, truth, context.seed))},
        columns=pd.DataFrame(
            {
                "score": predicted,
                "label": truth,
                "low": predicted + made.low,
                "high": predicted + made.high,
                "level": np.where(made.promised, 1 - made.alpha, np.nan),
                "usual": usual,
                "calibrates": calibrates,
                **({"interval_by": by, "step": _steps(holdout, by)} if by else {}),
                **({"usual_column": named} if named else {}),
            }
        ),
    )


def _margins(
    context: Context,
    holdout: Holdout,
    errors: Floats,
    calibrates: np.ndarray,
    resampling: Resampling,
) -> Margins:
    alpha, by = context.number("alpha"), context.text("interval_by")
    if by:
        return margin_by(
            _steps(holdout, by), errors, calibrates, blocks=resampling.blocks, alpha=alpha
        )
    return one_margin(errors, calibrates, resampling.blocks, alpha)


def _steps(holdout: Holdout, by: str) -> Floats:
    steps: Floats = as_numbers(holdout.frame[by])
    return steps


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


def _pinball(errors: Floats, made: Margins) -> Floats:
    """Mean loss of both ends of the interval, each as the quantile that it stands for."""
    tail = made.alpha / 2
    low = pinball_losses(made.low, errors, tail)
    found: Floats = (low + pinball_losses(made.high, errors, 1 - tail)) / 2
    return np.where(made.promised, found, 0.0)


def _usual(context: Context, candidate: Candidate, holdout: Holdout) -> tuple[Floats, str]:
    """The answer without a model, row by row, and the column it comes from.

    A column where one is named (the last season); else, and where it is missing, the median of
    training, else of these rows.
    """
    known = candidate.about.get("usual")
    median = known.get("median") if isinstance(known, dict) else None
    same = float(median) if isinstance(median, int | float) else float(np.median(holdout.labels))
    name = context.text("usual_column")
    if not name:
        return np.full(holdout.labels.size, same), ""
    column = as_numbers(holdout.frame[name])
    return np.where(np.isfinite(column), column, same), name


def _value(
    holdout: Holdout, beside: tuple[Floats, str], cost: UnitCost | None, resampling: Resampling
) -> Json:
    usual, named = beside
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
        "against": [{"against": without_model(named, usual), "worth": finite(found.value, 6)}],
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


def _sentences(candidate: Candidate, holdout: Holdout, made: Margins) -> list[str]:
    errors = np.abs(holdout.scores - holdout.labels)
    middle, most = np.quantile(errors, [0.5, 0.9])
    off = f"50 are off by at most {middle:.4g}, 90 by at most {most:.4g}"
    found = [f"Of 100 predictions of {candidate.target}, {off}."]
    if made.one is not None:
        margin = made.one[0]
        found.append(
            f"The interval from {margin.low:+.4g} to {margin.high:+.4g} around a prediction is"
            f" meant to hold {margin.level:.0%} of the outcomes."
        )
    if made.steps:
        first, last = (made.steps[step][0] for step in (min(made.steps), max(made.steps)))
        found.append(
            f"Each step ahead has an interval of its own, {first.width:.4g} wide at step "
            f"{min(made.steps):g} and {last.width:.4g} at step {max(made.steps):g}, meant to hold "
            f"{first.level:.0%} of the outcomes."
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
