"""Predicted numbers by group of people: level, signed error and size of error.

Mean prediction, mean signed error (prediction less outcome, so above 0 is too high) and mean
absolute error per group, as fairlearn's MetricFrame computes them of such functions. From them
two distances per column: how far the highest mean signed error lies above the lowest, in mean
absolute errors of all rows, and how many times the smallest mean absolute error the largest is.
Mean predictions are shown and not judged: where outcomes differ, predictions have to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.candidates import Candidate, Holdout, open_holdout
from pipelines.operations.learning.clustered import equal_means
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import (
    Interval,
    Resampling,
    by_group_day_or_row,
    interval,
    sum_samples,
)
from pipelines.operations.screen_fairness.rates import Groups, spread
from pipelines.operations.screen_fairness.screening import groups_of
from pipelines.operations.tables import write_document

SHOWN = 60  # groups in facts; the artefact has all
# per group: rows, and sums of prediction, outcome, signed and absolute error
SUMS = 5
MEASURES = ("bias", "mae")  # those with a distance and a p-value


@dataclass(frozen=True)
class Compared:
    """One column: sums by group, of all samples too, and what tells the groups apart."""

    groups: Groups
    means: Floats  # groups x (SUMS - 1)
    drawn: Floats  # samples x groups x (SUMS - 1)
    rows: npt.NDArray[np.int64]
    judged: npt.NDArray[np.bool_]
    distances: dict[str, Interval]
    p_values: dict[str, float | None]


def run(context: Context, candidate: Candidate) -> Outcome:
    """Screen every declared column; raises OperationError."""
    names = list(dict.fromkeys(context.names("sensitive")))
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=[*names, *candidate.grouped])
    context.progress(0.3, "scored", len(holdout.labels))
    resampling = by_group_day_or_row(
        holdout.frame,
        group=candidate.group,
        time=candidate.time,
        origin=candidate.origin,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    found = [
        compare(groups_of(holdout.frame[name]), holdout, resampling, context.whole("minimum_rows"))
        for name in names
    ]
    adjusted = _adjusted(found)
    groups: list[Json] = [row for one in found for row in _group_rows(one)]
    columns = [_column(one, sure) for one, sure in zip(found, adjusted, strict=True)]
    facts: dict[str, Json] = {
        "task": "regression",
        "sensitive": list[Json](names),
        "rows": len(holdout.labels),
        "mae": finite(float(np.abs(holdout.scores - holdout.labels).mean()), 6),
        "minimum_rows": context.whole("minimum_rows"),
        "interval": {
            "unit": resampling.unit,
            "units": resampling.size,
            "samples": resampling.samples,
        },
        "fairness": list[Json](columns),
    }
    document: dict[str, Json] = {"format": "baton/fairness/1", "facts": facts, "groups": groups}
    path = write_document(context.output("fairness"), document)
    return Outcome({"fairness": path}, {**facts, "groups": groups[:SHOWN]})


def compare(groups: Groups, holdout: Holdout, resampling: Resampling, minimum: int) -> Compared:
    """Means of one column's groups, their distances and p-values before adjustment."""
    predicted, truth = holdout.scores, holdout.labels
    errors = predicted - truth
    parts = np.column_stack([np.ones(truth.size), predicted, truth, errors, np.abs(errors)])
    table = np.zeros((truth.size, len(groups.names), SUMS))
    table[np.arange(truth.size), groups.codes] = parts
    flat = table.reshape(truth.size, -1)
    sums = flat.sum(axis=0).reshape(-1, SUMS)
    drawn = sum_samples(flat, resampling).reshape(-1, len(groups.names), SUMS)
    rows, judged = sums[:, 0].astype(np.int64), sums[:, 0] >= minimum
    means, samples = _means(sums), _means(drawn)
    kept = judged[groups.codes]
    blocks = None if resampling.unit == "row" else resampling.blocks[kept]
    return Compared(
        groups,
        means,
        samples,
        rows,
        judged,
        _distances(means, samples, judged, float(np.abs(errors).mean())),
        {
            "bias": equal_means(errors[kept], groups.codes[kept], blocks),
            "mae": equal_means(np.abs(errors[kept]), groups.codes[kept], blocks),
        },
    )


def _means(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = sums[..., 1:] / sums[..., :1]
    return found


def _distances(
    means: Floats, drawn: Floats, judged: npt.NDArray[np.bool_], size: float
) -> dict[str, Interval]:
    """Of the judged groups: spread of signed errors in mean errors, ratio of mean errors."""
    value, samples = np.where(judged[:, None], means, np.nan), drawn[:, judged]
    bias, drawn_bias = spread(value[:, 2]), spread(samples[..., 2])
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "bias_difference": interval(float(bias / size), drawn_bias / size),
            "error_ratio": interval(
                float(_highest(value[:, 3])), np.asarray(_highest(samples[..., 3]))
            ),
        }


def _highest(values: Floats) -> Floats:
    """Largest by smallest of the last axis; NaN for fewer than two, infinite beside no error."""
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(axis=-1, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=-1, initial=-np.inf)
    enough = (known.sum(axis=-1) >= 2) & (high > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(enough, high / low, np.nan)


def _adjusted(found: Sequence[Compared]) -> list[dict[str, float | None]]:
    """p-values after Benjamini-Hochberg over all columns and measures."""
    known = [
        (place, name)
        for place, one in enumerate(found)
        for name in MEASURES
        if one.p_values[name] is not None
    ]
    given = [found[place].p_values[name] for place, name in known]
    corrected = stats.false_discovery_control(given, method="bh") if given else []
    table = {key: float(value) for key, value in zip(known, corrected, strict=True)}
    return [{name: table.get((place, name)) for name in MEASURES} for place in range(len(found))]


def _column(one: Compared, sure: dict[str, float | None]) -> dict[str, Json]:
    """One row per column: distances, p-values, the groups at both ends."""
    low, high = _ends(one, 2)
    least, most = _ends(one, 3)
    return {
        "column": one.groups.column,
        "groups": len(one.groups.names),
        "too_small": int((~one.judged).sum()),
        **{name: _interval_json(gap) for name, gap in one.distances.items()},
        "lowest": low,
        "highest": high,
        "least_wrong": least,
        "most_wrong": most,
        "no_error": bool(one.judged.sum() > 1 and one.means[one.judged, 3].min() == 0),
        "p_bias": finite(sure["bias"], 6),
        "p_error": finite(sure["mae"], 6),
    }


def _ends(one: Compared, measure: int) -> tuple[str, str]:
    known = np.flatnonzero(one.judged)
    if not known.size:
        return "", ""
    values = one.means[known, measure]
    return one.groups.names[known[values.argmin()]], one.groups.names[known[values.argmax()]]


def _interval_json(gap: Interval) -> dict[str, Json]:
    return {
        "value": finite(gap.value, 6),
        "low": finite(gap.low, 6),
        "high": finite(gap.high, 6),
    }


def _group_rows(one: Compared) -> list[dict[str, Json]]:
    """One row per group: rows, the four means with bootstrap intervals, whether it was judged."""
    labels = ("mean_prediction", "mean_outcome", "bias", "mae")
    rows: list[dict[str, Json]] = []
    for place, name in enumerate(one.groups.names):
        row: dict[str, Json] = {
            "column": one.groups.column,
            "group": name,
            "rows": int(one.rows[place]),
        }
        for measure, label in enumerate(labels):
            found = interval(float(one.means[place, measure]), one.drawn[:, place, measure])
            row |= {
                label: finite(found.value, 6),
                f"{label}_low": finite(found.low, 6),
                f"{label}_high": finite(found.high, 6),
            }
        rows.append(row | {"judged": bool(one.judged[place])})
    return rows
