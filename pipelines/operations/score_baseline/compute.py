"""A constant answer and the best one-column rule, scored on the holdout."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning.metrics import EPS
from pipelines.operations.score_baseline.multiclass import baselines_of_several
from pipelines.operations.signals import (
    SMOOTHING,
    Binner,
    as_target,
    auc,
    average_precision,
    make_folds,
    several,
    signal,
)
from pipelines.operations.tables import (
    column_type,
    need_target,
    read_document,
    read_table,
    write_document,
)

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]  # truth, scores, weights


def run(context: Context) -> Outcome:
    """Score both; raises OperationError when the target has one value only in a part."""
    train, holdout = read_table(context.inputs["train"]), read_table(context.inputs["holdout"])
    target = context.text("target")
    train = train[need_target(train, target).notna()]
    holdout = holdout[need_target(holdout, target).notna()]
    names = _allowed(context, train, holdout)
    if several(train[target], task=context.text("task")):
        return baselines_of_several(context, train, holdout, names)
    truth, binary = as_target(train[target])
    judged = _same_target(train[target], holdout[target], binary=binary)
    context.progress(0.1, "choosing the column", len(train))
    column, score = _best_column(context, train, names)
    constant = float(truth.mean()) if binary else float(np.median(truth))
    context.progress(0.5, f"scoring the rule on {column}", len(holdout))
    rule = one_rule(train[column], truth, holdout[column])
    answers = {"constant": np.full(len(judged), constant), "one_column": rule}
    metrics = CLASS_METRICS if binary else VALUE_METRICS
    scored = {name: interval(metrics, judged, given, context) for name, given in answers.items()}
    facts: dict[str, Json] = {
        "target": target,
        "task": "classification" if binary else "regression",
        "primary": "pr_auc" if binary else "mae",
        "holdout_rows": len(judged),
        "holdout_rate": finite(float(judged.mean()), 6),
        "constant_answer": finite(constant, 6),
        "column": column,
        "column_score": finite(score, 6),
        "baselines": {name: dict(found) for name, found in scored.items()},
        "gain": _gain(metrics, judged, answers, context),
    }
    path = write_document(context.output("baseline"), facts)
    context.progress(1.0, "baselines scored", len(holdout))
    return Outcome(outputs={"baseline": path}, facts=facts)


def _allowed(context: Context, train: pd.DataFrame, holdout: pd.DataFrame) -> list[str]:
    """Columns a rule may use: in both parts, known in time, not the target, no times."""
    out = {context.text("target"), *context.names("exclude")}
    if "contract" in context.inputs:
        columns = read_document(context.inputs["contract"]).get("columns")
        for entry in columns if isinstance(columns, list) else []:
            if isinstance(entry, dict) and entry.get("available") == "after":
                out.add(str(entry["name"]))
    names = [
        str(name)
        for name in train.columns
        if name not in out and name in holdout.columns and column_type(train[name]) != "time"
    ]
    if not names:
        raise OperationError(
            "no_columns",
            "no column is left for a one-column rule",
            field="exclude",
            value=len(out),
            rule="one column is left",
        )
    return names


def _same_target(train: pd.Series, holdout: pd.Series, *, binary: bool) -> np.ndarray:
    """The holdout's target coded as the training part's."""
    if not binary:
        return as_target(holdout)[0]
    coded, _ = as_target(train)
    positive = train.to_numpy()[coded == 1][0]
    judged: np.ndarray = (holdout == positive).to_numpy(dtype="float64")
    return judged


def _best_column(context: Context, train: pd.DataFrame, names: list[str]) -> tuple[str, float]:
    if len(train) > context.whole("max_rows"):
        draw = np.random.default_rng(context.seed)
        keep = draw.choice(len(train), context.whole("max_rows"), replace=False)
        train = train.iloc[np.sort(keep)]
    truth, binary = as_target(train[context.text("target")])
    folds = make_folds(len(train), context.seed)
    found = [signal(train[name], truth, binary=binary, folds=folds) for name in names]
    best = max(found, key=lambda item: (item.score, item.column))
    return best.column, best.score


def one_rule(column: pd.Series, truth: np.ndarray, judged: pd.Series) -> np.ndarray:
    """Mean target of the bin a row falls in, pulled to the overall mean for rare bins."""
    binner = Binner(column)
    codes = binner.codes(column)
    counts = np.bincount(codes, minlength=binner.size)
    sums = np.bincount(codes, truth, minlength=binner.size)
    means = (sums + SMOOTHING * truth.mean()) / (counts + SMOOTHING)
    answers: np.ndarray = means[binner.codes(judged)]
    return answers


def _log_loss(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    safe = np.clip(scores, EPS, 1 - EPS)
    losses = -(truth * np.log(safe) + (1 - truth) * np.log(1 - safe))
    return float(np.average(losses, weights=weights))


def _brier(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average((truth - scores) ** 2, weights=weights))


def _mae(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(np.abs(truth - scores), weights=weights))


def _rmse(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt(np.average((truth - scores) ** 2, weights=weights)))


CLASS_METRICS: dict[str, Metric] = {
    "roc_auc": auc,
    "pr_auc": average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
}
VALUE_METRICS: dict[str, Metric] = {"mae": _mae, "rmse": _rmse}


def resamples(rows: int, context: Context) -> Iterator[np.ndarray]:
    """Bootstrap weights, one array per resample, the same for every metric and answer."""
    draw = np.random.default_rng(context.seed)
    for _ in range(context.whole("resamples")):
        yield np.bincount(draw.integers(0, rows, rows), minlength=rows).astype("float64")


def interval(
    metrics: Mapping[str, Metric], truth: np.ndarray, scores: np.ndarray, context: Context
) -> dict[str, Json]:
    """Each metric with its 95 % percentile bootstrap interval."""
    order = np.argsort(scores, kind="stable")  # sorted once: later sorts are nearly free
    truth, scores = truth[order], scores[order]
    drawn: dict[str, list[float]] = {name: [] for name in metrics}
    for weights in resamples(len(truth), context):
        for name, metric in metrics.items():
            drawn[name].append(metric(truth, scores, weights))
    found: dict[str, Json] = {}
    for name, metric in metrics.items():
        low, high = np.nanquantile(drawn[name], [0.025, 0.975])
        value = metric(truth, scores, np.ones(len(truth)))
        found[name] = {
            "value": finite(value, 6),
            "low": finite(float(low), 6),
            "high": finite(float(high), 6),
        }
    return found


def _gain(
    metrics: Mapping[str, Metric],
    truth: np.ndarray,
    answers: Mapping[str, np.ndarray],
    context: Context,
) -> dict[str, Json]:
    """Paired difference of the rule over the constant in the first metric."""
    name, metric = next(iter(metrics.items()))
    drawn = [
        metric(truth, answers["one_column"], weights) - metric(truth, answers["constant"], weights)
        for weights in resamples(len(truth), context)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    ones = np.ones(len(truth))
    value = metric(truth, answers["one_column"], ones) - metric(truth, answers["constant"], ones)
    return {
        "metric": name,
        "value": finite(value, 6),
        "low": finite(float(low), 6),
        "high": finite(float(high), 6),
    }
