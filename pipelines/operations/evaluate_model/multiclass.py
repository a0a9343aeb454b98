"""Judging several classes: scores, each class apart, calibration, the cheapest answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.evaluate_model.intervals import interval_json, score_intervals
from pipelines.operations.evaluate_model.judgement import Judgement
from pipelines.operations.learning import class_tables
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.class_calibration import calibration_facts
from pipelines.operations.learning.class_costs import (
    ClassCosts,
    constant_answer,
    parse_class_costs,
    saved_interval,
)
from pipelines.operations.learning.class_names import probability_columns, texts_of
from pipelines.operations.learning.resampling import Resampling

SENTENCES = 6


def judge_several(
    context: Context, candidate: Candidate, holdout: Holdout, resampling: Resampling
) -> Judgement:
    """The judgement of several classes; raises OperationError for costs that leave no choice."""
    costs = costs_of(context, holdout.classes)
    scores, truth = holdout.scores, holdout.labels
    measured = score_intervals(candidate.task, holdout, resampling)
    context.progress(0.6, "intervals drawn", len(truth))
    answers, names = costs.answers(scores), texts_of(holdout.classes)
    # what is decided is judged as decided: with costs that is not the likeliest class
    table, overall = class_tables.decided(truth, answers, names, resampling)
    measured |= overall
    paid, saved = saved_interval(truth, answers, costs, resampling)
    if costs.given:
        measured["value_per_1000"] = saved
    areas = class_tables.areas(scores, truth, resampling)
    rows = [{**row, **area} for row, area in zip(table, areas, strict=True)]
    context.progress(0.8, "classes judged", len(truth))
    facts: dict[str, Json] = {
        "classes": list(names),
        "per_class": list[Json](rows),
        "absent_classes": [str(row["class"]) for row in rows if not row["rows"]],
        "lowest_recall": class_tables.lowest_recall(rows),
        "majority": class_tables.majority(truth, len(names)),
        "confusion_matrix": class_tables.matrix(truth, answers, names),
        "calibration": calibration_facts(scores, truth, names, seed=context.seed),
        "threshold": None,
        "threshold_method": "least expected cost" if costs.given else "likeliest class",
        "decision": {
            "rule": "the answer of least expected cost",
            "costs": costs.as_json(),
            "costs_given": costs.given,
            "currency": costs.currency,
            "cost_per_1000": interval_json(paid),
        },
        "value": {
            "currency": costs.currency if costs.given else "errors",
            "per_1000": interval_json(saved),
            "per_1000_over_best_without_model": interval_json(saved),
            "against": [
                {
                    "against": f"always answering {names[constant_answer(costs, truth)]}",
                    "worth": finite(saved.value, 6),
                }
            ],
        },
        "sentences": list[Json](_sentences(rows, candidate.target)),
    }
    return Judgement(measured, facts, _columns(holdout, answers), {})


def costs_of(context: Context, classes: Sequence[Json]) -> ClassCosts:
    """The matrix of the brief, every error 1 where there is none; raises OperationError."""
    given = context.mapping("class_costs")
    return parse_class_costs({"currency": context.text("currency"), **given}, classes)


def _columns(holdout: Holdout, answers: np.ndarray) -> pd.DataFrame:
    """Per row: the probability of its answer, the places of truth and answer, all probabilities."""
    rows = np.arange(answers.size)
    own = {
        "score": holdout.scores[rows, answers],
        "label": holdout.labels,
        "answer": answers,
    }
    named = probability_columns(holdout.classes)
    return pd.DataFrame({**own, **dict(zip(named, holdout.scores.T, strict=True))})


def _sentences(table: Sequence[Mapping[str, Json]], target: str) -> list[str]:
    """Plain sentences on the classes told least often; a share of nothing is said in words."""
    known = [row for row in table if row["rows"] and _value(row, "recall") is not None]
    known.sort(key=lambda row: _value(row, "recall") or 0.0)
    found = []
    for row in known[:SENTENCES]:
        recall, precision = _value(row, "recall"), _value(row, "precision")
        what = f"{target} = {row['class']}"
        told = f"Of 100 with {what}, {round(100 * (recall or 0.0))} are told as such"
        right = f"of 100 answered so, {round(100 * (precision or 0.0))} are right"
        found.append(f"{told}; {right}." if row["answered"] else f"{told}: it is never answered.")
    return found


def _value(row: Mapping[str, Json], kind: str) -> float | None:
    found = row[kind]
    value = found.get("value") if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) else None
