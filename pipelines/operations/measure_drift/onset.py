"""Since when a column has drifted: the first part of the window that shows it."""

import pandas as pd

from pipelines.operations.drift import Limits, column_drift

MAX_PARTS = 8


def since(reference: pd.Series, window: pd.Series, times: pd.Series, limits: Limits) -> str | None:
    """Start of the first of up to eight equal parts in event time that exceeds amber.

    None where the window is too small to be cut, or has no event times.
    """
    ordered = times.dropna().sort_values(kind="stable")
    parts = min(MAX_PARTS, len(ordered) // limits.minimum_rows)
    if parts < 2:
        return None
    size = len(ordered) // parts
    for number in range(parts):
        chosen = ordered.index[number * size : (number + 1) * size]
        found = column_drift(reference, window.loc[chosen], limits)
        if found.psi is not None and found.psi > max(limits.amber, found.limit or 0.0):
            moment: pd.Timestamp = ordered.loc[chosen[0]]
            return moment.isoformat()
    return None
