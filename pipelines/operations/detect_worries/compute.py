"""All detectors of W1 to W8 over one table."""

from collections.abc import Iterator

import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.detect_worries import columns as single
from pipelines.operations.detect_worries import relations
from pipelines.operations.detect_worries.findings import TITLES, Finding
from pipelines.operations.signals import as_target
from pipelines.operations.tables import need_target, read_document, read_table, write_document

ORDER = {"blocker": 0, "warn": 1, "note": 2}


def run(context: Context) -> Outcome:
    """Find worries; raises OperationError when the target is missing or has one value."""
    frame = read_table(context.inputs["table"])
    target = context.text("target")
    frame = frame[need_target(frame, target).notna()]
    contract = read_document(context.inputs["contract"]) if "contract" in context.inputs else {}
    found = sorted(
        _find(context, frame, contract),
        key=lambda item: (item.worry, ORDER[item.severity], -item.value, item.columns),
    )
    findings: list[Json] = [item.as_json() for item in found]
    facts: dict[str, Json] = {
        "rows": len(frame),
        "findings": findings,
        "blockers": sum(item.severity == "blocker" for item in found),
        "warnings": sum(item.severity == "warn" for item in found),
        "notes": sum(item.severity == "note" for item in found),
        "worries": {worry: _worst(worry, found) for worry in TITLES},
    }
    path = write_document(context.output("worries"), facts)
    context.progress(1.0, "all worries looked at", len(frame))
    return Outcome(outputs={"worries": path}, facts=facts)


def _worst(worry: str, found: list[Finding]) -> str:
    levels = [item.severity for item in found if item.worry == worry]
    return min(levels, key=lambda level: ORDER[level]) if levels else "clear"


def _find(context: Context, frame: pd.DataFrame, contract: dict[str, Json]) -> Iterator[Finding]:
    target = context.text("target")
    names = candidates(context, frame, contract)
    truth, _ = as_target(frame[target])
    rows = len(frame)
    yield from single.imbalance(context, frame, target)
    context.progress(0.1, "W1 looked at", rows)
    yield from single.outliers(context, frame, names)
    context.progress(0.3, "W2 looked at", rows)
    yield from single.missing(context, frame, names, truth)
    yield from single.cardinality(context, frame, names)
    context.progress(0.5, "W3 and W4 looked at", rows)
    sample = relations.sample_of(context, frame)
    yield from relations.correlated(context, sample, names)
    context.progress(0.7, "W5 looked at", rows)
    yield from relations.leaking(context, sample, names, target)
    yield from relations.inconsistent(frame, contract)
    yield from single.memory(context, frame)


def candidates(context: Context, frame: pd.DataFrame, contract: dict[str, Json]) -> list[str]:
    """Columns that may become features: not the target, not excluded, known in time."""
    columns = contract.get("columns")
    after = {
        str(entry["name"])
        for entry in (columns if isinstance(columns, list) else [])
        if isinstance(entry, dict) and entry.get("available") == "after"
    }
    out = after | set(context.names("exclude")) | {context.text("target")}
    return [str(name) for name in frame.columns if name not in out]
