"""Real rows with anomalies among them whose places are known."""

from __future__ import annotations

from pipelines.operations.anomalies.planting import KIND, KINDS, PLANTED, plant
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning.frames import column_names, read_columns, read_features
from pipelines.operations.tables import write_table


def run(context: Context) -> Outcome:
    """Plant them; raises OperationError for unknown kinds, or where nothing can be moved."""
    kinds = context.names("kinds")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise OperationError(
            "unknown_kind",
            f"kinds names {unknown[0]!r}",
            field="kinds",
            value=unknown[0],
            rule=f"is one of {', '.join(KINDS)}",
        )
    features = read_features(context.inputs["features"])
    names = column_names(context.inputs["rows"], field="rows")
    taken = [name for name in (PLANTED, KIND) if name in names]
    if taken:
        raise OperationError(
            "column_taken",
            f"the table has a column {taken[0]!r} of its own",
            field="rows",
            value=taken[0],
            rule="this name is needed to mark the anomalies",
        )
    read_columns(context.inputs["rows"], features.names, field="rows")
    frame = read_columns(context.inputs["rows"], names, field="rows").tail(context.whole("rows"))
    context.progress(0.3, "rows read", len(frame))
    checked = plant(
        frame.reset_index(drop=True),
        features.names,
        kinds=kinds,
        count=context.whole("count"),
        strength=context.number("strength"),
        seed=context.seed,
    )
    planted = checked[checked[PLANTED] == 1]
    facts: dict[str, Json] = {
        "rows": len(frame),
        "injected": len(planted),
        "kinds": {kind: int((planted[KIND] == kind).sum()) for kind in kinds},
        "strength": context.number("strength"),
    }
    context.progress(1.0, "anomalies planted", len(checked))
    return Outcome({"checked": write_table(checked, context.output("checked"))}, facts)
