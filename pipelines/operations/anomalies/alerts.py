"""From scores to alerts: the threshold that a reviewer's day allows, and what it gave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.anomalies.planting import KIND, PLANTED, Reach, reach_of
from pipelines.operations.contract import Context, Json, OperationError, finite
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import as_numbers
from pipelines.operations.unlabelled.columns import is_number

GROSS = ("spike", "shift")  # what a detector must find; a mix of ordinary values is only told


@dataclass(frozen=True)
class Volume:
    """Rows a day, as the brief states them and as the data have them; None where not known."""

    stated: float | None
    measured: float | None

    @property
    def planned(self) -> float | None:
        """The larger: people can review so many a day whichever of the two is right."""
        return max(filter(None, (self.stated, self.measured)), default=None)

    def as_json(self) -> dict[str, Json]:
        """For facts."""
        return {
            "volume": finite(self.planned, 3),
            "stated_volume": finite(self.stated, 3),
            "measured_volume": finite(self.measured, 3),
        }


def volume_of(context: Context, frame: pd.DataFrame, time: str) -> Volume:
    """The volume that `volume` states and that rows have; a sampled row counts as its weight."""
    times = frame[time] if time in frame.columns else None
    weights = frame[WEIGHT] if WEIGHT in frame.columns else None
    return Volume(context.number("volume") or None, rows_per_day(times, weights))


def rows_per_day(times: pd.Series | None, weights: pd.Series | None = None) -> float | None:
    """Rows per day that holds any, each as often as it weighs; None without times."""
    if times is None or not times.notna().any():
        return None
    known = times.notna()
    rows = known.sum() if weights is None else weights[known].sum()
    return float(rows / times[known].dt.floor("D").nunique())


def threshold_for(capacity: float, volume: float | None, *, margin: float) -> float:
    """The score above which the expected alerts fill `margin` of the reviewers' day.

    Capacity is held as a rate: a share capacity / volume of the rows may alert.

    An ordinary row scores above t with probability 1 - t, so a day of `volume` rows gives
    (1 - t) volume alerts. Raises OperationError where the volume is not known.
    """
    if volume is None or volume <= 0 or capacity <= 0:
        raise OperationError(
            "volume_unknown",
            "the rows per day or the alerts per day that people can review are not known",
            field="capacity" if capacity <= 0 else "volume",
            value=finite(capacity if capacity <= 0 else volume),
            rule="> 0",
        )
    # as rare as people can review, never 1: no score reaches it
    return min(max(1.0 - margin * capacity / volume, 0.5), math.nextafter(1.0, 0.0))


def share_of(hits: int, count: int) -> dict[str, Json]:
    """A share with its 95 % Wilson interval; None without rows."""
    low, high = wilson(hits / count, count) if count else (None, None)
    return {
        "value": finite(hits / count, 6) if count else None,
        "low": finite(low, 6),
        "high": finite(high, 6),
        "rows": count,
    }


def recall(frame: pd.DataFrame, scores: Floats, threshold: float) -> dict[str, Json]:
    """Share of planted anomalies above the threshold: of the gross ones, and by kind."""
    planted = frame[PLANTED].to_numpy() == 1
    kinds = frame[KIND].to_numpy()
    found = scores >= threshold
    by_kind: dict[str, Json] = {
        str(kind): share_of(int(found[kinds == kind].sum()), int((kinds == kind).sum()))
        for kind in sorted(set(kinds[planted]))
    }
    gross = planted & np.isin(kinds, GROSS)
    return {
        **share_of(int(found[gross].sum()), int(gross.sum())),
        "kinds": by_kind,
        "counted": list[Json](GROSS),
    }


def macro(found: Mapping[str, Json]) -> tuple[float, float]:
    """Mean recall over the kinds, and its standard error."""
    kinds = found.get("kinds")
    rows = (
        [row for row in kinds.values() if isinstance(row, dict)] if isinstance(kinds, dict) else []
    )
    shares = [float(str(row["value"])) for row in rows]
    errors = [p * (1 - p) / int(str(row["rows"])) for p, row in zip(shares, rows, strict=True)]
    return float(np.mean(shares)), math.sqrt(sum(errors)) / len(shares)


def per_day(times: pd.Series | None, alerts: np.ndarray, capacity: float) -> dict[str, Json]:
    """Alerts by day: mean with an interval over days, the busiest day, days above capacity.

    The interval is the normal one of a mean, with 1.96 for 1.959964: wider by 2 in 100,000.
    """
    if times is None or not times.notna().any():
        return {"days": None, "alerts_per_day": {"value": None, "low": None, "high": None}}
    days = times.dt.floor("D")
    counts = pd.Series(alerts.astype(float)).groupby(days.to_numpy()).sum()
    mean = float(counts.mean())
    error = float(counts.std(ddof=1) / math.sqrt(len(counts))) if len(counts) > 1 else float("nan")
    busiest = counts.idxmax()
    return {
        "days": len(counts),
        "alerts_per_day": {
            "value": finite(mean, 6),
            "low": finite(mean - 1.96 * error, 6),
            "high": finite(mean + 1.96 * error, 6),
        },
        "busiest_day": str(busiest)[:10],
        "busiest_alerts": int(counts.max()),
        "days_above": int((counts > capacity).sum()),
    }


def alert_rate(alerts: np.ndarray, times: pd.Series | None, *, expected: float) -> dict[str, Json]:
    """The share of rows that alert, against the share that ordinary rows would.

    Alerts come in bunches, so the interval is over days where there are days: that of a mean with
    errors clustered by day (Liang and Zeger 1986), kept between 0 and 1.
    """
    rate = float(alerts.mean())
    error = math.sqrt(max(rate * (1 - rate), 1e-12) / alerts.size)
    if times is not None and times.notna().any():
        daily = pd.Series(alerts.astype(float)).groupby(times.dt.floor("D").to_numpy())
        sums, sizes = daily.sum().to_numpy(), daily.size().to_numpy()
        if sums.size > 1:
            rest = sums - rate * sizes  # ratio estimate: deviation of each day from the mean rate
            error = float(np.sqrt((rest**2).sum() / (sums.size - 1) * sums.size)) / alerts.size
    high = rate + 1.96 * error
    if not alerts.any():  # no alert in so many rows does not mean that there is never one
        high = wilson(0.0, alerts.size)[1]
    return {
        "value": finite(rate, 9),
        "low": finite(max(0.0, rate - 1.96 * error), 9),
        "high": finite(min(1.0, high), 9),
        "expected": finite(expected, 9),
        "ratio": finite(rate / expected, 4) if expected > 0 else None,
    }


def at_volume(rate: Mapping[str, Json], volume: float) -> dict[str, Json]:
    """A rate of alerts as alerts a day of `volume` rows."""
    return {
        name: finite(volume * float(str(rate[name])), 6) if rate[name] is not None else None
        for name in ("value", "low", "high")
    }


def reasons(frame: pd.DataFrame, rows: np.ndarray, names: Sequence[str]) -> list[str]:
    """In words, what is furthest out in each of some rows, against all rows of the table."""
    reaches = {name: reach_of(frame[name]) for name in names if is_number(frame[name])}
    values = {name: as_numbers(frame[name]) for name, reach in reaches.items() if reach.spread > 0}
    return [
        _reason([(name, column[row], reaches[name]) for name, column in values.items()])
        for row in rows
    ]


def _reason(values: list[tuple[str, float, Reach]]) -> str:
    far = [
        (abs(value - reach.middle) / reach.spread, name, value, reach.middle)
        for name, value, reach in values
        if np.isfinite(value)
    ]
    far.sort(reverse=True)
    told = [f"{name} {value:,.4g} (usually {middle:,.4g})" for _, name, value, middle in far[:3]]
    return "; ".join(told) or "no number is far out by itself"
