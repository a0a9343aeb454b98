"""Quality on late labels against the evaluation, with the lag they came in with."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER, Floats, metric_name
from pipelines.operations.learning.resampling import by_day_or_row
from pipelines.operations.learning.tasks import TASKS, Task, need_metric, task_of_metric
from pipelines.operations.measure_quality.classes import ClassReading
from pipelines.operations.measure_quality.multiclass import reading_of
from pipelines.operations.measure_quality.reading import Reading, Scored
from pipelines.operations.measure_quality.values import ValueReading
from pipelines.operations.tables import read_table, write_document

READINGS: Mapping[str, Reading] = {"classification": ClassReading(), "regression": ValueReading()}
HOUR = 3600.0


class _Asked(NamedTuple):
    """Which score, of which task, and how outcomes are read."""

    metric: str
    task: Task
    reading: Reading


def run(context: Context) -> Outcome:
    """Metric, interval, control limit, worth; `enough` is False below the minimum of labels."""
    metric, task, reading = _asked(context)
    window = read_table(context.inputs["window"])
    window = window[window[windows.SERVED_BY] == windows.MODEL]
    known = reading.known(window)
    facts: dict[str, Json] = {
        "rows": len(window),
        "labelled": len(known),
        "unreadable": int(window[windows.ACTUAL].notna().sum()) - len(known),
        "label_share": finite(len(known) / len(window), 6) if len(window) else None,
        "minimum": context.whole("minimum"),
        "metric": metric,
        "enough": False,
        "alerts": 0,
        "alert_list": [],
        **_lags(known),
    }
    truth = reading.truth(context, known)
    if len(known) >= context.whole("minimum") and reading.ready(truth):
        facts |= _measured(context, _Asked(metric, task, reading), known, truth)
    report = write_document(context.output("report"), facts)
    context.progress(1.0, "measured", len(known))
    return Outcome({"report": report}, facts)


def _metric(context: Context) -> tuple[str, Task]:
    task = task_of_metric(context.text("metric"))
    if task is None:
        known = [name for each in TASKS.values() for name in each.scores]
        raise OperationError(
            "unknown_metric", f"there is no metric {context.text('metric')!r}",
            field="metric", value=context.text("metric"), rule=f"is one of {', '.join(known)}",
        )  # fmt: skip
    return metric_name(context.text("metric")), task


def _asked(context: Context) -> _Asked:
    """Metric, task and reading; the evaluation says whether there are several classes."""
    metric, task = _metric(context)
    several = reading_of(context.inputs["predictions"])
    if several is None or task.name == "regression":
        need_metric(task, metric)
        return _Asked(metric, task, READINGS.get(task.name, ClassReading()))
    task = TASKS["multiclass"]
    return _Asked(need_metric(task, metric), task, several)


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
    context: Context, asked: _Asked, known: pd.DataFrame, truth: np.ndarray
) -> dict[str, Json]:
    metric, task, reading = asked
    samples = context.whole("samples")
    times = known[windows.EVENT_TIME] if known[windows.EVENT_TIME].notna().all() else None
    drawn = by_day_or_row(len(known), times, samples=samples, seed=context.seed)
    now = Scored(reading.scores(known), truth, drawn)
    scores, outcomes = reading.offline(context.inputs["predictions"])
    rows = by_day_or_row(len(scores), None, samples=samples, seed=context.seed)
    value, spread = _value(task, now, metric)
    reference, reference_spread = _value(task, Scored(scores, outcomes, rows), metric)
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    # Both are samples: the window's own spread widens the limit, a small window less sure.
    allowed = context.number("deviations") * float(np.hypot(spread.std(), reference_spread.std()))
    low, high = np.percentile(spread, (2.5, 97.5)) if spread.size else (np.nan, np.nan)
    metrics = task.measure(now.scores, truth)
    facts: dict[str, Json] = {
        "enough": True,
        "higher_is_better": HIGHER_IS_BETTER[metric],
        "value": finite(value),
        "low": finite(float(low)),
        "high": finite(float(high)),
        "reference": finite(reference),
        "control_limit": finite(reference - sign * allowed),
        "metrics": {name: finite(found) for name, found in metrics.items()},
        **reading.more(context, known, now=now, before=outcomes),
    }
    alerts = _alerts(facts, metric)
    return facts | {"alerts": len(alerts), "alert_list": list[Json](alerts)}


def _value(task: Task, rows: Scored, metric: str) -> tuple[float, Floats]:
    """The metric and its values in every sample where it is defined."""
    value = task.measure(rows.scores, rows.truth)[metric]
    samples = task.samples(rows.scores, rows.truth, rows.drawn)[metric]
    return value, samples[np.isfinite(samples)]


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
