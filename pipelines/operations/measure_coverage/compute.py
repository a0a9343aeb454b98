"""Compute of `measure_coverage`: calibrate on one part of the holdout, count on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.candidates import (
    Candidate,
    Holdout,
    open_candidate,
    open_holdout,
)
from pipelines.operations.learning.conformal import design_effect
from pipelines.operations.learning.resampling import (
    Blocks,
    Resampling,
    by_group_day_or_row,
    group_codes,
    interval,
    some_groups,
    sum_samples,
)
from pipelines.operations.learning.tasks import need_task
from pipelines.operations.measure_coverage import numbers
from pipelines.operations.measure_coverage.conformal import (
    Cuts,
    Sets,
    allowed,
    calibrate,
    covered,
    sets,
)
from pipelines.operations.measure_coverage.multiclass import Halves, measure_several
from pipelines.operations.measure_coverage.tying import tied
from pipelines.operations.tables import write_document

LEVELS = (0.8, 0.9, 0.95, 0.99)  # shown beside the confidence asked for
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """Rows that set the cuts, rows that count, and how the two were told apart."""

    calibration: Mask
    order: str

    @property
    def test(self) -> Mask:
        """All other rows."""
        return ~self.calibration


def run(context: Context) -> Outcome:
    """Measure coverage and abstention; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    if candidate.task.name == "regression":
        return numbers.run(context, candidate)
    several = candidate.task.name == "multiclass"
    if not several:
        need_task(candidate.task, "classification")
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=candidate.grouped)
    context.progress(0.4, "scored", len(holdout.labels))
    parts = _parts(candidate, holdout, context)
    if several:
        return measure_several(context, candidate, holdout, Halves(parts.calibration, parts.order))
    asked, by_class = context.number("confidence"), context.flag("by_class")
    resampling = by_group_day_or_row(
        holdout.frame[parts.test],
        group=candidate.group,
        time=candidate.time,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    levels: list[Json] = [
        _level(holdout, parts, level, by_class=apart)
        for apart in (False, True)
        for level in sorted({*LEVELS, asked})
    ]
    facts = _facts(
        holdout, parts, _Asked(asked, by_class, tied(holdout.frame, candidate)), resampling
    )
    document: dict[str, Json] = {"format": "baton/coverage/1", "facts": facts, "levels": levels}
    path = write_document(context.output("coverage"), document)
    return Outcome({"coverage": path}, {**facts, "levels": levels})


def _parts(candidate: Candidate, holdout: Holdout, context: Context) -> Parts:
    """Whole groups calibrate where the features name them, else rows."""
    frame, share = holdout.frame, context.number("calibration_share")
    codes = group_codes(frame[candidate.group]) if candidate.group else None
    if codes is not None and codes.max() > 0:
        wanted = max(1, round(len(frame) * share))
        drawn: Mask = some_groups(codes, wanted, seed=context.seed)
        return Parts(drawn, f"groups drawn at random: rows of one {candidate.group} stay together")
    times = frame[candidate.time] if candidate.time else None
    return _row_parts(len(frame), times, share=share, seed=context.seed)


def _row_parts(rows: int, times: pd.Series | None, *, share: float, seed: int) -> Parts:
    """The earlier rows calibrate where time tells them apart: as in use, the test comes later."""
    wanted = min(max(1, round(rows * share)), rows - 1)
    if times is not None:
        moments = pd.to_datetime(times, utc=True).to_numpy()
        bound = np.sort(moments)[wanted]
        earlier: Mask = moments < bound  # rows of one moment stay together
        if earlier.any():
            return Parts(earlier, "earlier rows calibrate, later rows test")
    drawn = np.zeros(rows, dtype=bool)
    drawn[np.random.default_rng(seed).permutation(rows)[:wanted]] = True
    return Parts(drawn, "rows drawn at random")


@dataclass(frozen=True)
class _Asked:
    confidence: float
    by_class: bool
    blocks: Blocks  # of all rows: what ties them together


def _level(holdout: Holdout, parts: Parts, confidence: float, *, by_class: bool) -> dict[str, Json]:
    """One row of the table: what a confidence costs in answers."""
    cuts = _cuts(holdout, parts, confidence, by_class=by_class)
    found = sets(holdout.scores[parts.test], cuts)
    inside = covered(found, holdout.labels[parts.test])
    return {
        "confidence": confidence,
        "by_class": by_class,
        "coverage": float(inside.mean()),
        **_sizes(found, inside),
    }


def _cuts(holdout: Holdout, parts: Parts, confidence: float, *, by_class: bool) -> Cuts:
    rows = parts.calibration
    return calibrate(holdout.scores[rows], holdout.labels[rows], confidence, by_class=by_class)


def _sizes(found: Sets, inside: Mask) -> dict[str, Json]:
    size = found.sum(axis=1)
    one = size == 1
    return {
        "answered": float(one.mean()),
        "undecided": float((size == 2).mean()),
        "strange": float((size == 0).mean()),
        "answered_right": float(inside[one].mean()) if one.any() else None,
        "mean_size": float(size.mean()),
    }


def _facts(
    holdout: Holdout, parts: Parts, asked: _Asked, resampling: Resampling
) -> dict[str, Json]:
    cuts = _cuts(holdout, parts, asked.confidence, by_class=asked.by_class)
    labels = holdout.labels[parts.test]
    found = sets(holdout.scores[parts.test], cuts)
    inside = covered(found, labels)
    sums = sum_samples(np.column_stack([inside, np.ones(inside.size)]).astype(float), resampling)
    spread = interval(float(inside.mean()), sums[:, 0] / sums[:, 1])
    rows = int(labels.size)
    before = covered(
        sets(holdout.scores[parts.calibration], cuts), holdout.labels[parts.calibration]
    )
    sides = [
        (inside.astype(np.float64), asked.blocks[parts.test]),
        (before.astype(np.float64), asked.blocks[parts.calibration]),
    ]
    effect = design_effect(sides, 1 - asked.confidence)
    low, high = allowed(rows, cuts.fewest, asked.confidence, effect)
    return {
        "confidence": asked.confidence,
        "by_class": asked.by_class,
        "order": parts.order,
        "calibrated_on": int(parts.calibration.sum()),
        "tested_on": rows,
        "coverage": {
            "value": finite(spread.value, 6),
            "low": finite(spread.low, 6),
            "high": finite(spread.high, 6),
        },
        "interval_unit": resampling.unit,
        "design_effect": finite(effect, 3),
        "allowed_low": finite(low, 6),
        "allowed_high": finite(high, 6),
        **_sizes(found, inside),
        **_abstaining(cuts),
        "classes": _classes(holdout, labels, inside),
    }


def _abstaining(cuts: Cuts) -> dict[str, Json]:
    """The scores between which no single class is answered: both are possible, or none is."""
    ends = sorted((min(1.0, cuts.other), max(0.0, 1 - cuts.positive)))
    # unrounded: a tree gives many rows the very score of an end, and rounding moves them all
    return {"abstain_from": finite(ends[0]), "abstain_to": finite(ends[1])}


def _classes(holdout: Holdout, labels: np.ndarray, inside: Mask) -> list[Json]:
    """Coverage of each class apart: over all rows together, a rare one may be missed."""
    rows: list[Json] = []
    for place, name in enumerate(holdout.classes):
        mine = inside[labels == place]
        share = float(mine.mean()) if mine.size else None
        low, high = wilson(share, mine.size) if share is not None else (None, None)
        rows.append(
            {
                "class": name,
                "rows": int(mine.size),
                "coverage": finite(share, 6),
                "low": finite(low, 6),
                "high": finite(high, 6),
            }
        )
    return rows
