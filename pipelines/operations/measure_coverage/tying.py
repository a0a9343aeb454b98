"""What ties rows of the holdout together: a declared group, else their day."""

from __future__ import annotations

import pandas as pd

from pipelines.operations.learning.candidates import Candidate
from pipelines.operations.learning.resampling import Blocks, by_group_day_or_row, group_codes


def tied(frame: pd.DataFrame, candidate: Candidate) -> Blocks:
    """A number per row, equal for rows that stray together; each row its own without a reason.

    Fewer groups than a bootstrap needs are told, and the band is made for their number; with fewer
    than five there is none (`design_effect`), since so few say nothing of how rows stray.
    """
    if candidate.group:
        return group_codes(frame[candidate.group])
    return by_group_day_or_row(
        frame, group="", time=candidate.time, origin=candidate.origin, samples=1, seed=0
    ).blocks
