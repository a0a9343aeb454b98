"""Slices that people name: a column's categories, or its numbers in quarters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.tables import column_type

MAX_GROUPS = 40  # the most frequent categories; the rest is one slice
SHOWN = 80  # characters of a category in the name of its slice
FEW_NUMBERS = 12  # up to so many different numbers each is a slice of its own


@dataclass(frozen=True)
class Slice:
    """A named group of rows; `found` by the tree rather than declared."""

    column: str
    name: str
    rows: npt.NDArray[np.bool_]
    found: bool = False


def declared_slices(values: pd.Series) -> list[Slice]:
    """One slice per category, number or quarter; missing values are a slice too."""
    kind, column = column_type(values), str(values.name)
    if kind == "time":
        slices = _by_category(values.dt.strftime("%Y-%m"))
    elif kind in ("int", "float") and values.nunique() > FEW_NUMBERS:
        slices = _by_quarter(values)
    else:
        slices = _by_category(values)
    missing = values.isna().to_numpy(dtype=bool)
    if missing.any():
        slices.append(Slice(column, f"{column} is missing", missing))
    return slices


def _by_category(values: pd.Series) -> list[Slice]:
    column = str(values.name)
    counts = values.value_counts()
    kept = sorted(counts.index[:MAX_GROUPS], key=str)
    slices = [
        Slice(
            column,
            f"{column} = {_shown(kind)}",
            (values == kind).to_numpy(dtype=bool, na_value=False),
        )
        for kind in kept
    ]
    rest = values.notna() & ~values.isin(kept)
    if rest.any():
        slices.append(
            Slice(
                column, f"{column}: {len(counts) - len(kept)} rare ones", rest.to_numpy(dtype=bool)
            )
        )
    return slices


def _by_quarter(values: pd.Series) -> list[Slice]:
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    slices = []
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        inside = (numbers >= low) & ((numbers <= high) if last else (numbers < high))
        name = f"{low:g} <= {values.name} {'<=' if last else '<'} {high:g}"
        slices.append(Slice(str(values.name), name, inside))
    return slices


def _shown(kind: object) -> str:
    if isinstance(kind, float) and kind.is_integer():
        return str(int(kind))
    text = str(kind)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
