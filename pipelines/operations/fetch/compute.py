"""One snapshot of what a named connection leads to, as a typed table.

The only operation that reads the outside: its outcome is no function of its parameters, so
it is never served from the cache, and what comes after rests on the snapshot's digest.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.fetch import postgres, s3, sqlite
from pipelines.operations.fetch.wanted import Wanted, wanted_of
from pipelines.operations.ingest.largecsv import Room
from pipelines.operations.ingest.problems import refuse
from pipelines.operations.ingest.sources import ReadOptions, file_facts, survey


def run(context: Context) -> Outcome:
    """Read through the connection; raises OperationError that names no address and no secret.

    Where nothing is asked for (the run was given files) nothing is passed on.
    """
    if not any(context.text(name) for name in ("connection", "table", "query", "key")):
        return Outcome(outputs={}, facts={"connection": ""})
    wanted = wanted_of(context)
    path = context.output("table")
    context.progress(0.05, f"reading through {context.text('connection')}")
    if wanted.address.kind == "postgresql":
        notes: list[Json] = []
        rows, names = _write(context, postgres.batches(wanted), path)
    else:
        rows, names, notes = _typed(context, wanted, path)
    if not rows:
        path.unlink(missing_ok=True)
        raise OperationError(
            "no_rows", "The source gives no rows.", field="query", value=0, rule="rows >= 1"
        )
    facts: dict[str, Json] = {
        "connection": context.text("connection"),
        "kind": wanted.address.kind,
        "rows": rows,
        "columns": len(names),
        "fetched_columns": list(names),
        "asked": wanted.query or wanted.table or wanted.key,
        "bytes": path.stat().st_size,
        "notes": notes,
    }
    return Outcome(outputs={"table": path}, facts=facts)


def _write(
    context: Context, batches: Iterator[pa.RecordBatch], path: Path
) -> tuple[int, list[str]]:
    rows, names = 0, list[str]()
    writer: pq.ParquetWriter | None = None
    try:
        for batch in batches:
            names = batch.schema.names
            writer = writer or pq.ParquetWriter(path, batch.schema, compression="zstd")
            if batch.num_rows:
                writer.write_batch(batch)
            rows += batch.num_rows
            context.progress(0.5, "writing", rows)
    finally:
        if writer is not None:
            writer.close()
    return rows, names


def _typed(context: Context, wanted: Wanted, path: Path) -> tuple[int, list[str], list[Json]]:
    """Spool or download, then read it as an uploaded file is read, with the same refusals."""
    spooled = context.folder / "spooled"
    try:
        if wanted.address.kind == "sqlite":
            name = wanted.table or "query"
            if not sqlite.spool(wanted, spooled):
                return 0, [], []
            options = ReadOptions(delimiter=",", nulls=[""], max_bytes=wanted.max_bytes)
        else:
            name = wanted.key.rsplit("/", 1)[-1]
            s3.download(wanted, spooled)
            room = Room(context.folder, context.spec.max_memory)
            options = ReadOptions(max_bytes=wanted.max_bytes, room=room)
        context.progress(0.4, f"looking at {name}")
        source = survey(spooled, name, options)
        refuse(source.problems)
        rows, names = _write(context, source.batches(), path)
        notes = file_facts(source)["notes"]
        return rows, names, notes if isinstance(notes, list) else []
    finally:
        for left in (spooled, *context.folder.glob("typed-*")):
            left.unlink(missing_ok=True)
