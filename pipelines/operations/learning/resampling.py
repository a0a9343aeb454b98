"""Bootstrap weights, drawn by row or by block (a group, a day), and intervals from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.learning.metrics import Floats, Labels, Ranking

Blocks = npt.NDArray[np.int64]
MINIMUM_BLOCKS = 10  # fewer groups or days give no usable spread: none are drawn (own)
DAY = 86_400_000_000  # microseconds
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
    unit: str  # "group", "block" (of time, for forecasts), "day" or "row"
    days: float | None = None  # how long a block of time is
    wanted_days: float | None = None  # how long it should be, where there is less time

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


def group_codes(groups: pd.Series) -> Blocks:
    """A number for each group; rows without a group are groups of their own."""
    codes, known = pd.factorize(groups.astype("str").where(groups.notna()), sort=True)
    alone = codes < 0
    found: Blocks = codes.astype(np.int64)
    found[alone] = len(known) + np.arange(alone.sum())
    return found


def by_group(groups: pd.Series, *, samples: int, seed: int) -> Resampling | None:
    """Rows of one group stay together; None where there are too few groups."""
    found = Resampling(group_codes(groups), samples, seed, "group")
    return found if found.size >= MINIMUM_BLOCKS else None


def by_group_day_or_row(
    frame: pd.DataFrame, *, group: str, time: str, samples: int, seed: int, origin: str = ""
) -> Resampling:
    """By the column `group`, else by the days of the column `time`, else by row ("" for none).

    What rows of one group share, such as an author, ties them more than their day does.
    Forecasts made at `origin` are drawn in blocks of time as long as they reach ahead.
    """
    found = by_group(frame[group], samples=samples, seed=seed) if group else None
    times = frame[time] if time else None
    if found is None and times is not None and origin:
        found = by_reach(times, frame[origin], samples=samples, seed=seed)
    return found or by_day_or_row(len(frame), times, samples=samples, seed=seed)


def some_groups(codes: Blocks, rows: int, *, seed: int) -> npt.NDArray[np.bool_]:
    """True for the rows of groups drawn until they hold about `rows` rows; no group is parted.

    Two groups or more lie on both sides, a single one lies on this side.
    """
    count = int(codes.max()) + 1
    order = np.random.default_rng([seed, 2]).permutation(count)
    held = np.cumsum(np.bincount(codes, minlength=count)[order])
    most = max(1, count - 1)
    taken = order[: int(np.argmin(np.abs(held[:most] - rows))) + 1]
    found: npt.NDArray[np.bool_] = np.isin(codes, taken)
    return found


def by_reach(time: pd.Series, origin: pd.Series, *, samples: int, seed: int) -> Resampling | None:
    """Blocks of time as long as the longest forecast, a day at least; None for less time.

    Errors of forecasts h steps ahead are tied over h - 1 steps, since neighbours know nothing of
    the steps between either (Hansen and Hodrick 1980): shorter blocks would take them for
    independent and make intervals too narrow. Where the time holds fewer than ten such blocks,
    it is cut into ten shorter ones; `wanted_days` then says how long they should be.
    """
    known = pd.to_datetime(time, utc=True).to_numpy("datetime64[us]").astype("int64")
    made = pd.to_datetime(origin, utc=True).to_numpy("datetime64[us]").astype("int64")
    if pd.isna(time).any() or pd.isna(origin).any() or not known.size:
        return None
    ahead = known - made
    step = int(ahead[ahead > 0].min()) if (ahead > 0).any() else 0
    wanted = max(DAY, int(ahead.max()) + step)
    whole = int(known.max() - known.min()) + max(step, 1)
    # whole days: a block does not part a day
    length = -(-wanted // DAY) * DAY
    if length > whole // MINIMUM_BLOCKS:
        length = whole // MINIMUM_BLOCKS // DAY * DAY
    if length < DAY:
        return None
    codes, count = pd.factorize((known - known.min() // DAY * DAY) // length, sort=True)
    if len(count) < MINIMUM_BLOCKS:
        return None
    short = wanted / DAY if length < wanted else None
    return Resampling(codes.astype(np.int64), samples, seed, "block", length / DAY, short)


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
