"""Measure drift of a window against its reference."""

from collections.abc import Sequence

import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.drift import ColumnDrift, Limits, table_drift
from pipelines.operations.measure_drift.onset import since
from pipelines.operations.measure_drift.texts import (
    TextDrift,
    TextLimits,
    as_numbers,
    text_drift,
    vocabulary_of,
)
from pipelines.operations.prose import looks_like_prose
from pipelines.operations.tables import plain, read_table, write_document

SCORE = "score"
ADVICE = (
    "Look at the column and its source first; then choose: do nothing, check data quality, "
    "retrain, find segments, adapt logic, rebuild, use the fallback."
)


def run(context: Context) -> Outcome:
    """Drift per column and the alerts; raises OperationError where nothing can be compared."""
    limits = Limits(
        amber=context.number("amber"),
        red=context.number("red"),
        confidence=context.number("confidence"),
        minimum_rows=context.whole("minimum"),
    )
    window = read_table(context.inputs["window"])
    window = window[window[windows.SERVED_BY] == windows.MODEL]
    reference = read_table(context.inputs["reference"])
    columns = _columns(context, reference, window)
    old, new = reference[columns].copy(), window[columns].copy()
    if "predictions" in context.inputs:
        _add_scores(context, old, new, window)
    moved = _texts(context, old, new)
    context.progress(0.2, "comparing", len(window))
    found = table_drift(old, new, limits)
    alerts = _alerts(context, found, (old, new, window[windows.EVENT_TIME]), limits)
    wanted = ("red",) if context.text("alert_from") == "red" else ("red", "amber")
    alerts += [text.alert() for text in moved if text.level in wanted]
    facts = _facts(found, alerts, (reference, window), limits)
    facts["texts"] = [text.facts() for text in moved]
    report = write_document(context.output("report"), facts)
    context.progress(1.0, f"{len(alerts)} alerts", len(window))
    return Outcome({"report": report}, facts)


def _columns(context: Context, reference: pd.DataFrame, window: pd.DataFrame) -> list[str]:
    wanted, ignored = context.names("columns"), set(context.names("ignore"))
    shared = [
        str(name)
        for name in window.columns
        if name in reference.columns
        and name not in windows.ALL
        and name not in ignored
        # Times move on by themselves; what is read off them (the hour) may be a column.
        and not pd.api.types.is_datetime64_any_dtype(reference[name])
    ]
    chosen = [name for name in wanted if name not in ignored] or shared
    absent = [name for name in chosen if name not in shared]
    if absent or not chosen:
        raise OperationError(
            "columns_absent",
            f"window and reference do not share {', '.join(absent) or 'any column'}",
            field="columns", value=list[Json](absent), rule="are in window and reference",
        )  # fmt: skip
    return chosen


def _texts(context: Context, old: pd.DataFrame, new: pd.DataFrame) -> list[TextDrift]:
    """Judge columns of texts by their words; in their place numbers of each text are compared."""
    named = context.names("text_columns")
    found = []
    known = vocabulary_of(context.inputs.get("model"))
    limits = TextLimits(
        context.number("domain_auc"),
        context.number("domain_confidence"),
        context.whole("minimum"),
    )
    for name in [n for n in map(str, old.columns) if n in named or looks_like_prose(old[n])]:
        before, after = old.pop(name), new.pop(name)
        for table, numbers in zip(
            (old, new), as_numbers(before, after, known, seed=context.seed), strict=True
        ):
            table[list(numbers.columns)] = numbers
        found.append(text_drift(before, after, limits, seed=context.seed))
    return found


def _add_scores(
    context: Context, old: pd.DataFrame, new: pd.DataFrame, window: pd.DataFrame
) -> None:
    """Scores as one more column; the reference's come from the predictions, row by row or not."""
    offline = read_table(context.inputs["predictions"], [SCORE])[SCORE].to_numpy()
    new[SCORE] = window[windows.SCORE].to_numpy(dtype=float)
    if len(offline) == len(old):
        old[SCORE] = offline
        return
    # Rows without a label have no offline score: sample what there is, evenly spread.
    places = [index * len(offline) // len(old) for index in range(len(old))]
    old[SCORE] = offline[places]


def _alerts(
    context: Context,
    found: Sequence[ColumnDrift],
    rows: tuple[pd.DataFrame, pd.DataFrame, pd.Series],
    limits: Limits,
) -> list[dict[str, Json]]:
    levels = ("red",) if context.text("alert_from") == "red" else ("red", "amber")
    reference, window, times = rows
    alerts: list[dict[str, Json]] = []
    for column in found:
        if column.level not in levels:
            continue
        began = since(reference[column.column], window[column.column], times, limits)
        floor = limits.red if column.level == "red" else limits.amber
        alerts.append(
            {
                "cause": "score_drift" if column.column == SCORE else "drift",
                "severity": column.level,
                "column": column.column,
                "psi": finite(column.psi, 4),
                "limit": finite(max(floor, column.limit or 0.0), 4),
                "shift": finite(column.shift, 3),
                "since": began,
                "text": _sentence(column, floor, began),
            }
        )
    return alerts


def _sentence(column: ColumnDrift, floor: float, began: str | None) -> str:
    limit = max(floor, column.limit or 0.0)
    moved = f", mean moved by {column.shift:+.2f} SD" if column.shift is not None else ""
    start = f", since {began[:10]}" if began else ""
    return f"{column.column}: PSI {column.psi or 0:.2f}, limit {limit:.2f}{moved}{start}"


def _facts(
    found: Sequence[ColumnDrift],
    alerts: list[dict[str, Json]],
    rows: tuple[pd.DataFrame, pd.DataFrame],
    limits: Limits,
) -> dict[str, Json]:
    reference, window = rows
    small = [column for column in found if column.level == "not enough data"]
    times = window[windows.EVENT_TIME].dropna()
    listed: list[Json] = [
        {key: _rounded(value) for key, value in column.facts().items()} for column in found
    ]
    return {
        "rows": len(window),
        "reference_rows": len(reference),
        "enough": len(small) < len(found),
        "columns": listed,
        "alerts": len(alerts),
        "reds": sum(1 for alert in alerts if alert["severity"] == "red"),
        "alert_list": list[Json](alerts),
        "not_enough": len(small),
        "minimum": limits.minimum_rows,
        "first_event": plain(times.min()) if len(times) else None,
        "last_event": plain(times.max()) if len(times) else None,
        "advice": ADVICE if alerts else "",
    }


def _rounded(value: str | int | float | None) -> Json:
    return finite(value, 6) if isinstance(value, float) else value
