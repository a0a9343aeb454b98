"""Compute of `age_model`: the staleness curve (Model4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.age_model import numbers
from pipelines.operations.age_model.curve import Curve, Scored, combine, score_ages
from pipelines.operations.age_model.periods import Calendar, Index, calendar
from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.candidates import Candidate, open_candidate
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.families import encode
from pipelines.operations.learning.folds import Fold
from pipelines.operations.learning.frames import read_training
from pipelines.operations.learning.metrics import Floats, metric_name
from pipelines.operations.learning.resampling import Interval, by_day_or_row, by_reach
from pipelines.operations.learning.tasks import TASKS, need_metric
from pipelines.operations.learning.training import Training, fit
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import as_numbers, write_document

LEAST_PER_CLASS = 10  # rows of each class in every window and scored period (own)


@dataclass(frozen=True)
class Rows:
    """All labelled rows of training and holdout, encoded, with their times."""

    training: Training
    truth: np.ndarray  # 1 for the positive class, the place of one of several, or the number
    time: pd.Series
    origin: pd.Series | None = None  # when a forecast was made
    naive: Floats | None = None  # of numbers: the answer without a model, where a column has it

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for numbers."""
        return len(self.training.features.classes)

    @property
    def numbers(self) -> bool:
        """Whether the answer is a number."""
        return self.training.features.task == "regression"


def run(context: Context) -> Outcome:
    """Draw the curve, or say why there is none; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    reason = _why_not(candidate)
    if reason or candidate.features is None:
        return _none(context, reason)
    metric = need_metric(candidate.task, context.text("metric"))
    rows = _open(context, candidate.features)
    ages, tests = context.whole("ages"), context.whole("tests")
    length = context.whole("window")
    known = calendar(rows.time, window=length, ages=ages, tests=tests, asked=rows.origin)
    if known is None:
        return _none(context, "all rows are of one moment")
    windows = {end: known.training(end) for end in known.ends}
    scored = {period: known.scoring(period) for period in known.scored}
    thin = [what for what in (*windows.values(), *scored.values()) if not _usable(rows, what)]
    if thin:
        return _none(
            context,
            f"{len(thin)} of {len(windows) + len(scored)} periods of {known.days:.1f} days hold "
            + (
                f"fewer than {numbers.LEAST_ROWS} rows"
                if rows.numbers
                else f"fewer than {LEAST_PER_CLASS} rows of a class"
            ),
        )
    models = _models(context, candidate, rows, windows)
    periods = [_score(context, rows, known, period, models) for period in known.scored]
    return _outcome(context, known, combine(periods, metric), windows)


def _why_not(candidate: Candidate) -> str:
    if candidate.brought or candidate.features is None:
        return "the model was trained elsewhere: it cannot be trained again on older windows"
    if not candidate.time:
        return "no time column is known"
    return ""


def _none(context: Context, reason: str) -> Outcome:
    facts: dict[str, Json] = {"aged": False, "not_aged": reason}
    document: dict[str, Json] = {"format": "baton/ageing/1", "facts": facts}
    return Outcome({"ageing": write_document(context.output("ageing"), document)}, facts)


def _open(context: Context, features: FeatureSet) -> Rows:
    parts = [
        read_training(context.inputs[port], features, field=port) for port in ("train", "holdout")
    ]
    frame = pd.concat(parts, ignore_index=True)
    columns, matrix = encode(features, frame, field="train and holdout")
    truth = TASKS[features.task].truth(frame[features.target], features.classes)
    context.progress(0.1, "encoded", len(frame))
    # rows of the holdout were not sampled: each stands for itself
    weights = frame[WEIGHT].fillna(1.0).to_numpy(dtype=np.float64) if WEIGHT in frame else None
    training = Training(features, columns, matrix, truth, [], context.seed, weights)
    origin = frame[features.origin] if features.origin else None
    return Rows(training, truth, frame[features.time], origin, _naive(context, frame))


def _naive(context: Context, frame: pd.DataFrame) -> Floats | None:
    name = context.text("naive_column")
    return as_numbers(frame[name]) if name and name in frame else None


def _usable(rows: Rows, picked: Index) -> bool:
    if rows.numbers:
        return picked.size >= numbers.LEAST_ROWS
    counts = np.bincount(rows.truth[picked], minlength=rows.classes)
    return int(counts.min()) >= LEAST_PER_CLASS


def _models(
    context: Context, candidate: Candidate, rows: Rows, windows: dict[int, Index]
) -> dict[int, BaseEstimator]:
    """One model per window, all on equally many rows: age alone is to differ."""
    settings = candidate.about.get("settings")
    limit = min(context.whole("fit_rows"), *(picked.size for picked in windows.values()))
    found = {}
    for number, (end, picked) in enumerate(windows.items(), start=1):
        drawn = _with_every_class(rows, picked, _drawn(picked, limit, [context.seed, end]))
        fold = Fold(drawn, drawn[:0])
        chosen = settings if isinstance(settings, dict) else {}
        found[end] = fit(rows.training, candidate.family, chosen, fold).model
        context.progress(0.1 + 0.7 * number / len(windows), f"window {number} of {len(windows)}")
    return found


def _drawn(picked: Index, limit: int, seed: Sequence[int]) -> Index:
    if picked.size <= limit:
        return picked
    return np.sort(np.random.default_rng(list(seed)).choice(picked, limit, replace=False))


def _stand_ins(rows: Rows, picked: Index, limit: int, seed: Sequence[int]) -> Index:
    """Rows to score on: of a sampled table, each as often as the rows that it stands for."""
    weights = rows.training.weights
    if weights is None or np.ptp(weights[picked]) == 0:
        return _drawn(picked, limit, seed)
    share = weights[picked] / weights[picked].sum()
    size = min(limit, picked.size)
    return np.sort(np.random.default_rng(list(seed)).choice(picked, size, p=share))


def _with_every_class(rows: Rows, picked: Index, drawn: Index) -> Index:
    """Rows drawn of a window; with several classes one that none was drawn of keeps its first."""
    lost = np.setdiff1d(rows.truth[picked], rows.truth[drawn]) if rows.classes > 2 else ()
    if not len(lost):
        return drawn
    kept = [picked[rows.truth[picked] == code][:LEAST_PER_CLASS] for code in lost]
    return np.sort(np.concatenate([drawn, *kept]))


def _score(
    context: Context,
    rows: Rows,
    known: Calendar,
    period: int,
    models: dict[int, BaseEstimator],
) -> Scored:
    """One scored period by models of every age, on the same rows and bootstrap samples."""
    limit = context.whole("test_rows")
    picked = _stand_ins(rows, known.scoring(period), limit, [context.seed, period, 1])
    matrix, truth = rows.training.matrix[picked], rows.truth[picked]
    times = rows.time.iloc[picked].reset_index(drop=True)
    origin = None if rows.origin is None else rows.origin.iloc[picked].reset_index(drop=True)
    draws = {"samples": context.whole("samples"), "seed": context.seed}
    tied = None if origin is None else by_reach(times, origin, **draws)
    resampling = tied or by_day_or_row(picked.size, times, **draws)
    aged = [models[period - 1 - age] for age in range(known.ages + 1)]
    scores = [rows.training.task.predict(model, matrix) for model in aged]
    metric = metric_name(context.text("metric"))
    if not rows.numbers:
        return score_ages(scores, truth, metric, resampling)
    naive = None if rows.naive is None else rows.naive[picked]
    return numbers.score_ages(scores, truth, metric, resampling, naive=naive)


def _outcome(context: Context, known: Calendar, curve: Curve, windows: dict[int, Index]) -> Outcome:
    rows: list[Json] = [
        {
            "age": age,
            "age_days": round(age * known.days, 2),
            **_bounds(value, "value"),
            **_bounds(loss, "loss"),
            "skill": finite(float(curve.skill[age]), 6),
        }
        for age, (value, loss) in enumerate(zip(curve.values, curve.losses, strict=True))
    ]
    life = curve.half_life
    days = Interval(life.value * known.days, life.low * known.days, life.high * known.days)
    facts: dict[str, Json] = {
        "aged": True,
        "metric": metric_name(context.text("metric")),
        "period_days": round(known.days, 2),
        "window_days": round(known.window * known.days, 2),
        "oldest_days": round(known.ages * known.days, 2),
        "tests": known.tests,
        "windows": len(windows),
        "fit_rows": min(context.whole("fit_rows"), *(p.size for p in windows.values())),
        "curve": rows,
        "loss_at_end": _plain(curve.losses[-1], 6),
        "decays": curve.decays,
        "half_life": _plain(days, 1),
        "half_life_days": finite(days.value, 1) if curve.decays else None,
    }
    document: dict[str, Json] = {"format": "baton/ageing/1", "facts": facts}
    return Outcome({"ageing": write_document(context.output("ageing"), document)}, facts)


def _bounds(found: Interval, name: str) -> dict[str, Json]:
    return {
        name: finite(found.value, 6),
        f"{name}_low": finite(found.low, 6),
        f"{name}_high": finite(found.high, 6),
    }


def _plain(found: Interval, digits: int) -> dict[str, Json]:
    return {
        "value": finite(found.value, digits),
        "low": finite(found.low, digits),
        "high": finite(found.high, digits),
    }
