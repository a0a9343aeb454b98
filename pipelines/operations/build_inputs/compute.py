"""The columns that rows are compared by: roles, definition, tests of the encoders."""

from __future__ import annotations

from pipelines.operations.build_features.probes import run_probes
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.learning.contracts import parse_contract
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.families import encode
from pipelines.operations.tables import read_document, read_table, write_document
from pipelines.operations.unlabelled.columns import Chosen, choose, need_rows


def run(context: Context) -> Outcome:
    """Define and test; raises OperationError where no column tells rows apart."""
    contract = parse_contract(read_document(context.inputs["contract"]))
    frame = read_table(context.inputs["rows"])
    need_rows(frame, field="rows")
    label = context.text("label")
    chosen = choose(frame, context, contract, hidden=(label, context.text("hide")))
    context.progress(0.4, f"{len(chosen.mapped)} columns mapped", len(frame))
    key = (context.text("key_column"),) if context.text("key_column") else contract.key
    time = context.text("time_column") or contract.time
    features = FeatureSet(
        target=label,
        classes=(0, 1),
        columns=chosen.mapped,
        key=tuple(name for name in key if name in frame.columns),
        time=time if time in frame.columns else "",
        left_out=chosen.left_out,
    )
    encode(features, frame, field="rows")
    facts = _facts(features, chosen, rows=len(frame))
    probes = run_probes(features, frame)
    facts |= {
        "tests": [probe.as_json() for probe in probes],
        "tests_run": len(probes) * len(features.columns),
        "tests_failed": sum(len(probe.failed) for probe in probes),
    }
    context.progress(1.0, "encoders tested", len(frame))
    path = write_document(context.output("features"), features.as_json())
    return Outcome({"features": path}, facts)


def _facts(features: FeatureSet, chosen: Chosen, *, rows: int) -> dict[str, Json]:
    return {
        "rows": rows,
        "columns_used": len(features.columns),
        "numbers_made": len(features.outputs),
        "columns": [
            {
                "column": column.name,
                "role": column.role,
                "transformer": column.as_json()["transformer"],
                "unknown": column.as_json()["unknown"],
                "availability": column.availability,
            }
            for column in features.columns
        ],
        "unmapped": [
            {"column": u.name, "worry": u.worry, "problem": u.reason} for u in chosen.unmapped
        ],
        "left_out": [{"column": c.name, "reason": c.reason} for c in chosen.left_out],
        "known_after": [c.name for c in features.columns if c.availability == "after"],
        "availability_undeclared": [
            c.name for c in features.columns if c.availability == "unknown"
        ],
        "digest": features.digest(),
    }
