"""One-column scores, rows shared by training and holdout, times after the prediction.

A scan of single columns cannot see a leak that works only together with others:
what is known when is the data contract's to say.
"""

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.signals import Signal, as_target, closest, make_folds, several
from pipelines.operations.tables import (
    column_type,
    need_column,
    need_target,
    plain,
    read_document,
    read_table,
    row_hashes,
    write_document,
)

MOST_CLASSES = 20  # of a target whose classes are tried one by one (own)


def run(context: Context) -> Outcome:
    """Scan; raises OperationError when the target is missing or has one value only."""
    frame = read_table(context.inputs["table"])
    name = context.text("target")
    frame = frame[need_target(frame, name).notna()]
    after = _declared_after(context)
    excluded = set(context.names("exclude")) | {name}
    signals = _signals(context, frame, name)
    future = future_times(frame, context.text("time_column"))
    ranked = sorted(signals, key=lambda item: (-item.score, item.column))
    columns: list[Json] = [_row(found, context, excluded, after) for found in ranked]
    suspects = [row for row in columns if isinstance(row, dict) and row["level"] == "suspect"]
    open_suspects = [row["column"] for row in suspects if row["answer"] == "open"]
    open_future = [row["column"] for row in future if row["column"] not in excluded | after]
    facts: dict[str, Json] = {
        "target": name,
        "rows": len(frame),
        "measure": signals[0].measure if signals else None,
        "threshold": context.number("suspect_above"),
        "columns": columns,
        "suspects": list(suspects),
        "watch": [row for row in columns if isinstance(row, dict) and row["level"] == "watch"],
        "open": [
            *open_suspects,
            *(column for column in open_future if column not in open_suspects),
        ],
        "highest_open": _highest_open(columns),
        "future_times": list(future),
        "declared_after": [*sorted(after)],
        **_overlap(context, frame),
    }
    path = write_document(context.output("scan"), facts)
    context.progress(1.0, "scanned", len(frame))
    return Outcome(outputs={"scan": path}, facts=facts)


def _declared_after(context: Context) -> set[str]:
    if "contract" not in context.inputs:
        return set()
    columns = read_document(context.inputs["contract"]).get("columns")
    entries = columns if isinstance(columns, list) else []
    return {
        str(entry["name"])
        for entry in entries
        if isinstance(entry, dict) and entry.get("available") == "after"
    }


def _signals(context: Context, frame: pd.DataFrame, target: str) -> list[Signal]:
    limit = context.whole("max_rows")
    if len(frame) > limit:
        keep = np.random.default_rng(context.seed).choice(len(frame), limit, replace=False)
        frame = frame.iloc[np.sort(keep)]
    truths, binary = _truths(frame[target])
    folds = make_folds(len(frame), context.seed)
    found = []
    names = [name for name in frame.columns if name != target]
    for at, name in enumerate(names):
        context.progress(0.8 * at / len(names), f"scoring {name}", len(frame))
        told = [closest(frame[name], truth, binary=binary, folds=folds) for truth in truths]
        found.append(max(told, key=lambda one: one.score))
    return found


def _truths(target: pd.Series) -> tuple[list[np.ndarray], bool]:
    """What a column might leak: the target, or of several classes each against the rest."""
    if not several(target) or target.nunique() > MOST_CLASSES:
        truth, binary = as_target(target)
        return [truth], binary
    values = target.to_numpy()
    return [(values == one).astype("float64") for one in sorted(target.dropna().unique())], True


def _row(found: Signal, context: Context, excluded: set[str], after: set[str]) -> dict[str, Json]:
    level = "clear"
    if found.score > context.number("watch_above"):
        level = "watch"
    if found.score > context.number("suspect_above"):
        level = "suspect"
    answer = "declared after" if found.column in after else "open"
    return {
        "column": found.column,
        "measure": found.measure,
        "score": finite(found.score, 6),
        "level": level,
        "answer": "excluded" if found.column in excluded else answer,
    }


def _highest_open(columns: list[Json]) -> Json:
    """Highest score among columns that may become features."""
    for row in columns:
        if isinstance(row, dict) and row["answer"] == "open":
            return {"column": row["column"], "score": row["score"]}
    return None


def future_times(frame: pd.DataFrame, time_column: str) -> list[dict[str, Json]]:
    """Time columns that are later than the time of prediction in some rows."""
    if not time_column:
        return []
    moment = need_column(frame, time_column, "time_column")
    found: list[dict[str, Json]] = []
    for name in frame.columns:
        if name == time_column or column_type(frame[name]) != "time":
            continue
        later = (frame[name] > moment).to_numpy()
        if later.any():
            row = int(later.argmax())
            found.append(
                {
                    "column": str(name),
                    "rows": int(later.sum()),
                    "share": finite(float(later.mean()), 6),
                    "row": row + 1,
                    "value": plain(frame[name].iloc[row]),
                    "prediction_time": plain(moment.iloc[row]),
                }
            )
    return found


def _overlap(context: Context, frame: pd.DataFrame) -> dict[str, Json]:
    """Rows of the holdout that are in training too; None without a holdout."""
    hashed = pd.Series(row_hashes(frame))
    facts: dict[str, Json] = {
        "duplicate_rows": int(hashed.duplicated().sum()),
        "repeated_rows": int(hashed.duplicated(keep=False).sum()),
        "holdout_rows": None,
        "overlap_rows": None,
        "overlap_first": [],
    }
    if "holdout" in context.inputs:
        holdout = read_table(context.inputs["holdout"])
        shared = np.isin(row_hashes(holdout[list(frame.columns)]), hashed.to_numpy())
        facts["overlap_rows"] = int(shared.sum())
        facts["holdout_rows"] = len(holdout)
        facts["overlap_first"] = [int(row) + 1 for row in np.flatnonzero(shared)[:5]]
    return facts
