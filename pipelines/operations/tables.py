"""Reading and writing tables and documents, bit-equal for equal content.

Imported by compute modules only: it loads pandas and pyarrow.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, OperationError

ROW_GROUP = 131_072


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A Parquet table as a frame; raises OperationError when it is unreadable or empty."""
    try:
        table = pq.read_table(path, columns=list(columns) if columns else None)
    except pa.ArrowInvalid as error:
        raise OperationError(
            "unreadable_table", f"not a readable Parquet table: {error}", rule="is Parquet"
        ) from error
    frame: pd.DataFrame = table.to_pandas()
    if frame.empty:
        raise OperationError("empty_table", "the table has no rows", value=0, rule="rows > 0")
    return frame


def write_table(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as Parquet without an index."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(
        table.replace_schema_metadata(None), path, row_group_size=ROW_GROUP, compression="zstd"
    )
    return path


def write_document(path: Path, document: Json) -> Path:
    """Write canonical JSON: sorted keys, no NaN."""
    text = json.dumps(document, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


def recipe(context: Context) -> dict[str, Json]:
    """What makes the same again of the same input: operation, version, parameters, seed."""
    spec = context.spec
    return {
        "operation": spec.name,
        "version": spec.version,
        "params": dict(context.params),
        "seed": context.seed,
    }


def read_document(path: Path) -> dict[str, Json]:
    """Read a JSON object; raises OperationError when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OperationError(
            "unreadable_document", f"not JSON: {error}", rule="is a JSON object"
        ) from error
    if not isinstance(found, dict):
        raise OperationError("unreadable_document", "not a JSON object", rule="is a JSON object")
    return found


def need_column(frame: pd.DataFrame, name: str, field: str) -> pd.Series:
    """The column that a parameter names; raises OperationError when there is none."""
    if not name:
        raise OperationError(
            "column_not_named", f"{field} names no column", field=field, rule="names a column"
        )
    if name not in frame.columns:
        known = ", ".join(map(str, frame.columns))
        raise OperationError(
            "unknown_column",
            f"{field} names {name!r}, which is not in the table; columns: {known}",
            field=field,
            value=name,
            rule="names a column of the table",
        )
    return frame[name]


def need_target(frame: pd.DataFrame, name: str) -> pd.Series:
    """The target column; raises OperationError when all missing or with one value only."""
    target = need_column(frame, name, "target")
    labelled = target.dropna()
    if labelled.empty:
        raise OperationError(
            "target_missing",
            f"target {name!r} is missing in all {len(target):,} rows",
            field="target",
            value=None,
            rule="has labels",
            details=[{"column": name, "row": None, "value": None, "rule": "has labels"}],
        )
    if labelled.nunique() < 2:
        only = plain(labelled.iloc[0])
        raise OperationError(
            "target_one_class",
            f"target {name!r} has one value only ({only!r}) in {len(labelled):,} labelled rows",
            field="target",
            value=only,
            rule="has at least two values",
            details=[{"column": name, "row": None, "value": only, "rule": ">= 2 values"}],
        )
    return target


def column_type(series: pd.Series) -> str:
    """One of bool, int, float, time, text; nullable ints read as floats stay ints."""
    kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else ""
    if pd.api.types.is_bool_dtype(series.dtype):
        return "bool"
    if pd.api.types.is_integer_dtype(series.dtype):
        return "int"
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "time"
    if kind == "f" or pd.api.types.is_float_dtype(series.dtype):
        return "int" if _whole(series) else "float"
    if kind == "O" and pd.api.types.infer_dtype(series, skipna=True) == "boolean":
        return "bool"
    return "text"


def _whole(series: pd.Series) -> bool:
    values = series.to_numpy(dtype="float64", na_value=np.nan)
    known = values[np.isfinite(values)]
    return bool(known.size) and bool(np.all(known == np.round(known)))


def plain(value: object) -> Json:
    """A cell as plain JSON: numbers, text, ISO times; None for missing ones."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if np.isfinite(number) else None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return str(value)


def as_numbers(series: pd.Series) -> np.ndarray:
    """A column as float64 with NaN for missing; times as seconds since 1970."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        stamps = series.to_numpy(dtype="datetime64[us]")
        seconds = stamps.astype("int64").astype("float64") / 1e6
        return np.where(np.isnat(stamps), np.nan, seconds)
    if column_type(series) == "bool":
        return series.astype("boolean").to_numpy(dtype="float64", na_value=np.nan)
    return series.to_numpy(dtype="float64", na_value=np.nan)


def deviation(values: np.ndarray) -> float:
    """Standard deviation of known numbers; 0 for one value, of which rounding leaves numpy some.

    The mean of seven times 0.1 is not 0.1: beside a deviation of 1e-17 all else would be far off.
    """
    return float(values.std()) if values.size and np.ptp(values) > 0 else 0.0


def digest_of(values: np.ndarray) -> str:
    """sha256 of an array's little-endian bytes."""
    fixed = np.ascontiguousarray(values)
    if fixed.dtype.byteorder == ">":
        fixed = fixed.astype(fixed.dtype.newbyteorder("<"))
    return hashlib.sha256(fixed.tobytes()).hexdigest()


def row_hashes(frame: pd.DataFrame) -> np.ndarray:
    """One 64-bit hash per row over all columns."""
    hashed: np.ndarray = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashed
