"""How a profile shows numbers and frequent values."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json, finite
from pipelines.operations.tables import plain

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def frequent(counts: pd.Series, top: int, rows: int) -> list[Json]:
    """Most frequent values; ties in the order of their text, so that runs agree."""
    # Only the values at or above the last shown count need the slow sort by text.
    least = counts.nlargest(top).min() if len(counts) > top else 0
    found = counts[counts >= least]
    if len(found) > 10 * top:
        found = found.nlargest(top)
    ordered = sorted(found.items(), key=lambda item: (-item[1], str(item[0])))
    return [
        {"value": plain(value), "count": int(count), "share": finite(count / rows, 6)}
        for value, count in ordered[:top]
    ]


def shown_numbers(
    kind: str,
    *,
    mean: float,
    std: float,
    marks: Sequence[float],
    zeros: int,
    negatives: int,
    edges: np.ndarray,
    heights: np.ndarray,
) -> dict[str, Json]:
    """What a profile says of a column of numbers or times; times as ISO texts."""
    shown = [mark(value, kind) for value in marks]
    return {
        "mean": mark(mean, kind),
        "std": finite(std, 6),
        "minimum": shown[0],
        "maximum": shown[-1],
        "quantiles": {f"{q:g}": value for q, value in zip(QUANTILES, shown, strict=True)},
        "zeros": zeros if kind != "time" else None,
        "negatives": negatives if kind != "time" else None,
        "histogram": {
            "edges": [mark(float(edge), kind) for edge in edges],
            "counts": [int(height) for height in heights],
        },
    }


def mark(value: float, kind: str) -> Json:
    """One number as it is shown."""
    if kind == "time":
        return pd.Timestamp(value, unit="s").round("s").isoformat()
    return finite(value, 6)
