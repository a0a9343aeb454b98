"""Alert-rate drift of a window of answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipelines.operations import windows
from pipelines.operations.anomalies.alerts import alert_rate, per_day, share_of
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.tables import read_document, write_document


def run(context: Context) -> Outcome:
    """Measure; raises OperationError where threshold or capacity is stated nowhere."""
    threshold, capacity = _stated(context, "threshold"), _stated(context, "capacity")
    window = pq.read_table(context.inputs["window"]).to_pandas()
    mine = window[(window[windows.SERVED_BY] == windows.MODEL) & window[windows.SCORE].notna()]
    facts: dict[str, Json] = {
        "rows": len(mine),
        "threshold": threshold,
        "capacity": capacity,
        "minimum": context.whole("minimum"),
        "enough": len(mine) >= context.whole("minimum"),
        "alerts": 0,
        "alert_list": [],
    }
    if facts["enough"]:
        facts |= _measured(context, mine, threshold=threshold, capacity=capacity)
    context.progress(1.0, "alerts counted", len(mine))
    return Outcome({"report": write_document(context.output("report"), facts)}, facts)


def _stated(context: Context, name: str) -> float:
    """The param, else the evaluation's; raises OperationError where neither states it."""
    found = context.params.get(name)
    if found is None and "evaluation" in context.inputs:
        said = read_document(context.inputs["evaluation"]).get("facts")
        found = said.get(name) if isinstance(said, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise OperationError(
            f"no_{name}",
            f"neither the parameter {name} nor the evaluation states it",
            field=name,
            rule="a number",
        )
    return float(found)


def _measured(
    context: Context, mine: pd.DataFrame, *, threshold: float, capacity: float
) -> dict[str, Json]:
    flagged = mine[windows.SCORE].to_numpy(dtype=np.float64) >= threshold
    times = mine[windows.EVENT_TIME]
    rate = alert_rate(flagged, times, expected=1 - threshold)
    volume = per_day(times, flagged, capacity)
    actual = mine[windows.ACTUAL].map(
        lambda value: windows.class_of(windows.text_of(value)), na_action="ignore"
    )
    reviewed = flagged & actual.notna().to_numpy()
    ratio, limit = rate["ratio"], context.number("times")
    moved = isinstance(ratio, float) and not 1 / limit <= ratio <= limit
    day = volume["alerts_per_day"]
    mean = day.get("value") if isinstance(day, dict) else None
    over = isinstance(mean, float) and mean > capacity
    told: list[Json] = []
    if over:
        told.append(_alert(f"{mean:.1f} alerts a day; {capacity:g} can be reviewed", "red"))
    if moved:
        told.append(_alert(f"rows alert {ratio:.2f} times as often as expected", "amber"))
    return {
        "flagged": int(flagged.sum()),
        "times": limit,
        "alert_rate": rate,
        **volume,
        "precision": share_of(int((actual[reviewed] == "1").sum()), int(reviewed.sum())),
        "moved": moved,
        "over_capacity": over,
        "alerts": len(told),
        "alert_list": told,
    }


def _alert(text: str, severity: str) -> dict[str, Json]:
    return {"cause": "alert_rate", "severity": severity, "text": text}
