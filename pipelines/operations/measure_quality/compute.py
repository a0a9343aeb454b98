"""Quality on late labels against the evaluation, with the lag they came in with."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning.labels import Labels
from pipelines.operations.learning.metrics import (
    HIGHER_IS_BETTER,
    SCORES,
    Floats,
    all_scores,
    brier_losses,
    log_losses,
    metric_name,
)
from pipelines.operations.learning.resampling import (
    Resampling,
    area_samples,
    by_day_or_row,
    sum_samples,
)
from pipelines.operations.learning.thresholds import Costs, parse_costs, worth
from pipelines.operations.tables import read_table, write_document

HOUR = 3600.0


@dataclass(frozen=True)
class Scored:
    """Rows with score, outcome and a resampling of their days."""

    scores: Floats
    labels: Labels
    drawn: Resampling


def run(context: Context) -> Outcome:
    """Metric, interval, control limit, worth; `enough` is False below the minimum of labels."""
    metric = _metric(context)
    window = read_table(context.inputs["window"])
    window = window[window[windows.SERVED_BY] == windows.MODEL]
    known = window[window[windows.ACTUAL].notna() & window[windows.SCORE].notna()]
    facts: dict[str, Json] = {
        "rows": len(window),
        "labelled": len(known),
        "label_share": finite(len(known) / len(window), 6) if len(window) else None,
        "minimum": context.whole("minimum"),
        "metric": metric,
        "enough": False,
        "alerts": 0,
        "alert_list": [],
        **_lags(known),
    }
    labels = _labels(known, context.text("positive"))
    if len(known) >= context.whole("minimum") and np.unique(labels).size == 2:
        facts |= _measured(context, metric, known, labels)
    report = write_document(context.output("report"), facts)
    context.progress(1.0, "measured", len(known))
    return Outcome({"report": report}, facts)


def _metric(context: Context) -> str:
    metric = metric_name(context.text("metric"))
    if metric not in SCORES:
        raise OperationError(
            "unknown_metric", f"there is no metric {context.text('metric')!r}",
            field="metric", value=context.text("metric"), rule=f"is one of {', '.join(SCORES)}",
        )  # fmt: skip
    return metric


def _labels(known: pd.DataFrame, positive: str) -> Labels:
    actual = _classes(known[windows.ACTUAL])
    found: Labels = np.asarray(actual == _positive(actual, positive), dtype=np.int64)
    return found


def _classes(values: pd.Series) -> pd.Series:
    """Classes as text, told apart as people mean them."""
    return values.astype(str).map(windows.class_of)


def _positive(actual: pd.Series, positive: str) -> str:
    return windows.class_of(windows.text_of(positive)) if positive else str(max(actual, default=""))


def _lags(known: pd.DataFrame) -> dict[str, Json]:
    """Hours from the event, or from the answer where that came later, to the report."""
    # Replayed traffic is answered long after its events: then only the wait since counts.
    began = known[[windows.EVENT_TIME, windows.AT]].max(axis=1)
    lag = (known[windows.RECEIVED_AT] - began).dropna()
    hours = lag.dt.total_seconds().to_numpy() / HOUR
    if not hours.size:
        return {"lag_p50_hours": None, "lag_p95_hours": None}
    return {
        "lag_p50_hours": finite(float(np.percentile(hours, 50)), 2),
        "lag_p95_hours": finite(float(np.percentile(hours, 95)), 2),
    }


def _measured(
    context: Context, metric: str, known: pd.DataFrame, labels: Labels
) -> dict[str, Json]:
    samples = context.whole("samples")
    times = known[windows.EVENT_TIME] if known[windows.EVENT_TIME].notna().all() else None
    drawn = by_day_or_row(len(known), times, samples=samples, seed=context.seed)
    now = Scored(known[windows.SCORE].to_numpy(dtype=np.float64), labels, drawn)
    offline = read_table(context.inputs["predictions"], ["score", "label"])
    before = Scored(
        offline["score"].to_numpy(dtype=np.float64),
        offline["label"].to_numpy(dtype=np.int64),
        by_day_or_row(len(offline), None, samples=samples, seed=context.seed),
    )
    value, spread = _value(now, metric)
    reference, reference_spread = _value(before, metric)
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    # Both are samples: the window's own spread widens the limit, a small window less sure.
    allowed = context.number("deviations") * float(np.hypot(spread.std(), reference_spread.std()))
    low, high = np.percentile(spread, (2.5, 97.5))
    facts: dict[str, Json] = {
        "enough": True,
        "higher_is_better": HIGHER_IS_BETTER[metric],
        "value": finite(value),
        "low": finite(float(low)),
        "high": finite(float(high)),
        "reference": finite(reference),
        "control_limit": finite(reference - sign * allowed),
        "metrics": {name: finite(found) for name, found in all_scores(now.scores, labels).items()},
        "positive_share": finite(float(labels.mean()), 6),
        "reference_positive_share": finite(float(before.labels.mean()), 6),
        **_worth(context, known, now),
    }
    alerts = _alerts(facts, metric)
    return facts | {"alerts": len(alerts), "alert_list": list[Json](alerts)}


def _value(rows: Scored, metric: str) -> tuple[float, Floats]:
    """The metric and its values in every sample."""
    value = all_scores(rows.scores, rows.labels)[metric]
    if metric in ("roc_auc", "pr_auc"):
        auc, average = area_samples(rows.scores, rows.labels, rows.drawn)
        found = auc if metric == "roc_auc" else average
        return value, found[np.isfinite(found)]
    losses = log_losses if metric == "log_loss" else brier_losses
    pair = np.column_stack([losses(rows.scores, rows.labels), np.ones(rows.labels.size)])
    sums = sum_samples(pair, rows.drawn)
    return value, sums[:, 0] / sums[:, 1]


def _worth(context: Context, known: pd.DataFrame, rows: Scored) -> dict[str, Json]:
    """Money beside doing nothing, by the labels that were answered."""
    costs: Costs | None = parse_costs(context.mapping("costs"))
    if costs is None:
        return {}
    positive = _positive(_classes(known[windows.ACTUAL]), context.text("positive"))
    flags = np.asarray(_classes(known[windows.LABEL]) == positive, dtype=np.float64)
    money = worth(flags, rows.labels, costs)
    sums = sum_samples(np.column_stack([money, np.ones(money.size)]), rows.drawn)
    low, high = np.percentile(1000 * sums[:, 0] / sums[:, 1], (2.5, 97.5))
    return {
        "worth_per_1000": finite(1000 * float(money.mean()), 2),
        "worth_low": finite(float(low), 2),
        "worth_high": finite(float(high), 2),
        "worth_total": finite(float(money.sum()), 2),
        "currency": costs.currency,
        "flagged": int(flags.sum()),
        "hits": int((flags * rows.labels).sum()),
    }


def _alerts(facts: dict[str, Json], metric: str) -> list[dict[str, Json]]:
    value, control = facts["value"], facts["control_limit"]
    if not isinstance(value, float) or not isinstance(control, float):
        return []
    holds = value >= control if HIGHER_IS_BETTER[metric] else value <= control
    if holds:
        return []
    return [
        {
            "cause": "quality",
            "severity": "red",
            "metric": metric,
            "value": value,
            "limit": control,
            "text": f"{metric} on late labels is {value:.4f}, beyond its control limit "
            f"{control:.4f} (evaluation: {facts['reference']:.4f})",
        }
    ]
