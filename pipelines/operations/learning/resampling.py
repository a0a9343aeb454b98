"""Bootstrap weights, drawn by row or by block (a day), and intervals from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.learning.metrics import Floats, Labels, Ranking

Blocks = npt.NDArray[np.int64]
MINIMUM_BLOCKS = 10  # fewer days give no usable spread: rows are drawn instead (own)
CELLS = 2_000_000  # samples x rows held at once: 16 MB per array
TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % percentile interval; NaN where no sample defines it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resampling:
    """Which block each row belongs to, how many samples to draw, and the seed."""

    blocks: Blocks
    samples: int
    seed: int
    unit: str  # "day" or "row"

    @property
    def size(self) -> int:
        """Number of blocks."""
        return int(self.blocks.max()) + 1

    def weights(self, limit: int) -> Iterator[Floats]:
        """How often each block was drawn: samples x blocks, at most `limit` samples at once."""
        rng = np.random.default_rng(self.seed)
        for start in range(0, self.samples, limit):
            count = min(limit, self.samples - start)
            drawn = [
                np.bincount(rng.integers(0, self.size, self.size), minlength=self.size)
                for _ in range(count)
            ]
            yield np.asarray(drawn, dtype=np.float64)


def by_day_or_row(rows: int, time: pd.Series | None, *, samples: int, seed: int) -> Resampling:
    """Rows of one day stay together where there are days enough; else each row is drawn."""
    if time is not None:
        days = pd.to_datetime(time, utc=True).dt.floor("D")
        codes, known = pd.factorize(days, sort=True)
        if len(known) >= MINIMUM_BLOCKS and (codes >= 0).all():
            return Resampling(codes.astype(np.int64), samples, seed, "day")
    return Resampling(np.arange(rows, dtype=np.int64), samples, seed, "row")


def area_samples(scores: Floats, labels: Labels, resampling: Resampling) -> tuple[Floats, Floats]:
    """ROC AUC and average precision of every sample."""
    ranking = Ranking(scores, labels)
    limit = max(1, CELLS // max(scores.size, 1))
    found = [ranking.areas(weights[:, resampling.blocks]) for weights in resampling.weights(limit)]
    aucs, averages = zip(*found, strict=True)
    return np.concatenate(aucs), np.concatenate(averages)


def sum_samples(values: Floats, resampling: Resampling) -> Floats:
    """Sums of row values in every sample: samples x columns of `values` (rows x columns)."""
    per_block = np.zeros((resampling.size, values.shape[1]))
    np.add.at(per_block, resampling.blocks, values)
    limit = max(1, CELLS // resampling.size)
    return np.concatenate([weights @ per_block for weights in resampling.weights(limit)])


def interval(value: float, samples: Floats) -> Interval:
    """The value with the 2.5 and 97.5 % points of its samples."""
    known = samples[np.isfinite(samples)]
    if not known.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(known, TAILS)
    return Interval(value, float(low), float(high))
