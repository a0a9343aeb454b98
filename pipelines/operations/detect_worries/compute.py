"""All detectors of W1 to W8 over one table."""

from collections.abc import Iterator

import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.detect_worries import columns as single
from pipelines.operations.detect_worries import leaks, relations
from pipelines.operations.detect_worries.findings import (
    KEPT,
    ORDER,
    Finding,
    Found,
    levels,
    reasons,
)
from pipelines.operations.detect_worries.missing import missing
from pipelines.operations.detect_worries.outliers import outliers
from pipelines.operations.detect_worries.targets import Target
from pipelines.operations.tables import need_target, read_document, read_table, write_document


def run(context: Context) -> Outcome:
    """Find worries; raises OperationError when the target is missing or has one value."""
    frame = read_table(context.inputs["table"])
    target = context.text("target")
    frame = frame[need_target(frame, target).notna()]
    contract = read_document(context.inputs["contract"]) if "contract" in context.inputs else {}
    looked = list(_find(context, frame, contract))
    found = sorted(
        (item for item in looked if isinstance(item, Finding)),
        key=lambda item: (item.worry, ORDER[item.severity], -item.value, item.columns),
    )
    facts: dict[str, Json] = {
        "rows": len(frame),
        "findings": shown(found),
        "found": len(found),
        "blockers": sum(item.severity == "blocker" for item in found),
        "warnings": sum(item.severity == "warn" for item in found),
        "notes": sum(item.severity == "note" for item in found),
        "worries": levels(looked),
        "reasons": reasons(looked),
    }
    document: dict[str, Json] = {**facts, "findings": [item.as_json() for item in found]}
    path = write_document(context.output("worries"), document)
    context.progress(1.0, "all worries looked at", len(frame))
    return Outcome(outputs={"worries": path}, facts=facts)


def shown(found: list[Finding]) -> list[Json]:
    """As many of each worry as a page can show: the worst."""
    told: dict[str, list[Json]] = {}
    for item in found:
        kept = told.setdefault(item.worry, [])
        if len(kept) < KEPT:
            kept.append(item.as_json())
    return [row for rows in told.values() for row in rows]


def _find(context: Context, frame: pd.DataFrame, contract: dict[str, Json]) -> Iterator[Found]:
    names = candidates(context, frame, contract)
    target = Target.of(frame[context.text("target")], context.text("task"))
    rows = len(frame)
    yield from single.imbalance(context, frame, target)
    context.progress(0.1, "W1 looked at", rows)
    yield from outliers(context, frame, names)
    context.progress(0.3, "W2 looked at", rows)
    yield from missing(context, frame, names, target)
    yield from single.cardinality(context, frame, names)
    context.progress(0.5, "W3 and W4 looked at", rows)
    sample = relations.sample_of(context, frame)
    yield from relations.correlated(context, sample, names)
    context.progress(0.7, "W5 looked at", rows)
    sampled = Target.of(sample[context.text("target")], context.text("task"))
    yield from leaks.leaking(context, sample, names, sampled)
    yield from leaks.inconsistent(frame, contract)
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
