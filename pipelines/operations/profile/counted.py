"""All that a profile tells of a column, from its distinct values and their counts."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.operations.contract import Json, finite
from pipelines.operations.profile.shown import QUANTILES, frequent, shown_numbers
from pipelines.operations.tables import as_numbers


def in_order(table: pa.Table) -> tuple[pd.Series, np.ndarray, int]:
    """Distinct values in ascending order with their counts, and how many are missing."""
    missing = table.filter(pc.is_null(table.column("value")))
    nulls = int(missing.column("n").to_pylist()[0]) if missing.num_rows else 0
    known = table.filter(pc.is_valid(table.column("value"))).sort_by("value")
    return known.column("value").to_pandas(), known.column("n").to_numpy(), nulls


def described(
    name: str,
    kind: str,
    *,
    values: pd.Series,
    counts: np.ndarray,
    nulls: int,
    bins: int,
    top: int,
) -> dict[str, Json]:
    """One column as plain data, all of it exact; values ascend."""
    rows = int(counts.sum()) + nulls
    numbers = as_numbers(values) if kind in ("int", "float", "time") and len(values) else None
    found: dict[str, Json] = {
        "name": name,
        "type": kind_of(kind, numbers),
        "rows": rows,
        "nulls": nulls,
        "null_share": finite(nulls / rows, 6),
        "distinct": len(values),
        "distinct_exact": True,
        "top": frequent(pd.Series(counts, index=values.to_numpy()), top, rows),
        "top_exact": True,
    }
    if numbers is not None and np.isfinite(numbers).any():
        known = np.isfinite(numbers)
        found |= _numeric(numbers[known], counts[known], found["type"], bins)
    if kind == "text" and len(values):
        lengths = values.str.len().to_numpy()
        mean = float((lengths * counts).sum() / counts.sum())
        found["lengths"] = {"mean": finite(mean, 2), "max": int(lengths.max())}
    return found


def kind_of(kind: str, numbers: np.ndarray | None) -> str:
    """Floats that are all whole are ints: a reader may make floats of ints with gaps."""
    if kind != "float" or numbers is None:
        return kind
    known = numbers[np.isfinite(numbers)]
    return "int" if known.size and bool(np.all(known == np.round(known))) else "float"


def _numeric(values: np.ndarray, counts: np.ndarray, kind: Json, bins: int) -> dict[str, Json]:
    total = counts.sum()
    mean = float((values * counts).sum() / total)
    std = float(np.sqrt((counts * (values - mean) ** 2).sum() / total))
    heights, edges = np.histogram(values, bins=bins, weights=counts)
    marks = [weighted_quantile(values, counts, q) for q in QUANTILES]
    return shown_numbers(
        str(kind),
        mean=mean,
        std=std,
        marks=marks,
        zeros=int(counts[values == 0].sum()),
        negatives=int(counts[values < 0].sum()),
        edges=edges,
        heights=heights,
    ) | {"quantiles_exact": True}


def weighted_quantile(values: np.ndarray, counts: np.ndarray, share: float) -> float:
    """numpy's linear quantile of the values repeated by their counts; values ascend."""
    ends = np.cumsum(counts)
    place = share * (int(ends[-1]) - 1)
    below = int(np.floor(place))
    low = values[int(np.searchsorted(ends, below, side="right"))]
    high = values[min(int(np.searchsorted(ends, below + 1, side="right")), len(values) - 1)]
    return float(low + (high - low) * (place - below))
