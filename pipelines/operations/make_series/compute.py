"""Compute of `make_series`: events to one value per step and group, without a hole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.ingest.target import parse_time
from pipelines.operations.make_series.copied import copied_steps
from pipelines.operations.make_series.ending import STEP_LENGTHS, unfinished_from
from pipelines.operations.repeats import repeated_rows
from pipelines.operations.tables import need_column, plain, read_table, row_hashes, write_table

STEPS = {"hour": "h", "day": "D", "week": "7D"}
MOMENT, VALUE, ROWS, FILLED = "moment", "value", "rows", "filled"
OWN = (MOMENT, VALUE, ROWS, FILLED)
MONDAY = pd.Timestamp("1970-01-05")  # weeks begin on Mondays
SHOWN = 20
COUNTED = ("count", "sum")  # measures of which half a step has half


def run(context: Context) -> Outcome:
    """The series; raises OperationError for columns that do not suit."""
    frame = read_table(context.inputs["table"])
    groups = _groups(context, frame)
    times = _times(context, frame)
    values = _values(context, frame)
    events = frame[groups].assign(**{MOMENT: _floored(times, context.text("every")), VALUE: values})
    kept = events[MOMENT].notna() & _before(times, context)
    ends = _unfinished(context, times[kept], events[MOMENT][kept])
    inside = kept if ends is None else kept & (events[MOMENT] < ends)
    context.progress(0.3, "events placed", len(events))
    steps = _aggregated(events[inside], groups, context.text("measure"))
    whole = _regular(steps, groups, context, ends=ends)
    context.progress(0.8, "gaps filled", len(whole))
    facts: dict[str, Json] = {
        "rows": len(frame),
        "left_out": int((~kept).sum()),
        "unfinished_steps": int(ends is not None),
        "unfinished_rows": int((kept & ~inside).sum()),
        "duplicates": int(len(frame) - np.unique(row_hashes(frame)).size),
        "repeats": repeated_rows(frame),
        "copied": copied_steps(whole, groups, VALUE, MOMENT),
        "out_of_order": int((times.diff() < pd.Timedelta(0)).sum()),
        "every": context.text("every"),
        "measure": context.text("measure"),
        "groups": len(whole.groupby(groups)) if groups else 1,
        "group_columns": list[Json](groups),
        "steps": len(whole),
        "first": plain(whole[MOMENT].min()),
        "last": plain(whole[MOMENT].max()),
        "zeros": int((whole[VALUE] == 0).sum()),
        **_gaps(whole, groups, context.text("every")),
        "missing_values": int(values[inside].isna().sum()),
        "same_moment": _same_moment(times, frame, groups),
        "mean": finite(float(whole[VALUE].mean()), 6),
    }
    path = write_table(whole, context.output("series"))
    context.progress(1.0, f"{len(whole)} steps", len(whole))
    return Outcome({"series": path}, facts)


def _groups(context: Context, frame: pd.DataFrame) -> list[str]:
    names = list(dict.fromkeys(context.names("groups")))
    for name in names:
        need_column(frame, name, "groups")
        if name in OWN:
            raise OperationError(
                "name_taken", f"groups names {name!r}, which the series has itself",
                field="groups", value=name, rule=f"is none of {', '.join(OWN)}",
            )  # fmt: skip
    return names


def _times(context: Context, frame: pd.DataFrame) -> pd.Series:
    times = need_column(frame, context.text("time_column"), "time_column")
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise OperationError(
            "not_a_time", f"time_column {times.name!r} holds {times.dtype}, not times",
            field="time_column", value=str(times.dtype), rule="holds times",
        )  # fmt: skip
    if not times.notna().any():
        raise OperationError(
            "no_times", f"time_column {times.name!r} is missing in every row",
            field="time_column", value=str(times.name), rule="has times",
        )  # fmt: skip
    return times if times.dt.tz is None else times.dt.tz_convert("UTC").dt.tz_localize(None)


def _values(context: Context, frame: pd.DataFrame) -> pd.Series:
    if context.text("measure") == "count":
        return pd.Series(1.0, index=frame.index)
    values = need_column(frame, context.text("value_column"), "value_column")
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.dtype == bool:
        raise OperationError(
            "not_a_number", f"value_column {values.name!r} holds {values.dtype}, not numbers",
            field="value_column", value=str(values.dtype), rule="holds numbers",
        )  # fmt: skip
    if not values.notna().any():
        raise OperationError(
            "no_values", f"value_column {values.name!r} is missing in every row",
            field="value_column", value=str(values.name), rule="has values",
        )  # fmt: skip
    return values.astype("float64")


def _floored(times: pd.Series, every: str) -> pd.Series:
    if every != "week":
        found: pd.Series = times.dt.floor(STEPS[every])
        return found
    days = times.dt.floor("D")
    weeks: pd.Series = days - pd.to_timedelta((days - MONDAY).dt.days % 7, unit="D")
    return weeks


def _before(times: pd.Series, context: Context) -> pd.Series:
    until = parse_time(context.text("time_until"), "time_until")
    return times < until if until is not None else times.notna()


def _unfinished(context: Context, times: pd.Series, moments: pd.Series) -> pd.Timestamp | None:
    """The step that the data end within; None where there is none, or nothing is counted."""
    if context.text("measure") not in COUNTED or times.empty:
        return None
    until = parse_time(context.text("time_until"), "time_until")
    found = unfinished_from(times, moments, every=context.text("every"), until=until)
    if found is not None and moments.min() == found:
        raise OperationError(
            "no_whole_step", f"all events lie within one {context.text('every')}",
            field="every", value=context.text("every"), rule="the data reach beyond the first step",
        )  # fmt: skip
    return found


def _aggregated(events: pd.DataFrame, groups: list[str], measure: str) -> pd.DataFrame:
    how = {"count": "sum"}.get(measure, measure)
    by = events.groupby([*groups, MOMENT], sort=True, dropna=False)[VALUE]
    found = by.agg(how if how != "sum" else lambda part: part.sum(min_count=1))
    return pd.DataFrame({VALUE: found, ROWS: by.size()}).reset_index()


def _regular(
    steps: pd.DataFrame, groups: list[str], context: Context, *, ends: pd.Timestamp | None
) -> pd.DataFrame:
    """Every step of each group, from its own first to its last one.

    Where nothing is nothing (count, sum), to the last one of all: a group that fell silent is 0.
    """
    counted = context.text("measure") in COUNTED
    policy = context.text("gaps") or ("zero" if counted else "missing")
    end = steps[MOMENT].max() if counted else None
    if ends is not None:  # steps without an event just before it are 0, too
        end = ends - STEP_LENGTHS[context.text("every")]
    parts = []
    made = 0
    for named, piece in pieces_of(steps, groups):
        last = end if end is not None else piece[MOMENT].max()
        index = pd.date_range(piece[MOMENT].min(), last, freq=STEPS[context.text("every")])
        made += len(index)
        if made > context.whole("max_steps"):
            raise OperationError(
                "too_many_steps", f"more than {context.whole('max_steps'):,} steps",
                field="every", value=context.text("every"), rule="fewer, longer steps",
            )  # fmt: skip
        whole = piece.set_index(MOMENT)[[VALUE, ROWS]].reindex(index)
        whole[FILLED] = whole[ROWS].isna()
        whole[ROWS] = whole[ROWS].fillna(0).astype("int64")
        whole[VALUE] = _filled(whole[VALUE], policy)
        parts.append(whole.assign(**named).rename_axis(MOMENT).reset_index())
    found = pd.concat(parts, ignore_index=True)
    return found[[*groups, MOMENT, VALUE, ROWS, FILLED]]


def pieces_of(
    frame: pd.DataFrame, groups: list[str]
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each series with the values of its groups, in their order; one where there are none."""
    if not groups:
        yield {}, frame
        return
    for names, piece in frame.groupby(groups, sort=True, dropna=False):
        yield dict(zip(groups, names, strict=True)), piece


def _filled(values: pd.Series, policy: str) -> pd.Series:
    if policy == "zero":
        return values.fillna(0.0)
    return values.ffill() if policy == "previous" else values


def _gaps(whole: pd.DataFrame, groups: list[str], every: str) -> dict[str, Json]:
    """Steps without an event; those where there usually is one, as runs, the longest first.

    Usually: in the median of the same hours of the week, or of the same weekdays, of the series.
    A count that is 0 every night has no hole there.
    """
    filled = whole[FILLED].to_numpy()
    moments = whole[MOMENT].dt
    slots = {"hour": moments.day_of_week * 24 + moments.hour, "day": moments.day_of_week}
    slot = slots.get(every, moments.year * 0)
    by = [slot.rename("_slot"), *(whole[name] for name in groups)]
    usual = whole[ROWS].groupby(by, dropna=False).transform("median").to_numpy()
    odd = filled & (usual > 0)
    found = _runs(odd, whole, groups)
    listed: list[Json] = [
        {
            "from": plain(whole[MOMENT].iloc[at]),
            "steps": length,
            **{name: plain(whole[name].iloc[at]) for name in groups},
        }
        for length, at in found[:SHOWN]
    ]
    return {
        "empty_steps": int(filled.sum()),
        "gap_steps": int(odd.sum()),
        "gaps": len(found),
        "gap_list": listed,
    }


def _runs(odd: np.ndarray, whole: pd.DataFrame, groups: list[str]) -> list[tuple[int, int]]:
    """(length, first place) of runs inside one series, the longest first."""
    starts = np.append(True, odd[1:] != odd[:-1])
    if groups:
        marks = whole[groups].astype(str).agg("|".join, axis=1).to_numpy()
        starts[1:] |= marks[1:] != marks[:-1]
    places = np.flatnonzero(starts)
    lengths = np.diff(np.append(places, odd.size))
    found = [(int(n), int(at)) for at, n in zip(places, lengths, strict=True) if odd[at]]
    return sorted(found, key=lambda gap: (-gap[0], gap[1]))


def _same_moment(times: pd.Series, frame: pd.DataFrame, groups: list[str]) -> int:
    """Events that share their exact time and group with an earlier one."""
    return int(frame[groups].assign(**{MOMENT: times}).duplicated().sum())
