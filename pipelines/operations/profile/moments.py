"""Exact figures of one column of numbers, read twice in batches.

numpy in file order and not SQL: sums of floats would depend on how two threads share the
rows, and a profile has the same digest every time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum, sqrt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.operations.contract import Json, finite
from pipelines.operations.profile.shown import QUANTILES, shown_numbers

BATCH_ROWS = 131_072
THREADS = 2  # columns at a time (own)


@dataclass(frozen=True)
class Wanted:
    """A column of a Parquet file and how many bars its histogram has."""

    path: Path
    name: str
    kind: str
    bins: int


def moments(wanted: Wanted) -> dict[str, Json]:
    """What a profile tells of the column but for distinct, frequent values and quantiles."""
    rows = nulls = zeros = negatives = filled = 0
    sums: list[float] = []
    low, high, whole = np.inf, -np.inf, True
    for size, values in _batches(wanted):
        rows += size
        nulls += int(np.isnan(values).sum()) + size - len(values)
        values = values[np.isfinite(values)]
        if not values.size:
            continue
        filled += len(values)
        sums.append(float(values.sum()))
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        zeros += int(np.count_nonzero(values == 0))
        negatives += int(np.count_nonzero(values < 0))
        whole = whole and bool(np.all(values == np.round(values)))
    kind = "int" if wanted.kind == "float" and whole else wanted.kind
    mean = fsum(sums) / filled
    squares: list[float] = []
    heights = np.zeros(wanted.bins, dtype=np.int64)
    edges = np.histogram_bin_edges(np.array([low, high]), bins=wanted.bins)
    for _, values in _batches(wanted):
        values = values[np.isfinite(values)]
        squares.append(float(((values - mean) ** 2).sum()))
        heights += np.histogram(values, bins=wanted.bins, range=(low, high))[0]
    found: dict[str, Json] = {
        "name": wanted.name,
        "type": kind,
        "rows": rows,
        "nulls": nulls,
        "null_share": finite(nulls / rows, 6),
    }
    return found | shown_numbers(
        kind,
        mean=mean,
        std=sqrt(fsum(squares) / filled),
        marks=[low, *[low] * (len(QUANTILES) - 2), high],
        zeros=zeros,
        negatives=negatives,
        edges=edges,
        heights=heights,
    )


def _batches(wanted: Wanted) -> Iterator[tuple[int, np.ndarray]]:
    """Rows of each batch and its known values as float64; times as seconds since 1970."""
    with pq.ParquetFile(wanted.path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=[wanted.name], use_threads=False):
            cells = batch.column(0)
            if wanted.kind == "time":
                cells = pc.cast(pc.cast(cells, pa.timestamp("us"), safe=False), pa.int64())
                yield len(cells), _known(cells) / 1e6
            else:
                yield len(cells), _known(cells)


def _known(cells: pa.Array) -> np.ndarray:
    known = cells.drop_null() if cells.null_count else cells
    values: np.ndarray = known.to_numpy(zero_copy_only=False).astype("float64", copy=False)
    return values
