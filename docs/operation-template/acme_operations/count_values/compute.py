"""Computation of `count_values`."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, OperationError, Outcome


def run(context: Context) -> Outcome:
    """Count the column's values, the most frequent first; equal counts in the values' order."""
    column = _column(context)
    context.progress(0.5, "counting", column.length())
    # As text, so that values of every type have one order.
    counted = pc.value_counts(column.cast(pa.string())).to_pylist()
    counted.sort(key=lambda one: (-one["counts"], one["values"] is None, one["values"] or ""))
    most = counted[: context.whole("most")]
    path = context.output("counts")
    path.write_text(json.dumps(most, ensure_ascii=False), encoding="utf-8")
    rows = column.length()
    return Outcome(
        outputs={"counts": path},
        facts={
            "rows": rows,
            "distinct": len(counted),
            # No rows, no share: None, never NaN.
            "largest_share": most[0]["counts"] / rows if rows else None,
        },
    )


def _column(context: Context) -> pa.ChunkedArray:
    """Read one column; raises OperationError for a file or name that does not suit."""
    name = context.text("column")
    try:
        source = pq.ParquetFile(context.inputs["table"])
        known = source.schema_arrow.names
        if name in known:
            return source.read(columns=[name]).column(0)
    except pa.ArrowException as error:
        raise OperationError(
            "not_readable", f"The table cannot be read: {error}", field="table"
        ) from error
    raise OperationError(
        "no_such_column",
        f"The table has no column {name!r}; it has {', '.join(known)}.",
        field="column",
        value=name,
    )
