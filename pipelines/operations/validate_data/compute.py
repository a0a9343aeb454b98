"""Violations of a data contract, each with column, rule, rows and values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.ingest.target import parse_time
from pipelines.operations.repeats import longest_gap, repeated_rows
from pipelines.operations.tables import (
    as_numbers,
    column_type,
    plain,
    read_document,
    read_table,
    row_hashes,
    write_document,
)

# what breaks a reader blocks; what may be a change of the world warns (own)
BLOCKING = ("missing_column", "type", "not_null", "unique", "finite")
SAME_KIND = {("int", "float"), ("float", "int"), ("int", "bool"), ("bool", "int")}


@dataclass(frozen=True)
class Broken:
    """One rule broken in one column, with a mask of its rows (None: the whole column)."""

    column: str
    rule: str
    expected: Json
    rows: np.ndarray | None = None


def run(context: Context) -> Outcome:
    """Judge the table; raises OperationError only when table or contract is unreadable."""
    frame = read_table(context.inputs["table"])
    contract = read_document(context.inputs["contract"])
    broken = list(find_broken(frame, contract))
    context.progress(0.6, "rules checked", len(frame))
    violations: list[Json] = [_shown(item, frame, context.whole("rows_shown")) for item in broken]
    touched = {"block": np.zeros(len(frame), bool), "warn": np.zeros(len(frame), bool)}
    for item in broken:
        touched[_severity(item)] |= True if item.rows is None else item.rows
    key = _key(frame, contract)
    told = repeated_rows(frame.drop(columns=key))
    facts: dict[str, Json] = {
        "rows": len(frame),
        "columns": len(frame.columns),
        "violations": violations,
        "blocking": sum(_severity(item) == "block" for item in broken),
        "warnings": sum(_severity(item) == "warn" for item in broken),
        "rows_blocking": int(touched["block"].sum()),
        "rows_warning": int(touched["warn"].sum()),
        "rows_warning_share": finite(float(touched["warn"].mean()), 8),
        "duplicates": int(pd.Series(row_hashes(frame)).duplicated().sum()) if key else told["rows"],
        "repeats": told,
        "times": _times(context, frame, contract),
        "freshness": _freshness(context, frame, contract),
        "labels": _labels(frame, context.text("target") or str(contract.get("target") or "")),
    }
    path = write_document(context.output("report"), facts)
    return Outcome(outputs={"report": path}, facts=facts)


def find_broken(frame: pd.DataFrame, contract: Mapping[str, Json]) -> Iterator[Broken]:
    """Every broken rule, column by column in the contract's order, then unknown columns."""
    columns = contract.get("columns")
    entries = (
        [entry for entry in columns if isinstance(entry, dict)] if isinstance(columns, list) else []
    )
    for entry in entries:
        name = str(entry["name"])
        if name not in frame.columns:
            yield Broken(name, "missing_column", str(entry["type"]))
        else:
            yield from column_broken(frame[name], entry)
    known = {str(entry["name"]) for entry in entries}
    for name in frame.columns:
        if name not in known:
            yield Broken(str(name), "extra_column", None)


def column_broken(series: pd.Series, entry: Mapping[str, Json]) -> Iterator[Broken]:
    """Every rule that one column breaks."""
    name, expected = str(entry["name"]), str(entry["type"])
    found = column_type(series)
    missing = series.isna().to_numpy()
    if not missing.all() and found != expected and (found, expected) not in SAME_KIND:
        yield Broken(name, "type", expected)
        return
    if missing.any() and entry.get("nullable") is False:
        yield Broken(name, "not_null", False, missing)
    share = entry.get("max_null_share")
    if entry.get("nullable") and isinstance(share, int | float) and missing.mean() > share:
        yield Broken(name, "null_share", share, missing)
    if entry.get("unique") is True and series.duplicated().any():
        yield Broken(name, "unique", True, series.duplicated(keep=False).to_numpy())
    if found in ("int", "float") and not missing.all():
        yield from _number_broken(series, entry)
    categories = entry.get("categories")
    if isinstance(categories, list) and found == "text":
        unknown = ~series.isin([str(value) for value in categories]).to_numpy() & ~missing
        if unknown.any():
            yield Broken(name, "category", categories[:20], unknown)


def _number_broken(series: pd.Series, entry: Mapping[str, Json]) -> Iterator[Broken]:
    values = as_numbers(series)
    infinite = np.isinf(values)
    if infinite.any():
        yield Broken(str(entry["name"]), "finite", True, infinite)
    for rule, outside in (("minimum", np.less), ("maximum", np.greater)):
        limit = entry.get(rule)
        if isinstance(limit, int | float):
            rows = outside(values, limit) & ~infinite
            if rows.any():
                yield Broken(str(entry["name"]), rule, limit, rows)


def _severity(item: Broken) -> str:
    return "block" if item.rule in BLOCKING else "warn"


def _shown(item: Broken, frame: pd.DataFrame, limit: int) -> Json:
    rows = [] if item.rows is None else np.flatnonzero(item.rows)[:limit].tolist()
    count = len(frame) if item.rows is None else int(item.rows.sum())
    values = [plain(frame[item.column].iloc[row]) for row in rows]
    return {
        "column": item.column,
        "rule": item.rule,
        "expected": item.expected,
        "severity": _severity(item),
        "count": count,
        "share": finite(count / len(frame), 8),
        "rows": [row + 1 for row in rows],
        "values": values,
        "message": _message(item, frame, count, rows),
    }


def _message(item: Broken, frame: pd.DataFrame, count: int, rows: list[int]) -> str:
    if item.rule == "missing_column":
        return f"column {item.column!r} ({item.expected}) is not in the table"
    if item.rule == "extra_column":
        return f"column {item.column!r} is not in the contract"
    if item.rule == "type":
        found = column_type(frame[item.column])
        return f"column {item.column!r} holds {found}, the contract says {item.expected}"
    first = plain(frame[item.column].iloc[rows[0]])
    rule = "known category" if item.rule == "category" else f"{item.rule} {item.expected}"
    return (
        f"column {item.column!r}: {count:,} rows break {rule}, first row {rows[0] + 1}: {first!r}"
    )


def _key(frame: pd.DataFrame, contract: Mapping[str, Json]) -> list[str]:
    """A key of its own makes no row another one."""
    name = str(contract.get("key_column") or "")
    return [name] if name in frame.columns and len(frame.columns) > 1 else []


def _time_column(context: Context, contract: Mapping[str, Json]) -> str:
    return context.text("time_column") or str(contract.get("time_column") or "")


def _times(context: Context, frame: pd.DataFrame, contract: Mapping[str, Json]) -> dict[str, Json]:
    """The longest time without a row; nothing where there is no time."""
    name = _time_column(context, contract)
    if name not in frame.columns or column_type(frame[name]) != "time":
        return {}
    return longest_gap(frame[name])


def _freshness(
    context: Context, frame: pd.DataFrame, contract: Mapping[str, Json]
) -> dict[str, Json]:
    """Newest time and its age in days at `as_of`; None where unknown."""
    name = _time_column(context, contract)
    found: dict[str, Json] = {
        "time_column": name or None, "newest": None, "as_of": context.text("as_of") or None,
        "age_days": None, "max_age_days": contract.get("max_age_days"),
    }  # fmt: skip
    if name not in frame.columns or column_type(frame[name]) != "time":
        return found
    newest = frame[name].max()
    found["newest"] = plain(newest)
    as_of = parse_time(context.text("as_of"), "as_of")
    if as_of is not None and not pd.isna(newest):
        found["age_days"] = finite((pd.Timestamp(as_of) - newest).total_seconds() / 86_400, 4)
    return found


def _labels(frame: pd.DataFrame, target: str) -> dict[str, Json]:
    """How many rows have a label, and the rarest class of at most 20."""
    if target not in frame.columns:
        return {"target": target or None, "labelled": None, "share": None, "classes": None}
    labels = frame[target].dropna()
    counts = labels.value_counts()
    classes: Json = None
    if len(counts) <= 20:
        classes = {str(plain(value)): int(count) for value, count in sorted(counts.items())}
    return {
        "target": target,
        "labelled": len(labels),
        "share": finite(len(labels) / len(frame), 6),
        "classes": classes,
        "rarest": int(counts.min()) if classes else None,
    }
