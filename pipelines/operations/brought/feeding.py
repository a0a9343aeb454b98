"""Rows of a table as a brought model wants them: tensors of a graph, or declared columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from pipelines.operations.learning.metrics import Floats

# What a tensor of a graph may hold, as onnxruntime names it, and as numpy does.
TENSORS: Final[Mapping[str, str]] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
FLOATS: Final = ("float16", "float32", "float64")
# Seconds since 1970 need 31 bits; float32 keeps 24.
EXACT_TIMES: Final = ("float64", "int64")

Feed = dict[str, Any]  # name, dtype, rank and columns of one input, as skops keeps it
Column = dict[str, Any]  # name, type, categories and missing of one column


def fed(feed: Feed, stated: Mapping[str, Column], frame: pd.DataFrame) -> np.ndarray:
    """One input of the graph: a table of rows x columns, or a list of rows where it is flat."""
    parts = [_cells(stated[name], frame[name], feed["dtype"]) for name in feed["columns"]]
    if feed["rank"] == 1:
        return parts[0]
    return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def _cells(column: Column, values: pd.Series, dtype: str) -> np.ndarray:
    if dtype == "object":
        return _texts(column, values)
    if column["type"] == "text":
        places = {value: place for place, value in enumerate(column["categories"])}
        numbers = values.map(places).to_numpy(dtype="float64", na_value=np.nan)
    elif column["type"] == "time":
        moments = pd.to_datetime(values, utc=True)
        numbers = moments.astype("datetime64[us, UTC]").astype("int64").to_numpy() / 1e6
        numbers = np.where(moments.isna().to_numpy(), np.nan, numbers)
    else:
        numbers = pd.to_numeric(values).to_numpy(dtype="float64", na_value=np.nan)
    return _typed(column, numbers, dtype)


def _texts(column: Column, values: pd.Series) -> np.ndarray:
    missing = "" if column["missing"] is None else str(column["missing"])
    gone = values.isna().to_numpy()
    found = np.empty(len(values), dtype=object)
    found[:] = [missing if away else str(v) for v, away in zip(values, gone, strict=True)]
    return found


def _typed(column: Column, numbers: Floats, dtype: str) -> np.ndarray:
    """The numbers as the graph wants them; raises ValueError for what does not fit."""
    gone = np.isnan(numbers)
    if gone.any() and column["missing"] is not None:
        numbers = np.where(gone, float(column["missing"]), numbers)
        gone = np.isnan(numbers)
    if dtype in FLOATS:
        with np.errstate(over="ignore"):
            return numbers.astype(dtype)
    name = column["name"]
    if gone.any():
        raise ValueError(f"column {name!r} misses values, and the graph takes {dtype}")
    kept = numbers.astype(dtype)
    if (kept != numbers).any():
        wrong = numbers[kept != numbers][0]
        raise ValueError(f"column {name!r} holds {wrong:g}, and the graph takes {dtype}")
    return kept


def as_declared(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The declared columns in order; texts with declared categories are categorical.

    A free text that is missing is empty, unless something else was declared.
    """
    found = frame[[column["name"] for column in columns]]
    changed: dict[str, pd.Series] = {}
    for column in columns:
        # what reads sentences was never given anything but a text
        missing = "" if column.get("free") and column["missing"] is None else column["missing"]
        if missing is None and not column["categories"]:
            continue
        values: pd.Series = found[str(column["name"])]
        if missing is not None:
            values = values.where(values.notna(), missing)
        if column["categories"]:
            known = pd.Categorical(values, categories=list(column["categories"]))
            values = pd.Series(known, index=values.index)
        changed[str(column["name"])] = values
    return found.assign(**changed) if changed else found
