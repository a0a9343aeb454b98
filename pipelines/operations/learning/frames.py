"""Reading the tables and definitions that model operations take, naming what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.definition import FeatureSet, from_json
from pipelines.operations.learning.labels import labelled
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import read_document, read_table


def column_names(path: Path, *, field: str) -> list[str]:
    """Columns of a Parquet table; raises OperationError naming the input."""
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise OperationError(
            "unreadable_table",
            f"{field} is not a readable Parquet table: {error}",
            field=field,
            rule="is a Parquet table",
        ) from error


def read_columns(path: Path, columns: Sequence[str], *, field: str) -> pd.DataFrame:
    """Some columns of a table, each once; raises OperationError naming all that are absent."""
    known = column_names(path, field=field)
    wanted = list(dict.fromkeys(columns))
    absent = [name for name in wanted if name not in known]
    if absent:
        raise OperationError(
            "unknown_column",
            f"{field} lacks {', '.join(map(repr, absent))}; columns: {', '.join(known)}",
            field=field,
            value=list[Json](absent),
            rule="has every column of the features, the target, key and time",
        )
    return read_table(path, wanted)


def read_features(path: Path) -> FeatureSet:
    """The feature definition; raises OperationError."""
    return from_json(read_document(path))


def read_training(path: Path, features: FeatureSet, *, field: str) -> pd.DataFrame:
    """Rows with a known target, only the columns that the features name.

    Raises OperationError where columns or all labels are absent.
    """
    named = [name for name in (features.time, features.group, features.origin) if name]
    extra = [features.target, *features.key, *named]
    extra += [WEIGHT] if WEIGHT in column_names(path, field=field) else []
    frame = labelled(read_columns(path, [*features.names, *extra], field=field), features.target)
    if frame.empty:
        raise OperationError(
            "target_missing",
            f"target {features.target!r} of {field} is missing in every row",
            field="target",
            value=features.target,
            rule="has labels",
        )
    return frame
