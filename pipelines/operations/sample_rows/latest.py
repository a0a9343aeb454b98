"""The latest rows of a table, by whole moments."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, OperationError, Outcome

BATCH_ROWS = 131_072


def keep(context: Context, source: Path, path: Path, *, limit: int) -> Outcome:
    """Write the rows of the last moments, at most `limit`; raises OperationError.

    A moment is kept whole or not at all. Rows without a time are left out.
    """
    with pq.ParquetFile(source) as file:
        rows, names = file.metadata.num_rows, file.schema_arrow.names
        name = _time_column(context, names)
        times = pa.concat_arrays(
            [batch.column(0) for batch in file.iter_batches(BATCH_ROWS, columns=[name])]
        )
        _need_times(times.type, name)
        first = since(times, limit=limit)
        kept = _write(file, path, name=name, first=first)
    context.progress(1.0, "latest rows kept", rows)
    facts: dict[str, Json] = {
        "rows_before": rows,
        "rows": kept,
        "left_out": rows - kept,
        "sampled": False,
        "since": first.as_py().isoformat(),
        "without_time": times.null_count,
        "how": "the latest, by whole moments: older rows are left out and nothing stands for them",
        "weight_column": None,
        "strata": [],
        "weights": "none: every row kept stands for itself",
    }
    return Outcome({"table": path}, facts)


def _time_column(context: Context, names: Sequence[str]) -> str:
    name = context.text("time_column")
    if name in names:
        return name
    raise OperationError(
        "unknown_column", f"time_column: {name!r}; rule: names a column of the table",
        field="time_column", value=name, rule="names a column of the table",
    )  # fmt: skip


def _need_times(kind: pa.DataType, name: str) -> None:
    if not pa.types.is_temporal(kind):
        raise OperationError(
            "not_a_time", f"time_column {name!r} holds {kind}, not times",
            field="time_column", value=str(kind), rule="holds times",
        )  # fmt: skip


def since(times: pa.Array, *, limit: int) -> pa.Scalar:
    """The earliest moment from which on no more than `limit` rows lie; raises OperationError."""
    counted = pc.value_counts(times.drop_null())
    moments, counts = counted.field("values"), counted.field("counts").to_numpy()
    order = pc.sort_indices(moments, sort_keys=[("", "descending")]).to_numpy()
    fits = int(np.searchsorted(np.cumsum(counts[order]), limit, side="right"))
    if not fits:
        most = int(counts[order[0]]) if order.size else 0
        raise OperationError(
            "limit_too_small",
            f"the last moment has {most:,} rows, and {limit:,} are to be learned from",
            field="limit", value=limit, rule="holds the rows of the last moment at least",
        )  # fmt: skip
    return moments[int(order[fits - 1])]


def _write(file: pq.ParquetFile, path: Path, *, name: str, first: pa.Scalar) -> int:
    kept = 0
    with pq.ParquetWriter(path, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(BATCH_ROWS):
            chosen = batch.filter(pc.greater_equal(batch.column(name), first))
            kept += chosen.num_rows
            writer.write_batch(chosen)
    return kept
