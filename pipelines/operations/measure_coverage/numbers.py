"""Intervals around predicted numbers: do they hold what they promise, and for every group?

Two kinds are held against each other on the same rows: one margin for all rows (split conformal
with signed errors, as it is served) and intervals as wide as each row asks for (conformalised
quantile regression). The rows that set them are not those they are counted on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.evaluate_model.margins import Margins, margin_by, one_margin
from pipelines.operations.learning import conformal
from pipelines.operations.learning.candidates import Candidate, Holdout, open_holdout
from pipelines.operations.learning.conformal import design_effect
from pipelines.operations.learning.frames import read_training
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import (
    Blocks,
    Resampling,
    by_group_day_or_row,
    interval,
    sum_samples,
)
from pipelines.operations.measure_coverage.conformal import allowed
from pipelines.operations.measure_coverage.groups import Counted, coverage_by_group, inside_ends
from pipelines.operations.measure_coverage.quantiles import predicted_ends, widened
from pipelines.operations.measure_coverage.tying import tied
from pipelines.operations.tables import as_numbers, write_document

LEVELS = (0.5, 0.8, 0.9, 0.95)  # shown beside the confidence asked for
MARGIN, STEPS, QUANTILES = "one margin", "one margin each step", "by row"
SHOWN = 60
AT_RANDOM = "rows drawn at random"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parted:
    """The holdout with the rows that set intervals, and what ties rows together."""

    holdout: Holdout
    calibration: Mask
    blocks: Blocks
    resampling: Resampling  # of the rows that count
    order: str  # how the two were told apart

    @property
    def test(self) -> Mask:
        """All other rows."""
        return ~self.calibration


def run(context: Context, candidate: Candidate) -> Outcome:
    """Measure both kinds of intervals; raises OperationError."""
    by = list(dict.fromkeys(context.names("groups")))
    named = filter(None, [*by, *candidate.grouped, context.text("interval_by")])
    extra = list(dict.fromkeys(named))
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=extra)
    parted = _parted(context, candidate, holdout)
    context.progress(0.2, "scored", len(holdout.labels))
    alpha = context.params.get("alpha")
    stated = isinstance(alpha, int | float)
    asked = round(1 - float(str(alpha)), 12) if stated else context.number("confidence")
    ends: dict[str, Floats] = {}
    expected: dict[str, float] = {}
    served = STEPS if context.text("interval_by") else MARGIN
    margin = _margins(context, parted, asked)
    if margin is not None:
        ends[served] = _ends(parted, margin)
        expected[served] = margin.expected_of(parted.test & margin.promised)
    own, reason = _quantile_ends(context, candidate, parted, asked)
    if own is not None:
        ends[QUANTILES] = own
    context.progress(0.8, "intervals set", len(holdout.labels))
    measured = {
        name: _measured(parted, found, asked, expected=expected.get(name))
        for name, found in ends.items()
    }
    frame, minimum = holdout.frame[parted.test], context.whole("minimum_rows")
    counted = Counted(
        holdout.labels[parted.test], parted.blocks[parted.test], asked,
        int(parted.calibration.sum()),
    )  # fmt: skip
    cut = {name: found[parted.test] for name, found in ends.items()}
    groups = coverage_by_group(frame[by], cut, counted, minimum=minimum)
    facts: dict[str, Json] = {
        "task": "regression",
        "confidence": asked,
        "order": parted.order,
        "calibrated_on": int(parted.calibration.sum()),
        "tested_on": int(parted.test.sum()),
        "interval_unit": parted.resampling.unit,
        "served": served,
        **measured.get(served, {"coverage": None}),
        "methods": [{"method": name, **row} for name, row in measured.items()],
        "by_row_absent": reason,
        "levels": [_level(context, parted, level) for level in sorted({*LEVELS, asked})],
        "grouped_by": list[Json](by),
        "minimum_rows": context.whole("minimum_rows"),
    }
    document: dict[str, Json] = {
        "format": "baton/coverage/1", "facts": facts, "groups": list[Json](groups),
    }  # fmt: skip
    path = write_document(context.output("coverage"), document)
    return Outcome({"coverage": path}, {**facts, "groups": list[Json](groups[:SHOWN])})


def _parted(context: Context, candidate: Candidate, holdout: Holdout) -> Parted:
    rows, frame = holdout.labels.size, holdout.frame
    resampling = by_group_day_or_row(
        frame, group=candidate.group, time=candidate.time, origin=candidate.origin,
        samples=context.whole("samples"), seed=context.seed,
    )  # fmt: skip
    blocks = tied(frame, candidate)
    moments = _moments(frame[candidate.time]) if candidate.time else None
    grouped = candidate.group and int(blocks.max()) > 0
    drawn = Resampling(blocks, 1, context.seed, "group") if grouped else resampling
    share = context.number("calibration_share")
    first = conformal.first_half(rows, moments, drawn, share)
    order = _order(candidate, grouped=bool(grouped), timed=moments is not None)
    if first.all() or not first.any():  # all rows of one moment: time cannot part them
        first = conformal.first_half(rows, None, Resampling(drawn.blocks, 1, drawn.seed, ""), share)
        order = AT_RANDOM
    codes = np.unique(resampling.blocks[~first], return_inverse=True)[1].astype(np.int64)
    counted = Resampling(codes, resampling.samples, context.seed, resampling.unit)
    return Parted(holdout, first, blocks, counted, order)


def _moments(times: pd.Series) -> Floats | None:
    found = pd.to_datetime(times, utc=True)
    if found.isna().any():
        return None
    return found.to_numpy(dtype="datetime64[us]").astype(np.float64)


def _order(candidate: Candidate, *, grouped: bool, timed: bool) -> str:
    if grouped:
        return f"groups drawn at random: rows of one {candidate.group} stay together"
    return "earlier rows calibrate, later rows test" if timed else AT_RANDOM


def _margins(context: Context, parted: Parted, confidence: float) -> Margins | None:
    """One margin, or one for each step, NaN for steps without any.

    None where too few rows set them.
    """
    predicted, by = parted.holdout.scores, context.text("interval_by")
    errors, first = parted.holdout.labels - predicted, parted.calibration
    if not by:
        made = one_margin(errors, first, parted.blocks, 1 - confidence)
    else:
        steps = as_numbers(parted.holdout.frame[by])
        made = margin_by(steps, errors, first, blocks=parted.blocks, alpha=1 - confidence)
    if not (made.promised & parted.test).any():
        return None
    return made


def _ends(parted: Parted, made: Margins) -> Floats:
    ends: Floats = parted.holdout.scores[:, None] + np.column_stack([made.low, made.high])
    return ends


def _quantile_ends(
    context: Context, candidate: Candidate, parted: Parted, confidence: float
) -> tuple[Floats | None, str]:
    """Ends of every row, row by row; else why there are none."""
    features = candidate.features
    if features is None:
        return None, "the model was trained elsewhere"
    if "train" not in context.inputs:
        return None, "no training rows were given"
    train = read_training(context.inputs["train"], features, field="train")
    limit = context.whole("fit_rows")
    if len(train) > limit:
        drawn = np.random.default_rng([context.seed, 3]).choice(len(train), limit, replace=False)
        train = train.iloc[np.sort(drawn)]
    given = candidate.about.get("settings")
    ends = predicted_ends(
        features, train, parted.holdout.frame, 1 - confidence,
        settings=given if isinstance(given, dict) and candidate.family == "boosting" else {},
        seed=context.seed,
    )  # fmt: skip
    found = widened(ends, parted.holdout.labels, parted.calibration, confidence)
    if not np.isfinite(found).all():
        return None, "too few rows calibrate"
    return found, ""


def _measured(
    parted: Parted, ends: Floats, confidence: float, *, expected: float | None
) -> dict[str, Json]:
    """Coverage beside what chance allows, and how wide the intervals are."""
    truth, known = parted.holdout.labels, np.isfinite(ends[:, 0])
    counts, sets = parted.test & known, parted.calibration & known
    inside, strict = inside_ends(ends[counts], truth[counts])
    rows = known[parted.test].astype(np.float64)
    hits = np.zeros(rows.size)
    hits[rows == 1] = inside
    sums = sum_samples(np.column_stack([hits, rows]), parted.resampling)
    with np.errstate(invalid="ignore"):
        spread = interval(float(inside.mean()), sums[:, 0] / sums[:, 1])
    before, _ = inside_ends(ends[sets], truth[sets])
    sides = [(inside, parted.blocks[counts]), (before, parted.blocks[sets])]
    effect = design_effect(sides, 1 - confidence)
    low, high = allowed(inside.size, int(sets.sum()), confidence, effect, expected=expected)
    width = ends[counts, 1] - ends[counts, 0]
    return {
        "coverage": {
            "value": finite(spread.value, 6),
            "low": finite(spread.low, 6),
            "high": finite(spread.high, 6),
        },
        "strictly_inside": float(strict.mean()),
        "expected": finite(expected, 6),
        "allowed_low": finite(low, 6),
        "allowed_high": finite(high, 6),
        "design_effect": finite(effect, 3),
        "holds": _holds(spread.value, float(strict.mean()), low, high),
        "mean_width": finite(float(width.mean()), 6),
        "median_width": finite(float(np.median(width)), 6),
    }


def _holds(share: float, strict: float, low: float | None, high: float | None) -> bool | None:
    """Within what chance allows; None where too few groups or days tell it."""
    return None if low is None or high is None else bool(share >= low and strict <= high)


def _level(context: Context, parted: Parted, confidence: float) -> Json:
    """One row of the table: what a confidence costs in width, as it is served."""
    made = _margins(context, parted, confidence)
    row: dict[str, Json] = {"confidence": confidence, "coverage": None, "width": None}
    if made is None:
        return row
    ends = _ends(parted, made)
    known = parted.test & np.isfinite(ends[:, 0])
    inside, _ = inside_ends(ends[known], parted.holdout.labels[known])
    return row | {
        "coverage": float(inside.mean()),
        "width": finite(float(np.diff(ends[known], axis=1).mean()), 6),
    }
