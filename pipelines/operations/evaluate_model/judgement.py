"""What judging a candidate on its holdout gives, whatever it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning.resampling import Interval


@dataclass(frozen=True)
class Judgement:
    """Scores with intervals, facts beyond them, curves for pages, and columns of predictions.

    `columns` has one row for each of the holdout, in its order.
    """

    measured: dict[str, Interval]
    facts: dict[str, Json]
    columns: pd.DataFrame
    curves: dict[str, Json] = field(default_factory=dict)
