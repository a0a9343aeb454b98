"""Conformal sets of several classes: as with two, one cut for all classes or one for each.

Sizes run from 0 to K. A row is answered when its set is the one class that is answered anyway:
the cheapest at the costs of the input `evaluation`, else the likeliest. Other rows with classes in
their set are undecided, also where costs make the answer a class that is not the set's only one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.class_decisions import decide_class
from pipelines.operations.learning.class_names import texts_of
from pipelines.operations.learning.conformal import design_effect
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import (
    Blocks,
    by_group_day_or_row,
    interval,
    sum_samples,
)
from pipelines.operations.measure_coverage.conformal import allowed, cut, fewest_rows
from pipelines.operations.measure_coverage.tying import tied
from pipelines.operations.tables import write_document

LEVELS = (0.8, 0.9, 0.95, 0.99)
Sets = npt.NDArray[np.bool_]  # rows x classes


@dataclass(frozen=True)
class Halves:
    """Which rows set the cuts, all others counting; and how the two were told apart."""

    calibration: npt.NDArray[np.bool_]
    order: str

    @property
    def test(self) -> npt.NDArray[np.bool_]:
        """All other rows."""
        return ~self.calibration


@dataclass(frozen=True)
class ClassCuts:
    """The greatest strangeness allowed for each class, and the calibration rows behind it."""

    cuts: Floats
    rows: tuple[int, ...]

    @property
    def fewest(self) -> int:
        """Rows behind the least sure of the cuts there are."""
        return fewest_rows(self.cuts.tolist(), self.rows)


def calibrate(scores: Floats, truth: Labels, confidence: float, *, by_class: bool) -> ClassCuts:
    """Cuts from calibration rows; infinite for a class of too few rows."""
    strange = 1 - scores[np.arange(truth.size), truth]
    count = scores.shape[1]
    if not by_class:
        return ClassCuts(np.full(count, cut(strange, confidence)), (truth.size,) * count)
    parts = [strange[truth == place] for place in range(count)]
    return ClassCuts(
        np.asarray([cut(part, confidence) for part in parts]), tuple(part.size for part in parts)
    )


def sets(scores: Floats, cuts: ClassCuts) -> Sets:
    """Which classes are possible for each row."""
    found: Sets = (1 - scores) <= cuts.cuts
    return found


def measure_several(
    context: Context, candidate: Candidate, holdout: Holdout, parts: Halves
) -> Outcome:
    """Measure coverage, sizes and abstention of several classes."""
    asked, by_class = context.number("confidence"), context.flag("by_class")
    answers = decide_class(context, holdout).answers[parts.test]
    levels: list[Json] = [
        _level(holdout, parts, level, answers, by_class=apart)
        for apart in (False, True)
        for level in sorted({*LEVELS, asked})
    ]
    facts = _facts(context, candidate, holdout, parts)
    facts |= {"confidence": asked, "by_class": by_class}
    document: dict[str, Json] = {"format": "baton/coverage/1", "facts": facts, "levels": levels}
    path = write_document(context.output("coverage"), document)
    return Outcome({"coverage": path}, {**facts, "levels": levels})


def _cuts(holdout: Holdout, parts: Halves, confidence: float, *, by_class: bool) -> ClassCuts:
    rows = parts.calibration
    return calibrate(holdout.scores[rows], holdout.labels[rows], confidence, by_class=by_class)


def _level(
    holdout: Holdout, parts: Halves, confidence: float, answers: Labels, *, by_class: bool
) -> dict[str, Json]:
    cuts = _cuts(holdout, parts, confidence, by_class=by_class)
    found = sets(holdout.scores[parts.test], cuts)
    inside = found[np.arange(len(found)), holdout.labels[parts.test]]
    return {
        "confidence": confidence,
        "by_class": by_class,
        "coverage": float(inside.mean()),
        **_sizes(found, inside, answers),
    }


def _sizes(found: Sets, inside: npt.NDArray[np.bool_], answers: Labels) -> dict[str, Json]:
    size = found.sum(axis=1)
    one = (size == 1) & found[np.arange(len(found)), answers]
    return {
        "answered": float(one.mean()),
        "undecided": float(((size > 0) & ~one).mean()),
        "strange": float((size == 0).mean()),
        "answered_right": float(inside[one].mean()) if one.any() else None,
        "mean_size": float(size.mean()),
        "sizes": [int((size == k).sum()) for k in range(found.shape[1] + 1)],
    }


def _facts(
    context: Context, candidate: Candidate, holdout: Holdout, parts: Halves
) -> dict[str, Json]:
    asked = context.number("confidence")
    cuts = _cuts(holdout, parts, asked, by_class=context.flag("by_class"))
    truth, decided = holdout.labels[parts.test], decide_class(context, holdout)
    answers = decided.answers[parts.test]
    found = sets(holdout.scores[parts.test], cuts)
    inside = found[np.arange(truth.size), truth]
    resampling = by_group_day_or_row(
        holdout.frame[parts.test],
        group=candidate.group,
        time=candidate.time,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    sums = sum_samples(np.column_stack([inside, np.ones(inside.size)]).astype(float), resampling)
    spread = interval(float(inside.mean()), sums[:, 0] / sums[:, 1])
    effect = _effect(holdout, parts, cuts, tied(holdout.frame, candidate), 1 - asked)
    low, high = allowed(int(truth.size), cuts.fewest, asked, effect)
    return {
        "order": parts.order,
        "calibrated_on": int(parts.calibration.sum()),
        "tested_on": int(truth.size),
        "coverage": {name: finite(getattr(spread, name), 6) for name in ("value", "low", "high")},
        "interval_unit": resampling.unit,
        "design_effect": finite(effect, 3),
        "allowed_low": finite(low, 6),
        "allowed_high": finite(high, 6),
        **_sizes(found, inside, answers),
        "costs_from": decided.source,
        # no cut where a class has too few rows: then it is always possible
        "cuts": [finite(float(one)) if math.isfinite(one) else None for one in cuts.cuts],
        "cut_classes": list(texts_of(holdout.classes)),
        "classes": _classes(holdout, truth, inside, found),
    }


def _effect(
    holdout: Holdout, parts: Halves, cuts: ClassCuts, blocks: Blocks, alpha: float
) -> float | None:
    """By how much rows that stray together are fewer, from both sides."""
    sides = []
    for rows in (parts.test, parts.calibration):
        found, truth = sets(holdout.scores[rows], cuts), holdout.labels[rows]
        inside = found[np.arange(truth.size), truth]
        sides.append((inside.astype(np.float64), blocks[rows]))
    return design_effect(sides, alpha)


def _classes(
    holdout: Holdout, truth: Labels, inside: npt.NDArray[np.bool_], found: Sets
) -> list[Json]:
    """Coverage of each class apart, and in how many sets of other classes it stands."""
    rows: list[Json] = []
    for place, name in enumerate(texts_of(holdout.classes)):
        mine = inside[truth == place]
        share = float(mine.mean()) if mine.size else None
        low, high = wilson(share, mine.size) if share is not None else (None, None)
        rows.append(
            {
                "class": name,
                "rows": int(mine.size),
                "coverage": finite(share, 6),
                "low": finite(low, 6),
                "high": finite(high, 6),
                "also_possible": int(found[truth != place, place].sum()),
            }
        )
    return rows
