"""Which rows of a holdout set the cuts, and which count how often they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Context
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.resampling import group_codes, some_groups

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


def parts_of(candidate: Candidate, holdout: Holdout, context: Context) -> Parts:
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
