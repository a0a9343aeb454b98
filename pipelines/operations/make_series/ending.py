"""Where a series ends: a step that the data end within has only a part of its events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd

STEP_LENGTHS: Mapping[str, pd.Timedelta] = {
    "hour": pd.Timedelta(hours=1),
    "day": pd.Timedelta(days=1),
    "week": pd.Timedelta(days=7),
}
NEAR = pd.Timedelta(days=1)  # so long may be silence before the end that was given (own)
RESOLUTIONS = ("D", "h", "min", "s")  # the coarsest first


def unfinished_from(
    times: pd.Series, moments: pd.Series, *, every: str, until: datetime | None
) -> pd.Timestamp | None:
    """The moment of the last step where the data end within it; None where it is whole."""
    length, last = STEP_LENGTHS[every], moments.max()
    known = times.max() + resolution(times)
    if until is not None and pd.Timestamp(until) - times.max() <= max(length, NEAR):
        known = pd.Timestamp(until)
    return None if last + length <= known else last


def resolution(times: pd.Series) -> pd.Timedelta:
    """How long the time of a row stands for: a day where all are dates, else an hour, ..."""
    for unit in RESOLUTIONS:
        if (times == times.dt.floor(unit)).all():
            return pd.Timedelta(f"1{unit}")
    return pd.Timedelta(0)
