"""Permutation importance of raw columns; every repeat draws other rows.

So the interval holds for new rows of the same kind, not only for other shuffles of one sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipelines.operations.contract import Context, Json
from pipelines.operations.explain_model.view import View
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER
from pipelines.operations.learning.tasks import need_metric


@dataclass(frozen=True)
class Importance:
    """What the score loses when a column is shuffled: mean and 95 % t interval."""

    column: str
    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, Json]:
        """The row for facts and pages."""
        return {
            "column": self.column,
            "value": round(self.value, 6),
            "low": round(self.low, 6),
            "high": round(self.high, 6),
            "beneficial": self.low > 0,
        }


def importances(view: View, context: Context) -> list[Importance]:
    """Every raw column, the most important first."""
    task, repeats = view.candidate.task, context.whole("repeats")
    metric = need_metric(task, context.text("metric"))
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    losses: dict[str, list[float]] = {name: [] for name in view.places}
    for repeat in range(repeats):
        rng = np.random.default_rng([context.seed, repeat])
        picked = task.draw(view.holdout.labels, rng, context.whole("rows"))
        rows, labels = view.rows(picked), view.holdout.labels[picked]
        whole = task.measure(view.scores(rows), labels)[metric]
        orders = {name: rng.permutation(picked.size) for name in view.places}
        shuffled = (
            view.replaced(rows, name, view.rows(picked[order])) for name, order in orders.items()
        )
        for name, scores in zip(orders, view.scores_each(shuffled), strict=True):
            losses[name].append(sign * (whole - task.measure(scores, labels)[metric]))
        context.progress(0.1 + 0.6 * (repeat + 1) / repeats, f"shuffled {repeat + 1} of {repeats}")
    found = [_summary(name, np.asarray(values)) for name, values in losses.items()]
    return sorted(found, key=lambda row: (-row.value, row.column))


def group_importance(view: View, names: list[str], context: Context) -> Importance | None:
    """What shuffling all these columns together loses; None for no columns.

    Columns that say the same thing look idle one by one, since each stands in for the other.
    """
    if not names:
        return None
    task = view.candidate.task
    metric = need_metric(task, context.text("metric"))
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    losses = []
    for repeat in range(context.whole("repeats")):
        rng = np.random.default_rng([context.seed, repeat, 1])
        picked = task.draw(view.holdout.labels, rng, context.whole("rows"))
        rows, labels = view.rows(picked), view.holdout.labels[picked]
        whole = task.measure(view.scores(rows), labels)[metric]
        shuffled, source = rows, view.rows(rng.permutation(picked))
        for name in names:
            shuffled = view.replaced(shuffled, name, source)
        losses.append(sign * (whole - task.measure(view.scores(shuffled), labels)[metric]))
    return _summary("all of them", np.asarray(losses))


def _summary(name: str, values: np.ndarray) -> Importance:
    mean = float(values.mean())
    half = float(stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
    return Importance(name, mean, mean - half, mean + half)
