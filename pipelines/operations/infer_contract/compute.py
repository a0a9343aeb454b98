"""A data contract from what a table holds now, with margins for what it may hold later."""

import hashlib
from collections.abc import Mapping

import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.infer_contract.pii import pii_suspicion
from pipelines.operations.tables import (
    need_column,
    plain,
    read_document,
    read_table,
    write_document,
)

ID_SHARE = 0.5  # distinct values per row from which a text column is like an ID (own, W4)


def run(context: Context) -> Outcome:
    """Propose the contract; raises OperationError when a named column is not there."""
    frame = read_table(context.inputs["table"])
    profile = read_document(context.inputs["profile"])
    roles = {
        context.text(field): role
        for field, role in (("target", "target"), ("time_column", "time"), ("key_column", "key"))
        if context.text(field) and need_column(frame, context.text(field), field) is not None
    }
    described = profile.get("columns")
    columns: list[Json] = []
    for entry in described if isinstance(described, list) else []:
        if isinstance(entry, dict) and str(entry["name"]) in frame.columns:
            series = frame[str(entry["name"])]
            columns.append(column_contract(context, series, entry, roles))
    contract: dict[str, Json] = {
        "kind": "data_contract",
        "sealed": False,
        "rows": len(frame),
        "columns": columns,
        "schema_digest": schema_digest(columns),
        "target": context.text("target") or None,
        "time_column": context.text("time_column") or None,
        "key_column": context.text("key_column") or None,
    }
    path = write_document(context.output("contract"), contract)
    context.progress(1.0, "contract proposed", len(frame))
    return Outcome(outputs={"contract": path}, facts=_facts(contract, columns))


def column_contract(
    context: Context,
    series: pd.Series,
    entry: Mapping[str, Json],
    roles: Mapping[str, str],
) -> dict[str, Json]:
    """The expectations of one column."""
    kind, rows = str(entry["type"]), len(series)
    distinct = int(str(entry["distinct"]))
    nulls = int(str(entry["nulls"]))
    listed = kind == "text" and 0 < distinct <= context.whole("max_categories")
    categories: list[Json] = sorted(series.dropna().astype(str).unique()) if listed else []
    share = nulls / rows + context.number("null_margin") if nulls else 0.0
    found: dict[str, Json] = {
        "name": str(entry["name"]),
        "type": kind,
        "nullable": nulls > 0,
        "null_share": finite(nulls / rows, 6),
        "max_null_share": finite(min(1.0, share), 6),
        "categories": categories or None,
        "unique": nulls == 0 and distinct == rows and roles.get(str(entry["name"])) == "key",
        "role": roles.get(str(entry["name"])) or _role(kind, distinct, rows),
        "pii_suspect": pii_suspicion(series),
        "minimum": None,
        "maximum": None,
    }
    if kind in ("int", "float"):
        found.update(_range(entry, context.number("range_margin")))
    return found


def _range(entry: Mapping[str, Json], margin: float) -> dict[str, Json]:
    low, high = entry.get("minimum"), entry.get("maximum")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return {}
    slack = margin * (high - low)
    # counts and durations do not turn negative because of a margin
    bottom = max(0.0, low - slack) if low >= 0 else low - slack
    return {"minimum": finite(bottom, 6), "maximum": finite(high + slack, 6)}


def _role(kind: str, distinct: int, rows: int) -> str:
    if distinct <= 1:
        return "constant"
    if kind == "time":
        return "time"
    if kind == "text":
        return "identifier" if distinct > ID_SHARE * rows else "category"
    return "flag" if kind == "bool" or distinct == 2 else "number"


def schema_digest(columns: list[Json]) -> str:
    """sha256 over names and types, in order."""
    pairs = [f"{entry['name']}:{entry['type']}" for entry in columns if isinstance(entry, dict)]
    return hashlib.sha256("\n".join(pairs).encode()).hexdigest()


def _facts(contract: Mapping[str, Json], columns: list[Json]) -> dict[str, Json]:
    entries = [entry for entry in columns if isinstance(entry, dict)]
    roles = [str(entry["role"]) for entry in entries]
    return {
        "rows": contract["rows"],
        "column_count": len(entries),
        "columns": [
            {"name": entry["name"], "type": entry["type"], "role": entry["role"]}
            for entry in entries
        ],
        "roles": {role: roles.count(role) for role in sorted(set(roles))},
        "pii_suspects": [
            {"column": entry["name"], "reason": entry["pii_suspect"]}
            for entry in entries
            if entry["pii_suspect"]
        ],
        "schema_digest": plain(contract["schema_digest"]),
        "target": contract["target"],
        "time_column": contract["time_column"],
        "key_column": contract["key_column"],
    }
