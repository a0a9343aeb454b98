"""Compute of `evaluate_forecast`: MASE, sMAPE, pinball and bias by horizon.

MASE (Hyndman and Koehler 2006): absolute error over the mean absolute error of the seasonal naive
forecast one step ahead on the training part, of the row's own series. sMAPE as in the M4 contest:
200 |error| / (|outcome| + |forecast|), 0 where both are 0. Rows are drawn in blocks of time as
long as the longest forecast, a day at least; without a known origin by day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning import conformal
from pipelines.operations.learning.candidates import (
    Candidate,
    Holdout,
    open_candidate,
    open_holdout,
)
from pipelines.operations.learning.frames import read_columns
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import (
    Resampling,
    by_group_day_or_row,
    interval,
    sum_samples,
)
from pipelines.operations.learning.values import pinball_losses
from pipelines.operations.tables import write_document

MINIMUM_ROWS = 10  # forecasts at a horizon below which nothing is said of it (own)


def run(context: Context) -> Outcome:
    """Judge every horizon; raises OperationError for columns that do not suit."""
    candidate = open_candidate(context.inputs["candidate"], context)
    horizon, naive = context.text("horizon_column"), context.text("naive_column")
    groups = list(dict.fromkeys(context.names("groups")))
    extra = [horizon, naive, *groups, *filter(None, [candidate.origin])]
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=extra)
    scales = _scales(context, candidate, groups)
    context.progress(0.3, "scored", len(holdout.labels))
    drawn = by_group_day_or_row(
        holdout.frame,
        group="",
        time=candidate.time,
        origin=candidate.origin,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    scale = _scale_of(holdout.frame, scales, groups)
    columns = _columns(context, holdout, scale, _moments(candidate, holdout))
    steps = holdout.frame[horizon].to_numpy(dtype=np.float64)
    rows = [
        _judged(step, columns, steps == step, drawn)
        for step in np.unique(steps)
        if int((steps == step).sum()) >= MINIMUM_ROWS
    ]
    whole = _judged(0, columns, np.ones(steps.size, dtype=bool), drawn)
    facts: dict[str, Json] = {
        "rows": int(steps.size),
        "horizons": list[Json](rows),
        "overall": {**whole, "horizon": None},
        "groups": [{"group": name, "scale": finite(value, 6)} for name, value in scales.items()],
        "beaten_at": [row["horizon"] for row in rows if not row["beats_naive"]],
        "resampled_by": drawn.unit,
        "block_days": drawn.days,
        "wanted_days": drawn.wanted_days,
        "too_few": _too_few(steps),
        "minimum_rows": MINIMUM_ROWS,
    }
    path = write_document(context.output("forecast"), {"format": "baton/forecast/1", **facts})
    context.progress(1.0, f"{len(rows)} horizons", len(holdout.labels))
    return Outcome({"forecast": path}, facts)


def _too_few(steps: Floats) -> list[Json]:
    """Horizons of which nothing is said, with how many forecasts there are."""
    known, counts = np.unique(steps, return_counts=True)
    return [
        {"horizon": int(step), "rows": int(count)}
        for step, count in zip(known, counts, strict=True)
        if count < MINIMUM_ROWS
    ]


def _scales(context: Context, candidate: Candidate, groups: list[str]) -> dict[str, float]:
    """Mean absolute error of repeating the last season, one step ahead, for each series."""
    horizon, naive = context.text("horizon_column"), context.text("naive_column")
    wanted = [candidate.target, horizon, naive, *groups]
    train = read_columns(context.inputs["train"], wanted, field="train")
    first = train[train[horizon] == train[horizon].min()]
    errors = (first[candidate.target] - first[naive]).abs()
    found = errors.groupby(_names(first, groups)).mean()
    for name, value in found.items():
        if not value > 0:
            raise OperationError(
                "no_scale", f"{name or 'the series'} repeats its season exactly in training",
                field="naive_column", value=str(name), rule="its error is above 0",
            )  # fmt: skip
    return {str(name): float(value) for name, value in found.items()}


def _names(frame: pd.DataFrame, groups: list[str]) -> pd.Series:
    if not groups:
        return pd.Series("", index=frame.index)
    return frame[groups].astype(str).agg(", ".join, axis=1)


def _scale_of(frame: pd.DataFrame, scales: dict[str, float], groups: list[str]) -> Floats:
    found = _names(frame, groups).map(scales)
    if found.isna().any():
        name = _names(frame, groups)[found.isna()].iloc[0]
        raise OperationError(
            "series_unknown", f"{name} has forecasts to judge, and none to learn from",
            field="groups", value=str(name), rule="every series is in both parts",
        )  # fmt: skip
    return np.asarray(found, dtype=np.float64)


def _moments(candidate: Candidate, holdout: Holdout) -> Floats:
    """Times as numbers that order the rows; the rows' own order where times are not known."""
    if candidate.time:
        times = pd.to_datetime(holdout.frame[candidate.time], utc=True)
        if times.notna().all():
            return times.to_numpy(dtype="datetime64[us]").astype(np.float64)
    return np.arange(holdout.labels.size, dtype=np.float64)


def _columns(
    context: Context, holdout: Holdout, scale: Floats, moments: Floats
) -> dict[str, Floats]:
    """What is averaged, row by row."""
    truth, given = holdout.labels, holdout.scores
    naive = holdout.frame[context.text("naive_column")].to_numpy(dtype=np.float64)
    errors, others = np.abs(given - truth), np.abs(naive - truth)
    size = np.abs(truth) + np.abs(given)
    return {
        "mae": errors,
        "naive_mae": others,
        "mase": errors / scale,
        "naive_mase": others / scale,
        "smape": 200 * np.divide(errors, size, out=np.zeros_like(errors), where=size > 0),
        "bias": given - truth,
        "gain": others - errors,
        "error": truth - given,
        "alpha": np.full(truth.size, context.number("alpha")),
        "moment": moments,
    }


AVERAGED = ("mae", "naive_mae", "mase", "naive_mase", "smape", "bias", "gain")


def _judged(
    step: float, columns: dict[str, Floats], mine: np.ndarray, drawn: Resampling
) -> dict[str, Json]:
    """Every score at one horizon; `gain` is by how much less it errs than the last season."""
    inside = mine.astype(np.float64)
    table = np.column_stack([*(columns[name] * inside for name in AVERAGED), inside])
    sums = sum_samples(table, drawn)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = sums[:, :-1] / sums[:, -1:]
    row: dict[str, Json] = {"horizon": int(step), "rows": int(mine.sum())}
    for place, name in enumerate(AVERAGED):
        found = interval(float(columns[name][mine].mean()), samples[:, place])
        row[name] = {
            "value": finite(found.value, 6),
            "low": finite(found.low, 6),
            "high": finite(found.high, 6),
        }
    gain = float(columns["gain"][mine].mean())
    return row | {"beats_naive": gain > 0} | _interval(columns, mine, drawn)


def _interval(columns: dict[str, Floats], mine: np.ndarray, drawn: Resampling) -> dict[str, Json]:
    """An interval of this horizon's own: set by earlier forecasts, checked by later ones."""
    errors, blocks = columns["error"][mine], drawn.blocks[mine]
    alpha = float(columns["alpha"][0])
    keys = blocks if drawn.unit in ("day", "block") else columns["moment"][mine]
    first = keys < np.sort(keys)[keys.size // 2]
    margin = conformal.margin(errors[first], alpha)
    if margin is None or first.all():
        return {"interval": None, "pinball": None}
    later = errors[~first]
    before = (errors[first], blocks[first])
    checked = conformal.coverage(later, margin, blocks[~first], before=before)
    ends = [(margin.low, alpha / 2), (margin.high, 1 - alpha / 2)]
    zero = np.zeros(later.size)
    losses = [float(pinball_losses(zero + end, later, at).mean()) for end, at in ends]
    return {
        "interval": conformal.as_json(margin, checked),
        "pinball": finite(float(np.mean(losses)), 6),
    }
