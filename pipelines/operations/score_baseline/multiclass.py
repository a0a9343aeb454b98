"""Baselines of several classes: their shares, and their shares in the bins of one column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.class_scores import (
    all_samples,
    all_scores,
    class_areas,
    mean_of_known,
)
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import by_day_or_row
from pipelines.operations.learning.several import as_codes, several_classes
from pipelines.operations.signals import FOLDS, SMOOTHING, Binner, make_folds
from pipelines.operations.tables import write_document

SHOWN = ("roc_auc", "pr_auc", "log_loss", "brier", "macro_f1")


def baselines_of_several(
    context: Context, train: pd.DataFrame, holdout: pd.DataFrame, names: Sequence[str]
) -> Outcome:
    """Score both; raises OperationError for classes that will not do."""
    target = context.text("target")
    classes = several_classes(train[target])
    truth, judged = as_codes(train[target], classes), as_codes(holdout[target], classes)
    context.progress(0.1, "choosing the column", len(train))
    column, score = _best(context, train, truth, names)
    shares = np.bincount(truth, minlength=len(classes)) / truth.size
    answers = {
        "constant": np.tile(shares, (judged.size, 1)),
        "one_column": class_rule(train[column], truth, holdout[column], len(classes)),
    }
    drawn = by_day_or_row(judged.size, None, samples=context.whole("resamples"), seed=context.seed)
    values = {name: all_scores(given, judged) for name, given in answers.items()}
    samples = {name: all_samples(given, judged, drawn) for name, given in answers.items()}
    gains = samples["one_column"]["roc_auc"] - samples["constant"]["roc_auc"]
    facts: dict[str, Json] = {
        "target": target,
        "task": "multiclass",
        "primary": "roc_auc",
        "classes": [str(value) for value in classes],
        "holdout_rows": int(judged.size),
        "holdout_rate": finite(float(np.bincount(judged).max() / judged.size), 6),
        "constant_answer": str(classes[int(shares.argmax())]),
        "column": column,
        "column_score": finite(score, 6),
        "baselines": {
            name: {metric: _bounds(values[name][metric], samples[name][metric]) for metric in SHOWN}
            for name in answers
        },
        "gain": {
            "metric": "roc_auc",
            **_bounds(values["one_column"]["roc_auc"] - values["constant"]["roc_auc"], gains),
        },
    }
    path = write_document(context.output("baseline"), facts)
    context.progress(1.0, "baselines scored", len(holdout))
    return Outcome(outputs={"baseline": path}, facts=facts)


def _best(
    context: Context, train: pd.DataFrame, truth: Labels, names: Sequence[str]
) -> tuple[str, float]:
    """The column whose bins rank the classes best on the rows of other folds (mean ROC AUC)."""
    picked = np.arange(len(train))
    if len(train) > context.whole("max_rows"):
        draw = np.random.default_rng(context.seed)
        picked = np.sort(draw.choice(len(train), context.whole("max_rows"), replace=False))
    rows, codes = train.iloc[picked], truth[picked]
    folds, count = make_folds(len(rows), context.seed), int(truth.max()) + 1
    found = []
    for name in names:
        scores = np.empty((len(rows), count))
        for fold in range(FOLDS):
            inside, rest = folds == fold, folds != fold
            scores[inside] = class_rule(rows[name][rest], codes[rest], rows[name][inside], count)
        areas = class_areas(scores, codes, np.ones((1, len(rows))))[0]
        found.append((float(mean_of_known(areas)[0]), name))
    score, column = max(found)
    return column, score


def class_rule(column: pd.Series, truth: Labels, judged: pd.Series, classes: int) -> Floats:
    """Shares of classes in the bin a row falls in, pulled to the overall shares in rare bins."""
    binner = Binner(column)
    codes, overall = binner.codes(column), np.bincount(truth, minlength=classes) / truth.size
    counts = np.bincount(codes * classes + truth, minlength=binner.size * classes)
    table = counts.reshape(binner.size, classes) + SMOOTHING * overall
    found: Floats = (table / table.sum(axis=1, keepdims=True))[binner.codes(judged)]
    return found


def _bounds(value: float, samples: Floats) -> dict[str, Json]:
    known = samples[np.isfinite(samples)]
    low, high = np.quantile(known, [0.025, 0.975]) if known.size else (np.nan, np.nan)
    return {
        "value": finite(value, 6),
        "low": finite(float(low), 6),
        "high": finite(float(high), 6),
    }
