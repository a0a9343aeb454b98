"""Type, missing, distinct, quantiles, top values and histogram of every column."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.profile.shown import QUANTILES, frequent, shown_numbers
from pipelines.operations.profile.streamed import profile_stream, rank_error
from pipelines.operations.tables import (
    as_numbers,
    column_type,
    read_table,
    row_hashes,
    write_document,
)

INDEX_BYTES = 132  # what pandas counts for the row numbers (tool)


def run(context: Context) -> Outcome:
    """Describe a table; raises OperationError when it is empty or unreadable."""
    try:
        rows = pq.read_metadata(context.inputs["table"]).num_rows
    except (pa.ArrowException, OSError):
        rows = 0  # read_table says what is wrong
    if rows > context.whole("exact_rows"):
        summary, columns = _streamed(context, rows)
    else:
        summary, columns = _in_memory(context)
    path = write_document(context.output("profile"), {**summary, "columns": columns})
    return Outcome(outputs={"profile": path}, facts=summary)


def _in_memory(context: Context) -> tuple[dict[str, Json], list[Json]]:
    frame = read_table(context.inputs["table"])
    columns: list[Json] = []
    for at, name in enumerate(frame.columns):
        context.progress(at / len(frame.columns), f"describing {name}", len(frame))
        columns.append(describe(frame[name], bins=context.whole("bins"), top=context.whole("top")))
    duplicates = int(pd.Series(row_hashes(frame)).duplicated().sum())
    memory = int(frame.memory_usage(deep=False).sum())
    summary = _summary(columns, rows=len(frame), duplicates=duplicates, memory=memory)
    return summary | {"duplicate_rows_exact": True, "sampled_rows": None}, columns


def _streamed(context: Context, rows: int) -> tuple[dict[str, Json], list[Json]]:
    found = profile_stream(context, context.inputs["table"])
    summary = _summary(
        found.columns, rows=rows, duplicates=found.duplicates, memory=found.memory + INDEX_BYTES
    )
    told: dict[str, Json] = {
        "duplicate_rows_exact": found.exact_duplicates,
        "sampled_rows": found.sampled,
        "quantile_rank_error": finite(rank_error(found.sampled), 6),
    }
    return summary | told, found.columns


def _summary(columns: list[Json], *, rows: int, duplicates: int, memory: int) -> dict[str, Json]:
    found = [column for column in columns if isinstance(column, dict)]
    types = [str(column["type"]) for column in found]
    worst = sorted(found, key=lambda column: -float(str(column["null_share"] or 0)))
    return {
        "rows": rows,
        "column_count": len(columns),
        "types": {kind: types.count(kind) for kind in sorted(set(types))},
        "duplicate_rows": duplicates,
        "memory_bytes": memory,
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
        "distinct_exact": True,
        "top": frequent(counts, top, len(series)),
        "top_exact": True,
    }
    if kind in ("int", "float", "time") and nulls < len(series):
        found.update(_numeric(series, kind, bins))
    if kind == "text" and nulls < len(series):
        lengths = series.dropna().str.len()
        found["lengths"] = {"mean": finite(float(lengths.mean()), 2), "max": int(lengths.max())}
    return found


def _numeric(series: pd.Series, kind: str, bins: int) -> dict[str, Json]:
    values = as_numbers(series)
    values = values[np.isfinite(values)]
    if not values.size:
        return {}
    heights, edges = np.histogram(values, bins=bins)
    return shown_numbers(
        kind,
        mean=float(values.mean()),
        std=float(values.std()),
        marks=[float(value) for value in np.quantile(values, QUANTILES)],
        zeros=int((values == 0).sum()),
        negatives=int((values < 0).sum()),
        edges=edges,
        heights=heights,
    ) | {"quantiles_exact": True}
