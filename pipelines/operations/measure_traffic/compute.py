"""Measure the window of a deployment, or ask to come back."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, NotYet, OperationError, Outcome, finite
from pipelines.operations.drift import Limits, column_drift, judge
from pipelines.operations.tables import read_table, write_document

HOUR = 3600.0


def run(context: Context) -> Outcome | NotYet:
    """Counts, event-time span, errors, latency and score drift; NotYet until there is enough."""
    window = pq.read_table(context.inputs["window"]).to_pandas()
    mine = window[window[windows.SERVED_BY] == windows.MODEL]
    good = mine[~mine[windows.FAILED].astype(bool)]
    hours = _hours(good[windows.EVENT_TIME])
    needed, needed_hours = context.whole("minimum"), context.number("minimum_hours")
    if len(good) < needed or hours < needed_hours:
        said = f"{len(good):,} of {needed:,} predictions"
        if needed_hours:
            said += f", {hours:.1f} of {needed_hours:g} h of event time"
        return NotYet(context.number("poll_seconds"), said)
    facts = {
        **_counts(window, mine, good),
        "mode": context.text("mode"),
        "minimum": needed,
        "event_hours": finite(hours, 3),
        **_scores(good, context.inputs["reference"]),
    }
    stable = {key: value for key, value in facts.items() if not key.endswith("_seconds")}
    report = write_document(context.output("report"), stable)
    context.progress(1.0, "measured", len(window))
    return Outcome({"report": report}, facts)


def _hours(times: pd.Series) -> float:
    known = times.dropna()
    return float((known.max() - known.min()).total_seconds() / HOUR) if len(known) else 0.0


def _counts(window: pd.DataFrame, mine: pd.DataFrame, good: pd.DataFrame) -> dict[str, Json]:
    failed = len(mine) - len(good)
    latencies = good[windows.LATENCY].dropna().to_numpy(dtype=np.float64)
    keyed = good[windows.KEY].dropna()
    facts: dict[str, Json] = {
        "rows": len(window),
        "n": len(good),
        "fallback": len(window) - len(mine),
        "share": finite(len(mine) / len(window), 6) if len(window) else None,
        "failed": failed,
        "error_share": finite(failed / len(mine), 6) if len(mine) else None,
        "repeated_keys": int(keyed.duplicated().sum()),
        "unscored": int(good[windows.SCORE].isna().sum()),
        "first_event": _iso(good[windows.EVENT_TIME].min()),
        "last_event": _iso(good[windows.EVENT_TIME].max()),
    }
    if latencies.size:
        facts["p50_seconds"] = finite(float(np.percentile(latencies, 50)))
        facts["p95_seconds"] = finite(float(np.percentile(latencies, 95)))
    return facts


def _iso(value: object) -> str | None:
    return value.isoformat() if isinstance(value, datetime) and not pd.isna(value) else None


def _scores(good: pd.DataFrame, reference: Path) -> dict[str, Json]:
    """Drift of the scores against those of the evaluation, with the size-aware limit."""
    offline = read_table(reference)
    if "score" not in offline.columns:
        raise OperationError(
            "score_absent", "the reference has no column score",
            field="reference", value=", ".join(map(str, offline.columns)), rule="has score",
        )  # fmt: skip
    limits = Limits()
    served = good[windows.SCORE].rename("score")
    column = judge([column_drift(offline["score"], served, limits)], limits)[0]
    return {
        "score_mean": finite(float(served.mean())),
        "reference_mean": finite(float(offline["score"].mean())),
        "psi": finite(column.psi),
        "psi_limit": finite(max(limits.amber, column.limit or 0.0)),
        "size_limit": finite(column.limit),
        "score_level": column.level,
        "score_shift": finite(column.shift),
        "reference_rows": column.n_reference,
    }
