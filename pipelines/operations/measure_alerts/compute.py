"""Alert-rate drift of a window of answers."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq

from pipelines.operations import windows
from pipelines.operations.anomalies.alerts import alert_rate, per_day, wilson
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.tables import read_document, write_document


def run(context: Context) -> Outcome:
    """Measure; raises OperationError where the evaluation states no threshold."""
    facts = read_document(context.inputs["evaluation"]).get("facts")
    said = facts if isinstance(facts, dict) else {}
    threshold = said.get("threshold")
    if not isinstance(threshold, int | float):
        raise OperationError(
            "no_threshold", "the evaluation states no threshold", field="evaluation",
            rule="holds a threshold",
        )  # fmt: skip
    window = pq.read_table(context.inputs["window"]).to_pandas()
    mine = window[(window[windows.SERVED_BY] == windows.MODEL) & window[windows.SCORE].notna()]
    rows: dict[str, Json] = {"rows": len(mine), "threshold": float(threshold)}
    if len(mine) < context.whole("minimum"):
        rows |= {"enough": False, "alerts": 0, "minimum": context.whole("minimum")}
        return _written(context, rows)
    capacity = context.number("capacity") or float(str(said.get("capacity")))
    scores = mine[windows.SCORE].to_numpy(dtype=np.float64)
    flagged = scores >= float(threshold)
    times = mine[windows.EVENT_TIME]
    rate = alert_rate(flagged, times, expected=1 - float(threshold))
    volume = per_day(times, flagged, capacity)
    actual = mine[windows.ACTUAL].map(
        lambda value: windows.class_of(str(value)), na_action="ignore"
    )
    reviewed = flagged & actual.notna().to_numpy()
    ratio, limit = rate["ratio"], context.number("times")
    moved = isinstance(ratio, float) and not 1 / limit <= ratio <= limit
    day = volume["alerts_per_day"]
    mean = day.get("value") if isinstance(day, dict) else None
    over = isinstance(mean, float) and mean > capacity
    rows |= {
        "enough": True,
        "flagged": int(flagged.sum()),
        "capacity": capacity,
        "times": limit,
        "alert_rate": rate,
        **volume,
        "precision": wilson(int((actual[reviewed] == "1").sum()), int(reviewed.sum())),
        "moved": moved,
        "over_capacity": over,
        "alerts": int(moved) + int(over),
    }
    return _written(context, rows)


def _written(context: Context, facts: dict[str, Json]) -> Outcome:
    context.progress(1.0, "alerts counted")
    return Outcome({"report": write_document(context.output("report"), facts)}, facts)
