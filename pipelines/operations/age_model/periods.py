"""The calendar of a staleness curve: which periods train, which are scored, at which age.

Age k of a scored period t is a model whose window ended k periods before t began. One model
serves several pairs: that of the window ending with period e is k = t - 1 - e old at t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Index = npt.NDArray[np.int64]
DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Calendar:
    """Equal periods from the first moment to the last; `place` is each row's, -1 without a time."""

    place: Index
    count: int
    days: float
    window: int
    ages: int
    tests: int
    asked: Index | None = None  # of forecasts: the period of the origin

    @property
    def scored(self) -> range:
        """The periods that are scored: the last ones."""
        return range(self.count - self.tests, self.count)

    @property
    def ends(self) -> list[int]:
        """The last periods of all windows that some scored period needs."""
        return sorted({t - 1 - age for t in self.scored for age in range(self.ages + 1)})

    def training(self, end: int) -> Index:
        """Rows of the window that ends with a period."""
        first = max(0, end - self.window + 1)
        inside = (self.place >= first) & (self.place <= end)
        return np.flatnonzero(inside)

    def scoring(self, period: int) -> Index:
        """Rows of a scored period; forecasts by when they were made, after all that was learned."""
        return np.flatnonzero((self.place if self.asked is None else self.asked) == period)


def calendar(
    time: pd.Series, *, window: int, ages: int, tests: int, asked: pd.Series | None = None
) -> Calendar | None:
    """As many periods as are needed, equally long; None where all rows are of one moment.

    `asked` is when a forecast was made: a window learns from outcomes of its periods, and scores
    forecasts made in a later one.
    """
    known, moments = _moments(time)
    if not known.any() or moments[known].min() == moments[known].max():
        return None
    first, last = int(moments[known].min()), int(moments[known].max())
    count = window + ages + tests
    length = (last - first) / count

    def places(known: npt.NDArray[np.bool_], moments: Index) -> Index:
        place = np.minimum(np.floor((moments - first) / length).astype(np.int64), count - 1)
        return np.where(known, np.maximum(place, -1), -1)

    origin = None if asked is None else places(*_moments(asked))
    return Calendar(places(known, moments), count, length / DAY, window, ages, tests, origin)


def _moments(time: pd.Series) -> tuple[npt.NDArray[np.bool_], Index]:
    """Which times are known, and all as microseconds."""
    stamps = pd.to_datetime(time, utc=True).dt.tz_convert(None).to_numpy("datetime64[us]")
    return ~np.isnat(stamps), stamps.astype("int64")
