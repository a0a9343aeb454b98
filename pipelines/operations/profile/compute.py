"""Type, missing, distinct, quantiles, top values and histogram of every column."""

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.tables import (
    as_numbers,
    column_type,
    plain,
    read_table,
    row_hashes,
    write_document,
)

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def run(context: Context) -> Outcome:
    """Describe a table; raises OperationError when it is empty or unreadable."""
    frame = read_table(context.inputs["table"])
    columns: list[Json] = []
    for at, name in enumerate(frame.columns):
        context.progress(at / len(frame.columns), f"describing {name}", len(frame))
        columns.append(describe(frame[name], bins=context.whole("bins"), top=context.whole("top")))
    duplicates = int(pd.Series(row_hashes(frame)).duplicated().sum())
    summary = _summary(frame, columns, duplicates)
    path = write_document(context.output("profile"), {**summary, "columns": columns})
    return Outcome(outputs={"profile": path}, facts=summary)


def _summary(frame: pd.DataFrame, columns: list[Json], duplicates: int) -> dict[str, Json]:
    found = [column for column in columns if isinstance(column, dict)]
    types = [str(column["type"]) for column in found]
    worst = sorted(found, key=lambda column: -float(str(column["null_share"] or 0)))
    return {
        "rows": len(frame),
        "column_count": len(columns),
        "types": {kind: types.count(kind) for kind in sorted(set(types))},
        "duplicate_rows": duplicates,
        "memory_bytes": int(frame.memory_usage(deep=False).sum()),
        "most_missing": [
            {"column": column["name"], "share": column["null_share"]}
            for column in worst[:10]
            if column["nulls"]
        ],
        "constant_columns": [column["name"] for column in found if column["distinct"] == 1],
        "empty_columns": [column["name"] for column in found if column["distinct"] == 0],
    }


def describe(series: pd.Series, *, bins: int, top: int) -> dict[str, Json]:
    """One column as plain data; shares are of all rows, quantiles of known values."""
    kind = column_type(series)
    nulls = int(series.isna().sum())
    counts = series.value_counts(dropna=True, sort=False)
    found: dict[str, Json] = {
        "name": str(series.name),
        "type": kind,
        "rows": len(series),
        "nulls": nulls,
        "null_share": finite(nulls / len(series), 6),
        "distinct": len(counts),
        "top": _top(counts, top, len(series)),
    }
    if kind in ("int", "float", "time") and nulls < len(series):
        found.update(_numeric(series, kind, bins))
    if kind == "text" and nulls < len(series):
        lengths = series.dropna().str.len()
        found["lengths"] = {"mean": finite(float(lengths.mean()), 2), "max": int(lengths.max())}
    return found


def _top(counts: pd.Series, top: int, rows: int) -> list[Json]:
    """Most frequent values; ties in the order of their text, so that runs agree."""
    # Only the values at or above the last shown count need the slow sort by text.
    least = counts.nlargest(top).min() if len(counts) > top else 0
    frequent = counts[counts >= least]
    if len(frequent) > 10 * top:
        frequent = frequent.nlargest(top)
    ordered = sorted(frequent.items(), key=lambda item: (-item[1], str(item[0])))
    return [
        {"value": plain(value), "count": int(count), "share": finite(count / rows, 6)}
        for value, count in ordered[:top]
    ]


def _numeric(series: pd.Series, kind: str, bins: int) -> dict[str, Json]:
    values = as_numbers(series)
    values = values[np.isfinite(values)]
    if not values.size:
        return {}
    marks = np.quantile(values, QUANTILES)
    counts, edges = np.histogram(values, bins=bins)
    shown = [_mark(float(mark), kind) for mark in marks]
    return {
        "mean": _mark(float(values.mean()), kind),
        "std": finite(float(values.std()), 6),
        "minimum": shown[0],
        "maximum": shown[-1],
        "quantiles": {f"{q:g}": mark for q, mark in zip(QUANTILES, shown, strict=True)},
        "zeros": int((values == 0).sum()) if kind != "time" else None,
        "negatives": int((values < 0).sum()) if kind != "time" else None,
        "histogram": {
            "edges": [_mark(float(edge), kind) for edge in edges],
            "counts": [int(count) for count in counts],
        },
    }


def _mark(value: float, kind: str) -> Json:
    if kind == "time":
        return pd.Timestamp(value, unit="s").round("s").isoformat()
    return finite(value, 6)
