"""The curve: score by age on the same rows, what is lost, and when half of it is.

The intervals speak of other rows of the same periods (bootstrap by day or row, paired over
ages), not of other training samples nor of other seasons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.operations.learning import class_scores
from pipelines.operations.learning.metrics import (
    HIGHER_IS_BETTER,
    Floats,
    Labels,
    all_scores,
    brier_losses,
    log_losses,
)
from pipelines.operations.learning.resampling import (
    Interval,
    Resampling,
    area_samples,
    interval,
    sum_samples,
)

LEAST = 0.05  # of the skill when fresh: what lies below counts as this much (own)
NO_RATE = 1e-9  # halvings per period: below it a curve is flat but for rounding
TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class Scored:
    """Values of one scored period by age: as measured, and in every bootstrap sample."""

    values: Floats  # ages
    samples: Floats  # samples x ages
    no_skill: float


@dataclass(frozen=True)
class Curve:
    """Means over the scored periods, by age."""

    values: tuple[Interval, ...]
    losses: tuple[Interval, ...]
    skill: Floats
    half_life: Interval
    decays: bool


def score_ages(
    scores: Sequence[Floats], labels: Labels, metric: str, resampling: Resampling
) -> Scored:
    """One scored period; `scores` are those of the models by age."""
    several = scores[0].ndim > 1
    measured = class_scores.all_scores if several else all_scores
    values = np.asarray([measured(one, labels)[metric] for one in scores])
    drawn = _class_samples if several else _samples
    samples = np.column_stack([drawn(one, labels, metric, resampling) for one in scores])
    return Scored(
        values, samples, no_skill(labels, metric, classes=scores[0].shape[1] if several else 2)
    )


def _class_samples(scores: Floats, labels: Labels, metric: str, resampling: Resampling) -> Floats:
    return class_scores.all_samples(scores, labels, resampling)[metric]


def _samples(scores: Floats, labels: Labels, metric: str, resampling: Resampling) -> Floats:
    if metric in ("roc_auc", "pr_auc"):
        auc, average = area_samples(scores, labels, resampling)
        return auc if metric == "roc_auc" else average
    losses = log_losses if metric == "log_loss" else brier_losses
    sums = sum_samples(np.column_stack([losses(scores, labels), np.ones(labels.size)]), resampling)
    return sums[:, 0] / sums[:, 1]


def no_skill(labels: Labels, metric: str, *, classes: int = 2) -> float:
    """What the shares of classes alone, told to every row, would score."""
    if classes > 2:
        shares = np.bincount(labels, minlength=classes) / labels.size
        return class_scores.all_scores(np.tile(shares, (labels.size, 1)), labels)[metric]
    share = float(labels.mean())
    return all_scores(np.full(labels.size, share), labels)[metric]


def combine(periods: Sequence[Scored], metric: str) -> Curve:
    """Means over periods; the loss is positive where an older model is worse."""
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    values = np.mean([one.values for one in periods], axis=0)
    samples = np.mean([one.samples for one in periods], axis=0)
    floor = float(np.mean([one.no_skill for one in periods]))
    lost, lost_samples = sign * (values[0] - values) + 0.0, sign * (samples[:, :1] - samples) + 0.0
    skill = sign * (values - floor)
    life, decays = half_life(skill, sign * (samples - floor))
    return Curve(
        values=_intervals(values, samples),
        losses=_intervals(lost, lost_samples),
        skill=skill,
        half_life=life,
        decays=decays,
    )


def _intervals(values: Floats, samples: Floats) -> tuple[Interval, ...]:
    return tuple(interval(float(v), samples[:, k]) for k, v in enumerate(values))


def half_life(skill: Floats, samples: Floats) -> tuple[Interval, bool]:
    """Age in periods at which half the skill is gone, and whether decay is shown at all.

    Skill is what a model scores beyond the share of positives. It is taken to decay as
    s * 2 ** (-age / h), fitted by least squares on its logarithm. Without skill, or where the
    95 % interval of the rate reaches 0, decay is not shown and the upper end is infinite.
    """
    nothing = Interval(math.nan, math.nan, math.nan)
    if skill.size < 2 or not skill[0] > 0:
        return nothing, False
    rate = float(_rates(skill[None])[0])
    fresh = samples[samples[:, 0] > 0]
    if not fresh.size:
        return nothing, False
    slow, fast = np.percentile(_rates(fresh), TAILS)
    shown = bool(slow > NO_RATE)
    return Interval(_life(rate), _life(float(fast)), _life(float(slow))), shown


def _rates(skills: Floats) -> Floats:
    """Halvings per period of each curve (curves x ages): the slope by least squares."""
    halvings = -np.log2(np.maximum(skills / skills[:, :1], LEAST))
    ages = np.arange(skills.shape[1]) - (skills.shape[1] - 1) / 2
    found: Floats = halvings @ ages / (ages @ ages)
    return found


def _life(rate: float) -> float:
    return 1 / rate if rate > NO_RATE else math.inf
