"""Compute of `stress_model`: what a broken sensor, a gap or a new category does to decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.candidates import (
    Candidate,
    open_candidate,
    open_holdout,
    score_frame,
)
from pipelines.operations.learning.class_decisions import Answers, decide_class
from pipelines.operations.learning.decisions import Decided, decide
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.tasks import need_task
from pipelines.operations.stress_model import multiclass, numbers
from pipelines.operations.stress_model.disturbing import Disturbance, disturbances, roles_of
from pipelines.operations.tables import write_document

SHOWN = 40  # disturbances in facts, those that move most first; the artefact has all
ALL = "all at once"
ROWS_AT_ONCE = 20_000  # scored by one call: many small calls cost more


@dataclass(frozen=True)
class Moved:
    """One disturbance, the scores under it, and why the model refused it (else "")."""

    done: Disturbance
    scores: Floats
    refusal: str = ""


def run(context: Context) -> Outcome:
    """Disturb, score and compare; raises OperationError."""
    fractions = _fractions(context)
    candidate = open_candidate(context.inputs["candidate"], context)
    if candidate.task.name == "regression":
        return _numbers(context, candidate, fractions)
    several = candidate.task.name == "multiclass"
    if not several:
        need_task(candidate.task, "classification")
    holdout = open_holdout(context.inputs["holdout"], candidate)
    threshold = decide_class(context, holdout) if several else decide(context, holdout)
    picked = _drawn(len(holdout.labels), context.whole("rows"), context.seed)
    frame = holdout.frame[list(candidate.columns)].iloc[picked].reset_index(drop=True)
    known = candidate.features.columns if candidate.features else None
    tried = list(
        disturbances(frame, roles_of(frame, candidate.columns, known), fractions, seed=context.seed)
    )
    context.progress(0.2, f"{len(tried)} disturbances", len(frame))
    before = holdout.scores[picked]
    found = _scored(candidate, frame, tried, context)
    rows = [_row(one, before, threshold) for one in found]
    rows.sort(key=lambda row: (-float(str(row["flipped"])), str(row["column"]), str(row["kind"])))
    facts = _facts(rows, len(frame), len(holdout.labels))
    facts |= {**threshold.as_json(), "bad_undisturbed": _bad(holdout.scores)}
    document: dict[str, Json] = {
        "format": "baton/stress/1",
        "facts": facts,
        "disturbances": list[Json](rows),
    }
    path = write_document(context.output("stress"), document)
    return Outcome({"stress": path}, {**facts, "disturbances": list[Json](rows[:SHOWN])})


def _numbers(context: Context, candidate: Candidate, fractions: Sequence[float]) -> Outcome:
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=candidate.grouped)
    picked = _drawn(len(holdout.labels), context.whole("rows"), context.seed)
    return numbers.run(
        context, candidate, holdout, picked=picked, fractions=fractions, scored=_scored
    )


def _fractions(context: Context) -> list[float]:
    found = context.items("fractions")
    for value in found:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < float(str(value)) <= 10:
            raise OperationError(
                "bad_fraction",
                f"fractions holds {value!r}",
                field="fractions",
                value=value,
                rule="numbers above 0, at most 10",
            )
    return sorted({float(str(value)) for value in found})


def _drawn(rows: int, limit: int, seed: int) -> np.ndarray:
    if rows <= limit:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))


def _score(candidate: Candidate, table: pd.DataFrame) -> Floats:
    with np.errstate(all="ignore"):  # infinities are put in on purpose
        return score_frame(candidate, table, field="disturbed rows")


def _scored(
    candidate: Candidate, frame: pd.DataFrame, tried: Sequence[Disturbance], context: Context
) -> list[Moved]:
    """Scores under every disturbance; several are scored by one call where none is refused."""
    at_once = max(1, ROWS_AT_ONCE // len(frame))
    found: list[Moved] = []
    for start in range(0, len(tried), at_once):
        part = tried[start : start + at_once]
        found += _together(candidate, frame, part)
        context.progress(0.2 + 0.7 * len(found) / len(tried), "disturbed", len(frame))
    return found


def _together(
    candidate: Candidate, frame: pd.DataFrame, part: Sequence[Disturbance]
) -> list[Moved]:
    tables = [one.apply(frame) for one in part]
    whole = {name: _stacked([table[name] for table in tables]) for name in candidate.columns}
    try:
        scores = _score(candidate, pd.DataFrame(whole))
    except OperationError:
        return [_alone(candidate, one, table) for one, table in zip(part, tables, strict=True)]
    pieces = np.split(scores, len(part))
    return [Moved(one, piece) for one, piece in zip(part, pieces, strict=True)]


def _stacked(parts: Sequence[pd.Series]) -> pd.Series:
    """One under the other; kinds that differ stand as objects, never silently converted."""
    if len({str(part.dtype) for part in parts}) == 1:
        return pd.concat(parts, ignore_index=True)
    if all(pd.api.types.is_numeric_dtype(p.dtype) and p.dtype.kind in "iuf" for p in parts):
        return pd.Series(np.concatenate([p.to_numpy(dtype="float64") for p in parts]))
    return pd.Series([value for part in parts for value in part.astype(object)], dtype=object)


def _alone(candidate: Candidate, one: Disturbance, table: pd.DataFrame) -> Moved:
    try:
        return Moved(one, _score(candidate, table))
    except OperationError as error:
        return Moved(one, np.empty(0), str(error))


def _bad(scores: Floats) -> int:
    """Scores that are no probability: missing, infinite, below 0 or above 1 (Mon5)."""
    if scores.ndim > 1:
        return multiclass.bad(scores)
    with np.errstate(invalid="ignore"):
        return int((~((scores >= 0) & (scores <= 1))).sum())


def _row(found: Moved, before: Floats, decided: Decided | Answers) -> dict[str, Json]:
    done = found.done
    row: dict[str, Json] = {
        "column": done.column or ALL,
        "kind": done.kind,
        "size": done.size,
    }
    if found.refusal:
        none = {"moved": None, "moved_p95": None, "moved_most": None, "flipped": 0.0}
        return row | none | {"bad_scores": 0, "refused": found.refusal}
    if isinstance(decided, Answers):
        moved = multiclass.moved(found.scores, before)
        flipped = multiclass.flipped(found.scores, before, decided)
    else:
        known = np.isfinite(found.scores)
        moved = np.abs(found.scores[known] - before[known])
        flipped = (found.scores >= decided.threshold) != (before >= decided.threshold)
    return row | {
        "moved": round(float(moved.mean()), 6) if moved.size else None,
        "moved_p95": round(float(np.quantile(moved, 0.95)), 6) if moved.size else None,
        "moved_most": round(float(moved.max()), 6) if moved.size else None,
        "flipped": round(float(flipped.mean()), 6),
        "bad_scores": _bad(found.scores),
        "refused": "",
    }


def _facts(rows: Sequence[dict[str, Json]], drawn: int, of: int) -> dict[str, Json]:
    noise = [row for row in rows if row["kind"] == "noise" and row["column"] == ALL]
    return {
        "rows": of,
        "rows_disturbed": drawn,
        "noise": [
            _shares(row, drawn) for row in sorted(noise, key=lambda r: float(str(r["size"])))
        ],
        "tried": len(rows),
        "bad_scores": sum(int(str(row["bad_scores"])) for row in rows),
        "refused": sum(bool(row["refused"]) for row in rows),
    }


def _shares(row: dict[str, Json], drawn: int) -> Json:
    """Noise on all numbers at once: decisions that turned, with the Wilson interval."""
    share = float(str(row["flipped"]))
    low, high = wilson(share, drawn)
    return {
        "size": row["size"],
        "moved": row["moved"],
        "flipped": {"value": share, "low": round(low, 6), "high": round(high, 6)},
    }
