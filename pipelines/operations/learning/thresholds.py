"""From probabilities to decisions: what flagging at a threshold costs and is worth in money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.metrics import Floats, Labels, Ranking
from pipelines.operations.learning.resampling import Interval, Resampling, sum_samples

GRID = 200  # thresholds tried: quantiles of the scores, so that noise cannot pick a spike (own)
PARTS = 5  # blocks are dealt into so many parts: a part's threshold comes from the others


@dataclass(frozen=True)
class Costs:
    """Money per row: a false alarm, a miss, and what a right alarm brings."""

    false_alarm: float
    miss: float
    hit: float = 0.0
    currency: str = ""

    @property
    def break_even(self) -> float:
        """The probability from which flagging pays, if probabilities are right."""
        return self.false_alarm / (self.false_alarm + self.miss + self.hit)


def parse_costs(given: Mapping[str, Json]) -> Costs | None:
    """Costs out of the brief; None for none at all.

    Takes cost_fp/cost_fn/benefit_tp, or fp/fn/tp for short. Raises OperationError for what
    is negative, no number, or leaves nothing to weigh.
    """
    if not given:
        return None
    alarm, miss = _money(given, "cost_fp", "fp"), _money(given, "cost_fn", "fn")
    hit = _money(given, "benefit_tp", "tp")
    if alarm <= 0 or miss + hit <= 0:
        raise OperationError(
            "costs_one_sided",
            "with these costs every row or no row would be flagged, whatever the model says",
            field="costs",
            value=dict(given),
            rule="cost_fp > 0, and cost_fn + benefit_tp > 0",
        )
    return Costs(alarm, miss, hit, str(given.get("currency") or ""))


def _money(given: Mapping[str, Json], name: str, short: str) -> float:
    return as_money(given.get(name, given.get(short, 0.0)), name)


def as_money(value: Json, name: str) -> float:
    """An amount as a form or a person gives it; raises OperationError for what is none."""
    if isinstance(value, dict):  # a money field: {"amount": 12.5, "currency": "EUR"}
        value = value.get("amount")
    try:
        found = float(value) if isinstance(value, int | float | str) else float("nan")
    except ValueError:
        found = float("nan")
    if not 0 <= found < float("inf"):
        raise OperationError(
            "bad_cost",
            f"costs: {name} is {value!r}",
            field=f"costs.{name}",
            value=value,
            rule="is a finite number >= 0",
        )
    return found


def grid(scores: Floats) -> Floats:
    """Thresholds to try, rising: flag everything, quantiles of the scores, flag nothing."""
    inner = np.unique(np.quantile(scores, np.linspace(0, 1, GRID + 1), method="lower"))
    return np.append(inner, np.nextafter(scores.max(), np.inf))


def worth(flagged: Floats, labels: Labels, costs: Costs) -> Floats:
    """Money per row of flagging it, beside doing nothing; 0 for rows not flagged.

    A hit saves the miss and brings the benefit, a false alarm costs.
    """
    found: Floats = flagged * np.where(labels == 1, costs.miss + costs.hit, -costs.false_alarm)
    return found


def sweep(scores: Floats, labels: Labels, costs: Costs | None) -> list[dict[str, Json]]:
    """The confusion counts, shares and (with costs) worth per 1,000 rows at each threshold."""
    total, positives = scores.size, int(labels.sum())
    rows: list[dict[str, Json]] = []
    for threshold, flagged, hits in _counts(scores, labels, grid(scores)):
        row: dict[str, Json] = {
            "threshold": threshold,
            **confusion(flagged=flagged, hits=hits, positives=positives, total=total),
        }
        if costs:
            gain = hits * (costs.miss + costs.hit) - (flagged - hits) * costs.false_alarm
            row["worth_per_1000"] = 1000 * gain / total
        rows.append(row)
    return rows


def confusion(*, flagged: int, hits: int, positives: int, total: int) -> dict[str, Json]:
    """Counts and shares of a decision; a share of nothing is None."""
    return {
        "tp": hits,
        "fp": flagged - hits,
        "fn": positives - hits,
        "tn": total - positives - (flagged - hits),
        "precision": hits / flagged if flagged else None,
        "recall": hits / positives if positives else None,
        "flagged_share": flagged / total,
    }


def _counts(scores: Floats, labels: Labels, thresholds: Floats) -> list[tuple[float, int, int]]:
    """(threshold, rows flagged, of them positive), flagging score >= threshold."""
    ranked = np.sort(scores)
    positive = np.sort(scores[labels == 1])
    flagged = scores.size - np.searchsorted(ranked, thresholds, side="left")
    hits = positive.size - np.searchsorted(positive, thresholds, side="left")
    return [(float(t), int(f), int(h)) for t, f, h in zip(thresholds, flagged, hits, strict=True)]


def cheapest(scores: Floats, labels: Labels, costs: Costs) -> float:
    """The threshold of greatest worth; the higher one where two are equal."""
    best, found = -np.inf, 1.0
    for threshold, flagged, hits in _counts(scores, labels, grid(scores)):
        gain = hits * (costs.miss + costs.hit) - (flagged - hits) * costs.false_alarm
        if gain >= best:
            best, found = gain, threshold
    return found


def balanced(scores: Floats, labels: Labels) -> float:
    """The threshold of greatest balanced accuracy: the choice where no costs are known."""
    ranking = Ranking(scores, labels)
    true, false = ranking.counts(np.ones((1, scores.size)))
    gain = true[0] / max(true[0, -1], 1.0) - false[0] / max(false[0, -1], 1.0)
    return float(ranking.thresholds[int(np.argmax(gain))])


def chosen(scores: Floats, labels: Labels, costs: Costs | None) -> float:
    """The cheapest threshold; the balanced one where no costs are known."""
    return balanced(scores, labels) if costs is None else cheapest(scores, labels, costs)


def honest_flags(
    scores: Floats, labels: Labels, costs: Costs | None, resampling: Resampling
) -> Floats:
    """1.0 for flagged rows, each part of the blocks by the threshold that the others chose.

    So neither worth nor recall is read off the same rows that picked the threshold.
    """
    place = np.arange(resampling.size)
    if resampling.unit != "day":  # rows and groups may be sorted by anything
        place = np.random.default_rng(resampling.seed).permutation(place)
    part = ((place * PARTS) // resampling.size)[resampling.blocks]
    flags = np.zeros(scores.size)
    for number in range(PARTS):
        inside = part == number
        if inside.any() and not inside.all():
            threshold = chosen(scores[~inside], labels[~inside], costs)
            flags[inside] = scores[inside] >= threshold
    return flags


def worth_intervals(
    flags: Floats, labels: Labels, costs: Costs, resampling: Resampling
) -> dict[str, Interval]:
    """Worth per 1,000 rows against doing nothing, flagging all, and the better of the two."""
    model = worth(flags, labels, costs)
    everything = worth(np.ones(labels.size), labels, costs)
    columns = np.column_stack([model, everything, np.ones(labels.size)])
    sums = sum_samples(columns, resampling)
    mine, trivial = 1000 * model.mean(), 1000 * everything.mean()
    drawn = 1000 * sums[:, :2] / sums[:, 2:3]
    lows_highs = {
        "nothing": (mine, drawn[:, 0]),
        "everything": (mine - trivial, drawn[:, 0] - drawn[:, 1]),
        "better": (mine - max(trivial, 0.0), drawn[:, 0] - (drawn[:, 1] if trivial > 0 else 0.0)),
    }
    return {
        name: Interval(float(value), *map(float, np.percentile(samples, (2.5, 97.5))))
        for name, (value, samples) in lows_highs.items()
    }
