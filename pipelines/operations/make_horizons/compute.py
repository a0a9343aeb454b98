"""Compute of `make_horizons`: lags, rolling and calendar features as known at each origin.

`origin` is the moment a forecast is made: the start of the first step that is not known. Step h
begins at `moment` = origin + (h - 1) steps. Features use values before the origin only; of the
target's step only its calendar.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.make_series.compute import FILLED, MOMENT, OWN, VALUE, pieces_of
from pipelines.operations.make_series.compute import ROWS as EVENTS
from pipelines.operations.tables import plain, read_table, write_table

SEASONS = 4  # same places of the season that are averaged (own)
TWO_YEARS = pd.Timedelta(days=730)
KEY, ORIGIN, HORIZON, NAIVE, NAIVE_BEFORE = "key", "origin", "horizon", "season_1", "season_2"


def run(context: Context) -> Outcome:
    """The table; raises OperationError for a series that is too short or not regular."""
    series = read_table(context.inputs["series"])
    absent = [name for name in (MOMENT, VALUE) if name not in series.columns]
    if absent:
        raise OperationError(
            "no_series", f"the series lacks {', '.join(absent)}",
            field="series", value=list[Json](absent), rule="comes from make_series",
        )  # fmt: skip
    groups = [str(name) for name in series.columns if name not in OWN]
    windows = _windows(context)
    parts = []
    for named, piece in pieces_of(series, groups):
        made = _of_series(piece.sort_values(MOMENT), context, windows).assign(**named)
        made[KEY] = _keys(made, groups)
        parts.append(made)
        if sum(map(len, parts)) > context.whole("max_rows"):
            raise OperationError(
                "too_many_rows", f"more than {context.whole('max_rows'):,} rows",
                field="horizons", value=context.whole("horizons"), rule="fewer horizons",
            )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        raise OperationError(
            "series_too_short", f"no forecast has {context.whole('season')} steps before it",
            field="season", value=context.whole("season"), rule="the series is longer than it",
        )  # fmt: skip
    first = [KEY, *groups, ORIGIN, MOMENT, HORIZON]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    facts: dict[str, Json] = {
        "rows": len(table),
        "origins": int(table[ORIGIN].nunique()),
        "horizons": context.whole("horizons"),
        "season": context.whole("season"),
        "groups": len(parts),
        "group_columns": list[Json](groups),
        "features": [str(name) for name in table.columns if name not in {*first[:1], VALUE}],
        "first": plain(table[MOMENT].min()),
        "last": plain(table[MOMENT].max()),
        "missing_values": int(series[VALUE].isna().sum()),
        "filled_steps": int(series[FILLED].sum()) if FILLED in series else 0,
        "events": int(series[EVENTS].sum()) if EVENTS in series else None,
    }
    context.progress(1.0, f"{len(table)} forecasts", len(table))
    return Outcome({"table": write_table(table, context.output("table"))}, facts)


def _windows(context: Context) -> list[int]:
    given = context.params.get("windows")
    found = (
        [int(one) for one in given if isinstance(one, int) and not isinstance(one, bool)]
        if (isinstance(given, list))
        else []
    )
    if len(found) != len(given if isinstance(given, list) else []) or any(n < 2 for n in found):
        raise OperationError(
            "bad_windows", f"windows is {given!r}",
            field="windows", value=given, rule="whole numbers from 2 on",
        )  # fmt: skip
    return sorted(set(found))


def _of_series(piece: pd.DataFrame, context: Context, windows: Sequence[int]) -> pd.DataFrame:
    """All forecasts of one series."""
    moments = pd.DatetimeIndex(piece[MOMENT])
    steps = np.unique(np.diff(moments.to_numpy()))
    if steps.size > 1 or (steps.size and steps[0] <= np.timedelta64(0)):
        raise OperationError(
            "not_regular", "the series has steps of different lengths, or a moment twice",
            field="series", value=int(steps.size), rule="one value for each step",
        )  # fmt: skip
    values = piece[VALUE].to_numpy(dtype=np.float64)
    past = _past(pd.Series(values), context, windows)
    season, yearly = context.whole("season"), _span(moments) >= TWO_YEARS
    hourly = bool(steps.size) and steps[0] < np.timedelta64(1, "D")
    rows = []
    for horizon in range(1, context.whole("horizons") + 1):
        target = np.arange(values.size) + horizon - 1
        origins = np.flatnonzero(target < values.size)
        wanted = target[origins]
        back = season * -(-horizon // season)  # the latest same place in the season that is known
        made = past.iloc[origins].reset_index(drop=True)
        made[ORIGIN], made[MOMENT] = moments[origins], moments[wanted]
        made[HORIZON] = horizon
        same = [_at(values, wanted - back - n * season) for n in range(SEASONS)]
        made[NAIVE], made[NAIVE_BEFORE] = same[0], same[1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # no season before: missing it stays
            made["above_seasons"] = same[0] - np.nanmean(same, axis=0)
        calendar = _calendar(pd.DatetimeIndex(made[MOMENT]), hourly=hourly, yearly=yearly)
        rows.append(made.assign(**calendar, **{VALUE: values[wanted]}))
    found = pd.concat(rows, ignore_index=True)
    found = found[found[NAIVE].notna() & found[VALUE].notna()]
    return found.sort_values([ORIGIN, HORIZON], ignore_index=True)


def _past(known: pd.Series, context: Context, windows: Sequence[int]) -> pd.DataFrame:
    """What is known at each place, were it the origin: everything ends one step before it."""
    season = context.whole("season")
    found = {f"lag_{k}": known.shift(k) for k in range(1, context.whole("lags") + 1)}
    for k in range(1, context.whole("changes") + 1):
        found[f"change_{k}"] = known.shift(k) - known.shift(k + season)
    for window in windows:
        rolled = known.shift(1).rolling(window, min_periods=max(2, window // 2))
        found |= {f"mean_{window}": rolled.mean(), f"deviation_{window}": rolled.std()}
    for short, long in pairwise(windows):
        found[f"trend_{short}_{long}"] = found[f"mean_{short}"] - found[f"mean_{long}"]
    return pd.DataFrame(found)


def _span(moments: pd.DatetimeIndex) -> pd.Timedelta:
    return moments[-1] - moments[0] if len(moments) else pd.Timedelta(0)


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values at places; missing before the first."""
    found: np.ndarray = values[np.maximum(places, 0)].copy()
    found[places < 0] = np.nan
    return found


def _calendar(moments: pd.DatetimeIndex, *, hourly: bool, yearly: bool) -> dict[str, np.ndarray]:
    """What the calendar says of the step to come.

    The place in the year only where it came round twice: else it names a time, not a season.
    """
    found = {
        "day_of_month": moments.day.to_numpy("float64"),
        "weekday": moments.day_of_week.to_numpy("float64"),
    }
    if hourly:
        found["hour"] = moments.hour.to_numpy("float64")
    if yearly:
        found["month"] = moments.month.to_numpy("float64")
        found["day_of_year"] = moments.day_of_year.to_numpy("float64")
    return found


def _keys(made: pd.DataFrame, groups: Sequence[str]) -> pd.Series:
    """A name for each forecast: its groups, when it was made, and how many steps ahead."""
    parts = [made[name].astype(str) for name in groups]
    parts += [made[ORIGIN].dt.strftime("%Y-%m-%dT%H"), made[HORIZON].astype(str)]
    found = parts[0]
    for part in parts[1:]:
        found = found + "+" + part
    return found
