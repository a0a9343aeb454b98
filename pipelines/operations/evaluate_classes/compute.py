"""Compute of `evaluate_classes`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.evaluate_classes.abstaining import Scored, abstaining
from pipelines.operations.evaluate_classes.counts import (
    COUNTS,
    class_scores,
    drawn,
    four_counts,
    with_interval,
)
from pipelines.operations.evaluate_classes.multiclass import judge_several
from pipelines.operations.learning.resampling import group_codes
from pipelines.operations.tables import need_column, read_document, read_table, write_document


def run(context: Context) -> Outcome:
    """Judge the decisions; raises OperationError where evaluation and rows do not fit."""
    evaluated = read_document(context.inputs["evaluation"]).get("facts")
    facts = evaluated if isinstance(evaluated, dict) else {}
    if facts.get("task") == "multiclass":
        return _several(context, facts)
    threshold = facts.get("threshold")
    if not isinstance(threshold, int | float) or isinstance(threshold, bool):
        raise OperationError(
            "no_threshold", "the evaluation states no threshold",
            field="evaluation", value=str(threshold), rule="facts.threshold is a number",
        )  # fmt: skip
    frame = _predictions(context.inputs["predictions"])
    rows = Scored(
        frame["score"].to_numpy(dtype="float64"), frame["label"].to_numpy() == 1, float(threshold)
    )
    groups = _groups(context, len(frame))
    context.progress(0.2, "rows read", len(frame))
    found = _judged(rows, _decisions(frame, rows), groups, context)
    found["positive"] = facts.get("positive")
    found["target"] = facts.get("target")
    context.progress(0.7, "classes judged", len(frame))
    halves = _halves(len(frame), groups, context.seed)
    found["abstain"] = abstaining(rows, context.number("abstain_error"), halves)
    path = write_document(context.output("classes"), {"format": "baton/classes/1", "facts": found})
    context.progress(1.0, "abstain band chosen", len(frame))
    return Outcome({"classes": path}, found)


def _several(context: Context, facts: dict[str, Json]) -> Outcome:
    """The same for several classes."""
    frame = _predictions(context.inputs["predictions"], more=("answer",))
    groups = _groups(context, len(frame))
    halves = _halves(len(frame), groups, context.seed)
    found = judge_several(context, facts, frame, groups, halves)
    found |= {"positive": None, "target": facts.get("target")}
    path = write_document(context.output("classes"), {"format": "baton/classes/1", "facts": found})
    context.progress(1.0, "classes judged, abstain band chosen", len(frame))
    return Outcome({"classes": path}, found)


def _predictions(path: Path, *, more: tuple[str, ...] = ()) -> pd.DataFrame:
    frame = read_table(path)
    for name in ("score", "label", *more):
        need_column(frame, name, "predictions")
    return frame


def _groups(context: Context, rows: int) -> npt.NDArray[np.int64] | None:
    name = context.text("group_column")
    if not name or "holdout" not in context.inputs:
        return None
    column = need_column(read_table(context.inputs["holdout"]), name, "group_column")
    if len(column) != rows:
        raise OperationError(
            "rows_differ",
            f"holdout has {len(column):,} rows, predictions have {rows:,}",
            field="holdout",
            value=len(column),
            rule="holds the rows that were predicted",
        )
    return group_codes(column)


def _decisions(frame: pd.DataFrame, rows: Scored) -> npt.NDArray[np.bool_]:
    """By thresholds that other rows chose, where the evaluation wrote them; else by its own."""
    if "honest" in frame.columns:
        return frame["honest"].to_numpy(dtype=np.bool_)
    return rows.scores >= rows.threshold


def _judged(
    rows: Scored,
    flagged: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64] | None,
    context: Context,
) -> dict[str, Json]:
    cells = four_counts(rows.truth, flagged)
    total = cells.sum(axis=0)
    seed, samples = context.seed, context.whole("samples")
    values = class_scores(total[None, :])
    spread = class_scores(drawn(cells, groups, samples=samples, seed=seed))
    scores = {name: with_interval(float(values[name][0]), spread[name]) for name in values}
    classes: list[Json] = [
        {
            "class": name,
            "rows": int(total[2 * place] + total[2 * place + 1]),
            **{kind: scores[f"{kind} {place}"] for kind in ("recall", "precision", "f1")},
        }
        for place, name in enumerate(("other", "positive"))
    ]
    return {
        "rows": int(total.sum()),
        "threshold": rows.threshold,
        "classes": classes,
        "lowest_recall": min(
            (scores["recall 0"], scores["recall 1"]), key=lambda one: float(str(one["value"]))
        ),
        "macro_f1": scores["macro_f1"],
        "accuracy": scores["accuracy"],
        "majority": _majority(total),
        "confusion": {name: int(count) for name, count in zip(COUNTS, total, strict=True)},
        "interval": {
            "unit": "row" if groups is None else "group",
            "units": int(total.sum()) if groups is None else int(groups.max()) + 1,
            "samples": samples,
        },
    }


def _majority(total: npt.NDArray[np.float64]) -> Json:
    """What answering the more frequent class to every row scores."""
    negative, positive = total[0] + total[1], total[2] + total[3]
    counts = (0.0, negative, 0.0, positive) if positive >= negative else (negative, 0, positive, 0)
    found = class_scores(np.asarray([counts], dtype=np.float64))
    return {name: finite(float(found[name][0]), 6) for name in ("macro_f1", "accuracy")}


def _halves(rows: int, groups: npt.NDArray[np.int64] | None, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows lie in the first half; groups are never parted."""
    units = np.arange(rows) if groups is None else groups
    count = int(units.max()) + 1
    first = np.zeros(count, dtype=bool)
    first[np.random.default_rng(seed).permutation(count)[: count // 2]] = True
    found: npt.NDArray[np.bool_] = first[units]
    return found
