"""Compute of `explain_rows`: single rows, each with what every column added to its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.explain_model.view import View
from pipelines.operations.explain_rows import multiclass, numbers
from pipelines.operations.explain_rows.shapley import Index, Mixed, Parts, draw, explain
from pipelines.operations.learning.candidates import Candidate, open_candidate, open_holdout
from pipelines.operations.learning.class_decisions import Answers, decide_class
from pipelines.operations.learning.decisions import Decided, decide
from pipelines.operations.learning.metrics import Floats, log_losses
from pipelines.operations.learning.tasks import need_task
from pipelines.operations.tables import plain, write_document

TOP = 3  # columns named per row in facts; the artefact has all
SHOWN = 30


def run(context: Context) -> Outcome:
    """Explain the picked rows; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    if candidate.task.name == "regression":
        seen = View.of(candidate, open_holdout(context.inputs["holdout"], candidate))
        return numbers.run(context, seen, _explained)
    if candidate.task.name == "multiclass":
        return _several(context, candidate)
    need_task(candidate.task, "classification")
    holdout = open_holdout(context.inputs["holdout"], candidate)
    view = View.of(candidate, holdout)
    decided = decide(context, holdout)
    context.progress(0.1, "scored", len(holdout.labels))
    found, worst, against = _explained(context, view, _picked(context, view, decided.threshold))
    for row in found:
        row["flagged"] = bool(decided.flags[int(str(row["row"]))])
    facts = _facts(found, decided, worst) | {
        "rows": len(holdout.labels),
        "columns": len(view.places),
        "orders": context.whole("orders"),
        "stood_against": against,
    }
    return _written(context, facts, found)


def _written(context: Context, facts: dict[str, Json], found: list[dict[str, Json]]) -> Outcome:
    document: dict[str, Json] = {
        "format": "baton/rows/1",
        "facts": facts,
        "rows": list[Json](found),
    }
    path = write_document(context.output("rows"), document)
    shown: list[Json] = [_short(row) for row in found[:SHOWN]]
    return Outcome({"rows": path}, {**facts, "examples": shown})


def _explained(
    context: Context, view: View, picked: Sequence[tuple[int, str]]
) -> tuple[list[dict[str, Json]], float, int]:
    """Each row with its parts, the largest miss of their sum, and how many rows it stood against.

    One draw for all rows: they stand against the same others and share one base score.
    """
    scores, rng = view.holdout.scores, np.random.default_rng([context.seed, 2])
    orders = draw(len(view.places), orders=context.whole("orders"), rng=rng)
    mixed = _mixer(view, _spread(scores, orders.pairs))
    found: list[dict[str, Json]] = []
    worst = 0.0
    for row, why in picked:
        parts = explain(row, orders, mixed)
        gap = abs(parts.base + float(parts.added.sum()) - float(scores[row]))
        worst = max(worst, gap)
        found.append(_row(view, (row, why, float(scores[row])), parts))
        context.progress(0.1 + 0.9 * len(found) / len(picked), "explained", len(found))
    return found, worst, orders.pairs


def _several(context: Context, candidate: Candidate) -> Outcome:
    """The same for several classes: each row by the probability of its answer."""
    holdout = open_holdout(context.inputs["holdout"], candidate)
    view = View.of(candidate, holdout)
    decided = decide_class(context, holdout)
    context.progress(0.1, "scored", len(holdout.labels))
    picked = multiclass.picked_rows(context, view, decided)
    rng = np.random.default_rng([context.seed, 2])
    orders = draw(len(view.places), orders=context.whole("orders"), rng=rng)
    mixed = _mixer(view, _spread(holdout.scores.max(axis=1), orders.pairs))
    found: list[dict[str, Json]] = []
    worst = 0.0
    for row, why in picked:
        parts, score, said = multiclass.explained(view, row, decided, (orders, mixed))
        worst = max(worst, abs(parts.base + float(parts.added.sum()) - score))
        found.append(_row(view, (row, why, score), parts) | said)
        context.progress(0.1 + 0.9 * len(found) / len(picked), "explained", len(found))
    facts = _facts(found, decided, worst) | {
        "rows": len(holdout.labels),
        "columns": len(view.places),
        "orders": context.whole("orders"),
        "stood_against": orders.pairs,
    }
    return _written(context, facts, found)


def _picked(context: Context, view: View, threshold: float) -> list[tuple[int, str]]:
    """Rows and why they were picked: worst errors, nearest to the threshold, drawn."""
    scores, labels = view.holdout.scores, view.holdout.labels
    wrong = np.argsort(-log_losses(scores, labels), kind="stable")[: context.whole("errors")]
    near = np.argsort(np.abs(scores - threshold), kind="stable")[: context.whole("close")]
    rng = np.random.default_rng([context.seed, 1])
    any_rows = np.sort(_drawn(labels.size, context.whole("others"), rng))
    picked: dict[int, str] = {}
    for rows, why in (
        (wrong, "worst error"), (near, "near the threshold"), (any_rows, "drawn"),
    ):  # fmt: skip
        for row in rows:
            picked.setdefault(int(row), why)
    return list(picked.items())


def _spread(scores: Floats, count: int) -> Index:
    """Rows at evenly spaced ranks of the score: their mean score is close to that of all."""
    ranked = np.argsort(scores, kind="stable")
    places = ((np.arange(count) + 0.5) * scores.size / count).astype(np.int64)
    return ranked[places].astype(np.int64)


def _drawn(rows: int, limit: int, rng: np.random.Generator) -> Index:
    return rng.choice(rows, min(limit, rows), replace=False).astype(np.int64)


def _mixer(view: View, others: Index) -> Mixed:
    """Scores of rows that are part this row, part another: by raw column."""
    names = list(view.places)
    background = view.rows(others)

    def mixed(row: Index, other: Index, own: np.ndarray) -> Floats:
        mine = view.rows(row[:1])
        if isinstance(background, pd.DataFrame) and isinstance(mine, pd.DataFrame):
            table = background.iloc[other].reset_index(drop=True)
            for place, name in enumerate(names):
                table[name] = table[name].mask(own[:, place], mine[name].iloc[0])
            return view.scores(table)
        matrix = np.asarray(background)[other]
        for place, name in enumerate(names):
            for column in view.places[name]:
                matrix[own[:, place], column] = np.asarray(mine)[0, column]
        return view.scores(matrix)

    return mixed


def _row(view: View, picked: tuple[int, str, float], parts: Parts) -> dict[str, Json]:
    row, why, score = picked
    values = view.holdout.frame.iloc[row]
    order = np.argsort(-np.abs(parts.added), kind="stable")
    names = list(view.places)
    added: list[Json] = [
        {
            "column": names[place],
            "value": plain(values[names[place]]),
            "added": round(float(parts.added[place]), 6),
            "error": finite(float(parts.errors[place]), 6),
        }
        for place in order
    ]
    return {
        "row": row,
        "key": {name: plain(values[name]) for name in view.candidate.key},
        "why": why,
        "score": round(score, 6),
        "label": plain(view.holdout.labels[row]),
        "base": round(parts.base, 6),
        "added": added,
    }


def _short(row: dict[str, Json]) -> Json:
    added = row["added"]
    top = added[:TOP] if isinstance(added, list) else []
    return {**row, "added": top}


def _facts(
    found: Sequence[dict[str, Json]], decided: Decided | Answers, gap: float
) -> dict[str, Json]:
    return {
        **decided.as_json(),
        "explained": len(found),
        "errors_explained": sum(row["why"] == "worst error" for row in found),
        "largest_gap": finite(gap),
    }
