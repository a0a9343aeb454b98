"""Intervals around predicted numbers: do they hold what they promise, and for every group?

Two kinds are held against each other on the same rows: one margin for all rows (split conformal
with signed errors, as it is served) and intervals as wide as each row asks for (conformalised
quantile regression). The rows that set them are not those they are counted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning import conformal
from pipelines.operations.learning.calibration import wilson
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
from pipelines.operations.measure_coverage.quantiles import predicted_ends, widened
from pipelines.operations.measure_coverage.tying import tied
from pipelines.operations.screen_fairness.screening import groups_of
from pipelines.operations.tables import write_document

LEVELS = (0.5, 0.8, 0.9, 0.95)  # shown beside the confidence asked for
MARGIN, QUANTILES = "one margin", "by row"
SHOWN = 60

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parted:
    """The holdout with the rows that set intervals, and what ties rows together."""

    holdout: Holdout
    calibration: Mask
    blocks: Blocks
    resampling: Resampling  # of the rows that count

    @property
    def test(self) -> Mask:
        """All other rows."""
        return ~self.calibration


def run(context: Context, candidate: Candidate) -> Outcome:
    """Measure both kinds of intervals; raises OperationError."""
    by = list(dict.fromkeys(context.names("groups")))
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=[*by, *candidate.grouped])
    parted = _parted(context, candidate, holdout)
    context.progress(0.2, "scored", len(holdout.labels))
    alpha = context.params.get("alpha")
    stated = isinstance(alpha, int | float)
    asked = round(1 - float(str(alpha)), 12) if stated else context.number("confidence")
    ends: dict[str, Floats] = {}
    margin = _margin_ends(parted, asked)
    if margin is not None:
        ends[MARGIN] = margin
    own, reason = _quantile_ends(context, candidate, parted, asked)
    if own is not None:
        ends[QUANTILES] = own
    context.progress(0.8, "intervals set", len(holdout.labels))
    measured = {name: _measured(parted, found, asked) for name, found in ends.items()}
    groups = _by_group(parted, ends, by, asked, context.whole("minimum_rows"))
    facts: dict[str, Json] = {
        "task": "regression",
        "confidence": asked,
        "order": _order(candidate, parted),
        "calibrated_on": int(parted.calibration.sum()),
        "tested_on": int(parted.test.sum()),
        "interval_unit": parted.resampling.unit,
        **measured.get(MARGIN, {"coverage": None}),
        "methods": [{"method": name, **row} for name, row in measured.items()],
        "by_row_absent": reason,
        "levels": [_level(parted, level) for level in sorted({*LEVELS, asked})],
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
    if first.all() or not first.any():  # all rows of one moment: time cannot part them
        first = conformal.first_half(rows, None, Resampling(drawn.blocks, 1, drawn.seed, ""), share)
    codes = np.unique(resampling.blocks[~first], return_inverse=True)[1].astype(np.int64)
    counted = Resampling(codes, resampling.samples, context.seed, resampling.unit)
    return Parted(holdout, first, blocks, counted)


def _moments(times: pd.Series) -> Floats | None:
    found = pd.to_datetime(times, utc=True)
    if found.isna().any():
        return None
    return found.to_numpy(dtype="datetime64[us]").astype(np.float64)


def _order(candidate: Candidate, parted: Parted) -> str:
    if candidate.group and int(parted.blocks.max()) > 0:
        return f"groups drawn at random: rows of one {candidate.group} stay together"
    if candidate.time:
        return "earlier rows calibrate, later rows test"
    return "rows drawn at random"


def _margin_ends(parted: Parted, confidence: float) -> Floats | None:
    """Ends of every row, by one margin; None where too few rows set it."""
    errors = parted.holdout.labels - parted.holdout.scores
    found = conformal.margin(errors[parted.calibration], 1 - confidence)
    if found is None:
        return None
    ends: Floats = parted.holdout.scores[:, None] + np.asarray([found.low, found.high])
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


def _inside(ends: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Per row: within the ends, and strictly so."""
    closed = (truth >= ends[:, 0]) & (truth <= ends[:, 1])
    strict = (truth > ends[:, 0]) & (truth < ends[:, 1])
    return closed.astype(np.float64), strict.astype(np.float64)


def _measured(parted: Parted, ends: Floats, confidence: float) -> dict[str, Json]:
    """Coverage beside what chance allows, and how wide the intervals are."""
    truth = parted.holdout.labels[parted.test]
    inside, strict = _inside(ends[parted.test], truth)
    sums = sum_samples(np.column_stack([inside, np.ones(inside.size)]), parted.resampling)
    spread = interval(float(inside.mean()), sums[:, 0] / sums[:, 1])
    sides = [(inside, parted.blocks[parted.test])]
    before, _ = _inside(ends[parted.calibration], parted.holdout.labels[parted.calibration])
    sides.append((before, parted.blocks[parted.calibration]))
    effect = design_effect(sides, 1 - confidence)
    low, high = allowed(inside.size, int(parted.calibration.sum()), confidence, effect)
    width = ends[parted.test, 1] - ends[parted.test, 0]
    return {
        "coverage": {
            "value": finite(spread.value, 6),
            "low": finite(spread.low, 6),
            "high": finite(spread.high, 6),
        },
        "strictly_inside": float(strict.mean()),
        "allowed_low": finite(low, 6),
        "allowed_high": finite(high, 6),
        "design_effect": finite(effect, 3),
        "holds": bool(spread.value >= low and float(strict.mean()) <= high),
        "mean_width": finite(float(width.mean()), 6),
        "median_width": finite(float(np.median(width)), 6),
    }


def _level(parted: Parted, confidence: float) -> Json:
    """One row of the table: what a confidence costs in width, with one margin."""
    ends = _margin_ends(parted, confidence)
    row: dict[str, Json] = {"confidence": confidence, "coverage": None, "width": None}
    if ends is None:
        return row
    inside, _ = _inside(ends[parted.test], parted.holdout.labels[parted.test])
    return row | {
        "coverage": float(inside.mean()),
        "width": finite(float(ends[0, 1] - ends[0, 0]), 6),
    }


def _by_group(
    parted: Parted,
    ends: dict[str, Floats],
    names: Sequence[str],
    confidence: float,
    minimum: int,
) -> list[dict[str, Json]]:
    """Coverage of each group, least first; p-values after Benjamini-Hochberg over all of them."""
    frame, truth = parted.holdout.frame[parted.test], parted.holdout.labels[parted.test]
    blocks = parted.blocks[parted.test]
    rows: list[dict[str, Json]] = []
    chances: list[float | None] = []
    for name in names:
        groups = groups_of(frame[name])
        for place, group in enumerate(groups.names):
            mine = groups.codes == place
            for method, found in ends.items():
                inside = _inside(found[parted.test][mine], truth[mine])[0]
                row = _group(inside, blocks[mine], confidence)
                judged = inside.size >= minimum
                chances.append(_below(row, confidence) if judged else None)
                width = float(np.diff(found[parted.test][mine], axis=1).mean())
                about: dict[str, Json] = {"column": name, "group": group, "method": method}
                rows.append(about | row | {"mean_width": finite(width, 6), "judged": judged})
    known = [place for place, chance in enumerate(chances) if chance is not None]
    given = [chance for chance in chances if chance is not None]
    adjusted = stats.false_discovery_control(given, method="bh") if given else []
    for row in rows:
        row["p_adjusted"] = None
    for place, value in zip(known, adjusted, strict=True):
        rows[place]["p_adjusted"] = finite(float(value), 6)
    return sorted(rows, key=lambda row: (not row["judged"], float(str(row["coverage"]))))


def _group(inside: Floats, blocks: Blocks, confidence: float) -> dict[str, Json]:
    """Share with its Wilson interval at the effective number of rows."""
    effect = design_effect([(inside, blocks)], 1 - confidence)
    rows, share = inside.size, float(inside.mean())
    effective = rows / effect
    low, high = wilson(share, effective)
    return {
        "rows": rows,
        "effective_rows": finite(effective, 1),
        "coverage": finite(share, 6),
        "low": finite(low, 6),
        "high": finite(high, 6),
    }


def _below(row: dict[str, Json], confidence: float) -> float:
    """How likely so few or fewer are by chance: binomial at the effective number of rows."""
    rows = max(1, round(float(str(row["effective_rows"]))))
    hits = round(float(str(row["coverage"])) * rows)
    return float(stats.binom.cdf(hits, rows, confidence))
