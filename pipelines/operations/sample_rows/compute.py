"""Fewer rows to learn from: a sample with weights, or the latest rows as they are.

A stratified sample without replacement is streamed twice and has inverse-probability weights.

The limit is shared out to the classes in proportion, but none gets less than `min_class_rows`
where it has them. A row of a class of N rows of which n are kept weighs N / n, so that weighted
counts, shares and losses are those of the whole table (Horvitz and Thompson 1952).

Forecasts are not drawn at random: rows of one moment belong together, neighbours repeat each
other, and an older row stands for another time, not for the rows beside it. There the latest
moments are kept, whole; what is left out is the older past, and no weight can stand for it.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.sample_rows import latest

BATCH_ROWS = 131_072
CLASSES = 50  # from so many distinct values on a target is no class but a number (own)
ALL = "all rows"
LEAST = 100  # rows; of fewer nothing is learned (own)


def run(context: Context) -> Outcome:
    """Sample the table; OperationError for an unknown target, a weight column, a tiny limit."""
    source, path = context.inputs["table"], context.output("table")
    with pq.ParquetFile(source) as file:
        rows, names = file.metadata.num_rows, file.schema_arrow.names
    target, limit = context.text("target"), context.whole("limit")
    if target and target not in names:
        raise _bad("unknown_column", "target", target, "names a column of the table")
    if WEIGHT in names:
        raise _bad("already_sampled", "table", WEIGHT, "has no weights yet")
    if 0 < limit < LEAST:
        raise _bad("limit_too_small", "limit", limit, f"is 0 for all rows, or at least {LEAST}")
    if limit == 0 or rows <= limit:
        copyfile(source, path)
        return Outcome({"table": path}, _facts(rows, {ALL: rows}, {ALL: rows}))
    if context.text("keep") == "latest":
        return latest.keep(context, source, path, limit=limit)
    counts = _counts(source, target)
    quotas = shared_out(counts, limit=limit, least=context.whole("min_class_rows"))
    _write(context, target if len(counts) > 1 else "", counts=counts, quotas=quotas, path=path)
    return Outcome({"table": path}, _facts(rows, counts, quotas))


def _bad(code: str, field: str, value: str | int, rule: str) -> OperationError:
    return OperationError(
        code, f"{field}: {value!r}; rule: {rule}", field=field, value=value, rule=rule
    )


def _facts(rows: int, counts: Mapping[str, int], quotas: Mapping[str, int]) -> dict[str, Json]:
    kept = sum(quotas.values())
    return {
        "rows_before": rows,
        "rows": kept,
        "left_out": rows - kept,
        "sampled": kept < rows,
        "how": _how(kept < rows, len(counts)),
        "weight_column": WEIGHT if kept < rows else None,
        "strata": [
            {
                "class": name,
                "rows_before": counts[name],
                "rows": quotas[name],
                "weight": finite(counts[name] / quotas[name], 6),
            }
            for name in sorted(counts)
        ],
        "weights": "rows before / rows kept, by class; used where models are fitted and scored"
        if kept < rows
        else "none: every row is kept",
    }


def _how(sampled: bool, strata: int) -> str:
    if not sampled:
        return "all rows"
    if strata == 1:
        return "drawn at random, all rows alike: each stands for equally many"
    return "drawn at random within each class, rare classes first: weights restore the whole"


def _keys(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """The class of each row as text; missing is a class of its own."""
    return np.array([str(value) for value in column.to_pylist()], dtype=object)


def _counts(source: Path, target: str) -> dict[str, int]:
    """Rows by class; one stratum where the target is a number or none is named."""
    counts: Counter[str] = Counter()
    with pq.ParquetFile(source) as file:
        if target:
            for batch in file.iter_batches(BATCH_ROWS, columns=[target]):
                for value in batch.column(0).value_counts().to_pylist():
                    counts[str(value["values"])] += value["counts"]
                if len(counts) > CLASSES:
                    break
        return dict(counts) if 0 < len(counts) <= CLASSES else {ALL: file.metadata.num_rows}


def shared_out(counts: Mapping[str, int], *, limit: int, least: int) -> dict[str, int]:
    """Rows to keep by class: in proportion, but `least` where it has them; `limit` in all."""
    if sum(counts.values()) <= limit:
        return dict(counts)
    least = max(1, min(least, limit // len(counts)))
    quotas: dict[str, int] = {}
    while True:
        left = limit - sum(quotas.values())
        rest = {name: count for name, count in counts.items() if name not in quotas}
        exact = {name: left * count / sum(rest.values()) for name, count in rest.items()}
        rare = {name: min(counts[name], least) for name in rest if exact[name] < least}
        rare = {name: floor for name, floor in rare.items() if floor > exact[name]}
        if not rare:
            break
        quotas |= rare
    quotas |= {name: int(share) for name, share in exact.items()}
    # the largest remainders get what rounding down left over; ties by name
    odd = limit - sum(quotas.values())
    for name in sorted(exact, key=lambda one: (int(exact[one]) - exact[one], one))[:odd]:
        quotas[name] += 1
    return quotas


def _write(
    context: Context,
    target: str,
    *,
    counts: Mapping[str, int],
    quotas: Mapping[str, int],
    path: Path,
) -> None:
    """Draw batch by batch: a batch's share of what is left of a quota is hypergeometric."""
    draw = np.random.default_rng(context.seed)
    open_rows, open_quota = dict(counts), dict(quotas)
    writer: pq.ParquetWriter | None = None
    seen = 0
    with pq.ParquetFile(context.inputs["table"]) as file:
        try:
            for batch in file.iter_batches(BATCH_ROWS):
                keys = _keys(batch.column(target)) if target else np.full(len(batch), ALL, object)
                kept = _drawn(keys, draw, open_rows, open_quota)
                weights = np.array(
                    [counts[key] / quotas[key] for key in keys[kept]], dtype="float64"
                )
                table = pa.Table.from_batches([batch.take(pa.array(kept))])
                table = table.append_column(WEIGHT, pa.array(weights, pa.float64()))
                table = table.replace_schema_metadata(None)
                writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
                writer.write_table(table)
                seen += len(batch)
                context.progress(seen / file.metadata.num_rows, "sampling", seen)
        finally:
            if writer is not None:
                writer.close()


def _drawn(
    keys: np.ndarray,
    draw: np.random.Generator,
    open_rows: dict[str, int],
    open_quota: dict[str, int],
) -> np.ndarray:
    """Row numbers of a batch to keep, in order; takes them off what is open."""
    kept = []
    for name in sorted(set(keys)):
        places = np.flatnonzero(keys == name)
        others = open_rows[name] - len(places)
        wanted = int(draw.hypergeometric(len(places), others, open_quota[name]))
        kept.append(draw.choice(places, wanted, replace=False, shuffle=False))
        open_rows[name] = others
        open_quota[name] -= wanted
    return np.sort(np.concatenate(kept)) if kept else np.empty(0, dtype=np.int64)
