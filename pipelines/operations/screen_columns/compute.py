"""Worries about rows without a target, in the same form as those about rows with one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.detect_worries.columns import memory
from pipelines.operations.detect_worries.compute import shown
from pipelines.operations.detect_worries.findings import (
    ORDER,
    Finding,
    Found,
    Unjudged,
    examples,
    levels,
    reasons,
)
from pipelines.operations.detect_worries.leaks import inconsistent
from pipelines.operations.detect_worries.relations import LEAST_ROWS
from pipelines.operations.screen_columns.columns import find_in_column
from pipelines.operations.tables import as_numbers, read_document, read_table, write_document
from pipelines.operations.unlabelled.columns import is_number
from pipelines.operations.unlabelled.matrix import sample_rows

PAIRS = 300  # numbers compared in pairs: 300 give 45,000


def run(context: Context) -> Outcome:
    """Find worries; raises OperationError only for an unreadable table."""
    frame = read_table(context.inputs["rows"])
    names = compared(context, frame)
    context.progress(0.2, f"{len(names)} columns to look at", len(frame))
    contract = _contract(context)
    looked = list(find(context, frame, names, contract))
    found = sorted(
        (item for item in looked if isinstance(item, Finding)),
        key=lambda item: (ORDER[item.severity], item.worry, -item.value, item.columns),
    )
    facts: dict[str, Json] = {
        "rows": len(frame),
        "columns": len(names),
        "findings": shown(found),
        "found": len(found),
        "blockers": sum(item.severity == "blocker" for item in found),
        "warnings": sum(item.severity == "warn" for item in found),
        "notes": sum(item.severity == "note" for item in found),
        "worries": levels(looked),
        "reasons": reasons(looked),
    }
    document: dict[str, Json] = {**facts, "findings": [item.as_json() for item in found]}
    context.progress(1.0, "all worries looked at", len(frame))
    return Outcome({"worries": write_document(context.output("worries"), document)}, facts)


def compared(context: Context, frame: pd.DataFrame) -> list[str]:
    """Columns that rows may be compared by: no key, not excluded, known in time."""
    contract = _contract(context)
    columns = contract.get("columns")
    after = {
        str(entry["name"])
        for entry in (columns if isinstance(columns, list) else [])
        if isinstance(entry, dict) and entry.get("available") == "after"
    }
    stated = {str(contract.get(name) or "") for name in ("key_column", "time_column")}
    out = after | stated | set(context.names("exclude")) | {context.text("key_column")}
    return [str(name) for name in frame.columns if name not in out]


def _contract(context: Context) -> dict[str, Json]:
    return read_document(context.inputs["contract"]) if "contract" in context.inputs else {}


def find(
    context: Context, frame: pd.DataFrame, names: list[str], contract: dict[str, Json]
) -> Iterator[Found]:
    """Worries about the table, then about its columns, then about pairs of them."""
    yield Unjudged("W1", "does not apply", "nothing is predicted, so no class can be rare")
    yield Unjudged("W6", "does not apply", "nothing is predicted, so nothing can give it away")
    yield from _table(context, frame, names)
    yield from memory(context, frame)
    if len(names) <= context.whole("most_columns"):
        yield from inconsistent(frame[names], contract)
    else:
        yield Unjudged("W7", "does not apply", "so many columns block already (W8)")
    told = []
    for name in names:
        found = list(find_in_column(context, frame, name))
        told += [item.severity for item in found if "tells no row" in item.message]
        yield from found
    if names and len(told) == len(names):
        yield Finding(
            "W3", "blocker", tuple(names[:20]), float(len(names)), 0.0,
            f"none of the {len(names)} columns tells rows apart",
            "Bring columns in which rows differ",
        )  # fmt: skip
    context.progress(0.6, "columns looked at", len(frame))
    yield from _copies(context, frame, names)


def _table(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Finding]:
    rows, fewest = len(frame), context.whole("fewest_rows")
    if rows < fewest:
        yield Finding(
            "W1", "blocker", (), float(rows), float(fewest),
            f"{rows} rows: no group or habit in so few would show in others",
            "Bring more rows",
        )  # fmt: skip
    most = context.whole("most_columns")
    if len(names) > most:
        yield Finding(
            "W8", "blocker", (), float(len(names)), float(most),
            f"{len(names):,} columns: with so many, every row is about as far from every other",
            "Choose the columns that matter, or exclude those that do not",
        )  # fmt: skip
    elif len(names) > max(10, rows // 10):
        yield Finding(
            "W8", "warn", (), float(len(names)), float(max(10, rows // 10)),
            f"{len(names)} columns for {rows:,} rows: distances say little",
            "Choose fewer columns", "conv",
        )  # fmt: skip
    hashed = pd.util.hash_pandas_object(frame[names], index=False) if names else pd.Series(range(0))
    share = float(hashed.duplicated().mean()) if len(hashed) else 0.0
    if share > context.number("duplicate_share"):
        yield Finding(
            "W2", "note", (), share, context.number("duplicate_share"),
            f"{share:.1%} of the rows equal another one in every column",
            "Repeated rows make crowds that are none: find out how they came about",
            rows=int(hashed.duplicated().sum()),
            examples=examples(
                frame, np.flatnonzero(hashed.duplicated())[:5], key=context.text("key_column")
            ),
        )  # fmt: skip


def _copies(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Found]:
    """W5: two columns that say the same count twice in every distance."""
    numbers = [name for name in names if is_number(frame[name]) and frame[name].nunique() > 1]
    if len(frame) < LEAST_ROWS:
        yield Unjudged("W5", "not enough data", f"{len(frame)} rows, fewer than {LEAST_ROWS}")
        return
    if len(numbers) < 2:
        return
    chosen = sample_rows(len(frame), context.whole("max_rows"), seed=context.seed)
    kept = numbers[:PAIRS]
    values = {name: as_numbers(frame[name])[chosen] for name in kept}
    ranked = pd.DataFrame(values).rank()
    corr = ranked.corr(min_periods=20).abs().to_numpy()
    limit = context.number("correlation")
    for first, second in zip(*np.nonzero(np.triu(np.nan_to_num(corr), k=1) > limit), strict=True):
        yield Finding(
            "W5", "warn", (kept[first], kept[second]), float(corr[first, second]), limit,
            f"{kept[first]!r} and {kept[second]!r} say the same: it counts twice in a distance",
            "Keep one of them", "conv",
        )  # fmt: skip
