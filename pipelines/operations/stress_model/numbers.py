"""What disturbed inputs do to predicted numbers: how far they move, how much more they err."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import (
    Resampling,
    by_group_day_or_row,
    interval,
    sum_samples,
)
from pipelines.operations.stress_model.disturbing import Disturbance, disturbances, roles_of
from pipelines.operations.tables import write_document

SHOWN = 40  # disturbances in facts, those that harm most first; the artefact has all
ALL = "all at once"
UNITS = (1000.0, 0.001)  # metres for kilometres and the reverse (own)

Index = npt.NDArray[np.int64]


class Moved(Protocol):
    """A disturbance and the predictions under it, or why the model refused it."""

    @property
    def done(self) -> Disturbance:
        """What was done."""
        ...

    @property
    def scores(self) -> Floats:
        """The predictions; none where it was refused."""
        ...

    @property
    def refusal(self) -> str:
        """The reason, or ""."""
        ...


Scored = Callable[
    [Candidate, pd.DataFrame, Sequence[Disturbance], Context],
    Sequence[Moved],
]


def run(
    context: Context, candidate: Candidate, holdout: Holdout, *,
    picked: Index, fractions: Sequence[float], scored: Scored,
) -> Outcome:  # fmt: skip
    """Disturb, predict and compare with what came out; raises OperationError."""
    frame = holdout.frame[list(candidate.columns)].iloc[picked].reset_index(drop=True)
    known = candidate.features.columns if candidate.features else None
    roles = roles_of(frame, candidate.columns, known)
    tried = list(disturbances(frame, roles, fractions, seed=context.seed, units=UNITS))
    context.progress(0.2, f"{len(tried)} disturbances", len(frame))
    before = _Before.of(context, candidate, holdout, picked)
    rows = [before.row(one) for one in scored(candidate, frame, tried, context)]
    rows.sort(key=lambda row: (-_size(row), str(row["column"]), str(row["kind"])))
    noise = [row for row in rows if row["kind"] == "noise" and row["column"] == ALL]
    noise.sort(key=lambda row: float(str(row["size"])))
    facts: dict[str, Json] = {
        "task": "regression",
        "rows": holdout.labels.size,
        "rows_disturbed": len(frame),
        "mae": finite(before.mae, 6),
        "noise": list[Json](noise),
        "tried": len(rows),
        "bad_scores": sum(int(str(row["bad_scores"])) for row in rows),
        "refused": sum(bool(row["refused"]) for row in rows),
        "bad_undisturbed": _bad(holdout.scores),
        "range": [finite(float(end), 6) for end in before.ends],
    }
    document: dict[str, Json] = {
        "format": "baton/stress/1",
        "facts": facts,
        "disturbances": list[Json](rows),
    }
    path = write_document(context.output("stress"), document)
    return Outcome({"stress": path}, {**facts, "disturbances": list[Json](rows[:SHOWN])})


def _bad(predicted: Floats) -> int:
    """Predictions that are no number: missing or infinite (Mon5)."""
    return int((~np.isfinite(predicted)).sum())


def _size(row: dict[str, Json]) -> float:
    value = row["moved"]
    return float(value) if isinstance(value, int | float) else 0.0


class _Before:
    """The undisturbed rows: what was predicted, what came out, how rows are drawn."""

    def __init__(self, predicted: Floats, truth: Floats, resampling: Resampling) -> None:
        self.predicted, self.truth, self.resampling = predicted, truth, resampling
        self.errors = np.abs(predicted - truth)
        self.mae = float(self.errors.mean())
        spread = float(np.ptp(truth))
        # as far beyond the outcomes as they lie apart: no answer that anybody has seen (own)
        self.ends = (float(truth.min()) - spread, float(truth.max()) + spread)

    @classmethod
    def of(cls, context: Context, candidate: Candidate, holdout: Holdout, picked: Index) -> _Before:
        """Of the drawn rows; they are drawn again by group, day or row."""
        frame = holdout.frame.iloc[picked].reset_index(drop=True)
        drawn = by_group_day_or_row(
            frame,
            group=candidate.group,
            time=candidate.time,
            origin=candidate.origin,
            samples=300,
            seed=context.seed,
        )
        return cls(holdout.scores[picked], holdout.labels[picked], drawn)

    def row(self, found: Moved) -> dict[str, Json]:
        """One disturbance: how far predictions moved and by what share they err more."""
        done = found.done
        row: dict[str, Json] = {
            "column": done.column or ALL,
            "kind": done.kind,
            "size": done.size,
            "refused": found.refusal,
        }
        if found.refusal:
            none = {"value": None, "low": None, "high": None}
            absent = dict.fromkeys(("moved", "moved_p95", "moved_most"))
            return row | absent | {"worse": none, "outside": None, "bad_scores": 0}
        known = np.isfinite(found.scores)
        moved = np.abs(found.scores[known] - self.predicted[known])
        strange = (found.scores < self.ends[0]) | (found.scores > self.ends[1])
        return row | {
            "moved": finite(float(moved.mean()), 6) if moved.size else None,
            "moved_p95": finite(float(np.quantile(moved, 0.95)), 6) if moved.size else None,
            "moved_most": finite(float(moved.max()), 6) if moved.size else None,
            "worse": self._worse(found.scores, known),
            "outside": finite(float(strange.mean()), 6),
            "bad_scores": _bad(found.scores),
        }

    def _worse(self, predicted: Floats, known: npt.NDArray[np.bool_]) -> Json:
        """Mean absolute error beyond the undisturbed one, as a share of it, on the same rows."""
        errors = np.abs(np.where(known, predicted, self.predicted) - self.truth)
        sums = sum_samples(np.column_stack([errors, self.errors]), self.resampling)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = sums[:, 0] / sums[:, 1] - 1
            value = np.divide(errors.mean(), self.mae) - 1
        found = interval(float(value), drawn)
        return {
            "value": finite(found.value, 6),
            "low": finite(found.low, 6),
            "high": finite(found.high, 6),
        }
