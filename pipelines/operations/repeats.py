"""Rows told more than once, and holes in the times of rows: what makes a table look larger or
longer than it is. Shared by what judges a table and what makes a series of one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json, finite
from pipelines.operations.tables import plain, row_hashes

NEVER = 1e-9  # rows expected to repeat one row: no number is left of it
LOOKED_AT = 0.01  # below that share of repeats nobody asks whether they are chance


def repeated_rows(frame: pd.DataFrame) -> dict[str, Json]:
    """Rows that equal an earlier one in every column, and the share that chance would make.

    n rows drawn from M equally likely kinds repeat an earlier one in 1 - M / n (1 - e^(-n / M)) of
    the cases; 1 / M is taken as the product of the shares of equal pairs in each column, as if they
    were independent. A column of different values only has no such pair: then nothing is chance.
    """
    again = pd.Series(row_hashes(frame)).duplicated().to_numpy()
    share = float(again.mean()) if len(again) else 0.0
    return {
        "rows": int(again.sum()),
        "share": finite(share, 6),
        "by_chance": finite(_by_chance(frame), 6) if share > LOOKED_AT else None,
        "first": int(np.flatnonzero(again)[0]) + 1 if again.any() else None,
    }


def _by_chance(frame: pd.DataFrame) -> float:
    rows, equal = len(frame), 1.0
    for name in frame.columns:
        counts = frame[name].value_counts(dropna=False).to_numpy(dtype=np.float64)
        equal *= float((counts * (counts - 1)).sum() / (rows * (rows - 1)))
    expected = rows * equal
    return float(1 + np.expm1(-expected) / expected) if expected > NEVER else 0.0


def longest_gap(times: pd.Series) -> dict[str, Json]:
    """The longest time without a row: its share of the whole, and how many usual gaps it lasts.

    Usual is the mean between distinct times. An empty mapping for fewer than three of them.
    """
    known = np.sort(times.dropna().unique())
    if known.size < 3:
        return {}
    gaps = np.diff(known).astype("timedelta64[us]").astype(np.float64)
    at = int(gaps.argmax())
    rest = (gaps.sum() - gaps[at]) / (gaps.size - 1)
    return {
        "from": plain(pd.Timestamp(known[at])),
        "to": plain(pd.Timestamp(known[at + 1])),
        "share": finite(float(gaps[at] / gaps.sum()), 6),
        "times_usual": finite(float(gaps[at] / rest), 3),
        "out_of_order": int((times.dropna().diff() < pd.Timedelta(0)).sum()),
        "missing": int(times.isna().sum()),
    }
