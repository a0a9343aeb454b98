"""Partial dependence: the mean score when one column takes a value in every row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.explain_model.multiclass import mean_score
from pipelines.operations.explain_model.view import View
from pipelines.operations.tables import column_type, plain

ROWS = 1000
POINTS = 12
SHOWN = 80  # characters of a text


def dependence(view: View, name: str, *, seed: int) -> dict[str, Json]:
    """One curve: values of the column that occur, and the mean score at each."""
    labels = view.holdout.labels
    rng = np.random.default_rng([seed, 1])
    picked = np.sort(rng.choice(labels.size, min(ROWS, labels.size), replace=False))
    rows = view.rows(picked)
    places = _examples(view.holdout.frame[name])
    changed = (view.replaced(rows, name, view.rows(np.asarray([place]))) for place in places)
    points: list[Json] = [
        {"value": shown(view.holdout.frame[name].iloc[place]), **mean_score(view, scores)}
        for place, scores in zip(places, view.scores_each(changed), strict=True)
    ]
    return {"column": name, "points": points}


def shown(value: object) -> Json:
    """The value for a chart; a long text by its beginning."""
    found = plain(value)
    return f"{found[:SHOWN]}…" if isinstance(found, str) and len(found) > SHOWN else found


def _examples(values: pd.Series) -> list[int]:
    """Row positions holding the values to show: quantiles, or the most frequent categories."""
    known = values.reset_index(drop=True).dropna()
    if column_type(values) in ("int", "float", "time") and known.nunique() > POINTS:
        ordered = known.sort_values(kind="stable")
        steps = np.linspace(0, len(ordered) - 1, POINTS).round().astype(int)
        chosen = ordered.iloc[steps].drop_duplicates()
    else:
        kept = known.value_counts().index[:POINTS]
        chosen = known[known.isin(kept)].drop_duplicates().sort_values(kind="stable")
    return [int(place) for place in chosen.index]
