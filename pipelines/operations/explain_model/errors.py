"""The gallery of worst errors, each with what moved its score (W25)."""

from __future__ import annotations

import numpy as np

from pipelines.operations.contract import Json
from pipelines.operations.explain_model.dependence import shown
from pipelines.operations.explain_model.multiclass import named, of_truth
from pipelines.operations.explain_model.view import View
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.tables import plain

REASONS = 3


def worst_errors(view: View, *, count: int) -> list[dict[str, Json]]:
    """Rows of greatest loss; reasons are changes of the score against a typical value."""
    holdout, candidate = view.holdout, view.candidate
    losses = candidate.task.losses(holdout.scores, holdout.labels)
    picked = np.argsort(-losses, kind="stable")[:count]
    if not picked.size:
        return []
    moved = _moved(view, picked)
    scored = of_truth(view, holdout.scores[picked], picked)
    found: list[dict[str, Json]] = []
    for place, row in enumerate(picked):
        values = holdout.frame.iloc[int(row)]
        found.append(
            {
                "row": int(row),
                "key": {name: plain(values[name]) for name in candidate.key},
                "score": float(scored[place]),
                "label": plain(holdout.labels[row]),
                **named(view, int(row)),
                "reasons": _reasons(moved, place, values),
            }
        )
    return found


def _moved(view: View, picked: np.ndarray) -> dict[str, Floats]:
    """By column, how much higher each score is than with the column's most typical value."""
    rows = view.rows(picked)
    scores = of_truth(view, view.scores(rows), picked)
    typical = (
        view.replaced(rows, name, view.rows(np.asarray([_typical(view, name)])))
        for name in view.places
    )
    pairs = zip(view.places, view.scores_each(typical), strict=True)
    return {name: scores - of_truth(view, other, picked) for name, other in pairs}


def _typical(view: View, name: str) -> int:
    """Position of a row holding the median number or the most frequent value."""
    values = view.holdout.frame[name].reset_index(drop=True)
    known = values.dropna()
    if known.empty:
        return 0
    if known.dtype.kind in "ifM":
        ordered = known.sort_values(kind="stable")
        return int(ordered.index[len(ordered) // 2])
    return int((known == known.value_counts().index[0]).idxmax())


def _reasons(moved: dict[str, Floats], place: int, values: object) -> list[Json]:
    ranked = sorted(moved, key=lambda name: (-abs(moved[name][place]), name))[:REASONS]
    return [
        {
            "column": name,
            "value": shown(values[name]),  # type: ignore[index]
            "moved": float(moved[name][place]),
        }
        for name in ranked
    ]
