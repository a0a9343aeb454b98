"""Compute of `explain_model`."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.explain_model.dependence import dependence
from pipelines.operations.explain_model.errors import worst_errors
from pipelines.operations.explain_model.importance import (
    Importance,
    group_importance,
    importances,
)
from pipelines.operations.explain_model.view import View
from pipelines.operations.learning.candidates import open_candidate, open_holdout
from pipelines.operations.tables import write_document

SHOWN = 60


def run(context: Context) -> Outcome:
    """Explain the candidate on the holdout; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    holdout = open_holdout(context.inputs["holdout"], candidate)
    view = View.of(candidate, holdout)
    context.progress(0.1, "scored", len(holdout.labels))
    found = importances(view, context)
    idle = [row.column for row in found if row.low <= 0]
    group = group_importance(view, idle, context)
    context.progress(0.75, "dependence curves")
    top = [row.column for row in found[: context.whole("curves")]]
    curves: list[Json] = [dependence(view, name, seed=context.seed) for name in top]
    context.progress(0.85, "worst errors")
    errors = worst_errors(view, count=context.whole("errors"))
    rows: list[Json] = [row.as_json() for row in found]
    document: dict[str, Json] = {
        "format": "baton/explanation/1",
        "metric": context.text("metric"),
        "importance": rows,
        "dependence": curves,
        "worst_errors": list[Json](errors),
    }
    outputs = {"explanation": write_document(context.output("explanation"), document)}
    facts = _facts(context, found)
    facts |= {
        "idle_group": group.as_json() if group else None,
        "curves": len(curves),
        "worst_errors": len(errors),
    }
    return Outcome(outputs, facts)


def _facts(context: Context, found: Sequence[Importance]) -> dict[str, Json]:
    positive = sum(max(row.value, 0.0) for row in found)
    return {
        "metric": context.text("metric"),
        "columns": len(found),
        "repeats": context.whole("repeats"),
        "rows": context.whole("rows"),
        "importance": [row.as_json() for row in found[:SHOWN]],
        "without_benefit": [row.column for row in found if row.low <= 0],
        "harmful": [row.column for row in found if row.high < 0],
        "top_column": found[0].column,
        "top_share": found[0].value / positive if positive > 0 else None,
    }
