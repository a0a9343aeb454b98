"""Predicted numbers explained row by row: the worst errors, the ends, and rows drawn from all.

The parts are in the target's unit and add up to the prediction less the mean prediction of the
rows that each stood against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.explain_model.view import View
from pipelines.operations.tables import write_document

TOP = 3  # columns named per row in facts; the artefact has all
SHOWN = 30

Picked = Sequence[tuple[int, str]]
Explained = Callable[[Context, View, Picked], tuple[list[dict[str, Json]], float, int]]


def run(context: Context, view: View, explained: Explained) -> Outcome:
    """Explain the picked rows; raises OperationError."""
    holdout = view.holdout
    context.progress(0.1, "scored", holdout.labels.size)
    found, worst, against = explained(context, view, _picked(context, view))
    for row in found:
        place = int(str(row["row"]))
        row["error"] = finite(float(holdout.scores[place] - holdout.labels[place]), 6)
    # a sum of parts is as exact as the numbers are large
    size = max(1.0, float(np.abs(holdout.scores).max(initial=0.0)))
    facts: dict[str, Json] = {
        "task": "regression",
        "rows": holdout.labels.size,
        "columns": len(view.places),
        "orders": context.whole("orders"),
        "stood_against": against,
        "explained": len(found),
        "errors_explained": sum(str(row["why"]).startswith("worst") for row in found),
        "largest_gap": finite(worst / size),
    }
    document: dict[str, Json] = {
        "format": "baton/rows/1",
        "facts": facts,
        "rows": list[Json](found),
    }
    path = write_document(context.output("rows"), document)
    shown: list[Json] = [_short(row) for row in found[:SHOWN]]
    return Outcome({"rows": path}, {**facts, "examples": shown})


def _picked(context: Context, view: View) -> list[tuple[int, str]]:
    """Rows and why: worst errors (whichever way), lowest and highest predictions, drawn."""
    predicted, truth = view.holdout.scores, view.holdout.labels
    errors = predicted - truth
    wrong = np.argsort(-np.abs(errors), kind="stable")[: context.whole("errors")]
    ranked = np.argsort(predicted, kind="stable")
    ends = context.whole("close")
    low, high = ranked[: ends // 2], ranked[::-1][: ends - ends // 2]
    rng = np.random.default_rng([context.seed, 1])
    others = np.sort(
        rng.choice(truth.size, min(context.whole("others"), truth.size), replace=False)
    )
    picked: dict[int, str] = {}
    for row in wrong:
        picked[int(row)] = "worst error, too high" if errors[row] > 0 else "worst error, too low"
    for rows, why in ((low, "lowest"), (high, "highest"), (others, "drawn")):
        for row in rows:
            picked.setdefault(int(row), why)
    return list(picked.items())


def _short(row: dict[str, Json]) -> Json:
    added = row["added"]
    return {**row, "added": added[:TOP] if isinstance(added, list) else []}
