"""A Parquet file as a source of typed batches, guarded before anything is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.operations.ingest.cells import ColumnScan, beyond, remember
from pipelines.operations.ingest.plans import huge_problem, infinity_problem, mixed_dates_problem
from pipelines.operations.ingest.problems import Problem, listed
from pipelines.operations.ingest.sketch import Sketch
from pipelines.operations.ingest.text import header_problems

MAGIC = b"PAR1"
BATCH_ROWS = 65_536
TEXT_OFFSET_BYTES = 4
# A file may decode to 2 GiB whatever its size, and to 200 times its size beyond: real tables are
# coded to a tenth or a fiftieth, a bomb to a thousandth and less (own).
ALWAYS_BYTES = 2 << 30
MOST_FOLD = 200


@dataclass
class ParquetSource:
    """A surveyed Parquet file. Rows count from 1."""

    path: Path
    name: str
    problems: list[Problem]
    types: dict[str, pa.DataType] = field(default_factory=dict)
    scans: list[ColumnScan] = field(default_factory=list)
    sketches: list[Sketch] = field(default_factory=list)
    rows: int = 0
    format: str = "parquet"

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns as they are given on."""
        return pa.schema(list(self.types.items()))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches in file order, every column cast to one of the five plain types."""
        if not self.types:
            return
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(self.types)):
                columns = [
                    _cast(batch.column(name), kind, name) for name, kind in self.types.items()
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


def is_parquet(path: Path) -> bool:
    """Whether the file starts like Parquet; the name does not matter."""
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def survey_parquet(path: Path, name: str, max_bytes: int) -> ParquetSource:
    """Check sizes in the footer, then look at every value; problems are collected."""
    source = ParquetSource(path, name, [])
    try:
        with pq.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        text = f"the footer cannot be read as Parquet: {error}"
        source.problems.append(Problem("bad_parquet", name, text, rule="is Parquet"))
        return source
    max_bytes = min(max_bytes, max(ALWAYS_BYTES, MOST_FOLD * path.stat().st_size))
    source.problems += size_problems(metadata, name, max_bytes)
    source.problems += header_problems(tuple(schema.names), name)
    kept = [item for item in schema if not item.name.startswith("__index_level_")]
    types = {item.name: plain_type(item.type) for item in kept}
    source.problems += [_unsupported(name, item) for item in kept if plain_type(item.type) is None]
    if metadata.num_rows == 0:
        text = f"the file has a header ({listed(schema.names)}) and no rows"
        source.problems.append(Problem("header_only", name, text, rule="rows >= 1", value=0))
    if any(problem.severity == "error" for problem in source.problems):
        return source
    source.types = {column: kind for column, kind in types.items() if kind is not None}
    _scan(source, max_bytes)
    return source


def size_problems(metadata: pq.FileMetaData, name: str, max_bytes: int) -> list[Problem]:
    """Refuse by the footer alone: declared bytes, and rows times the width of a row.

    Dictionary and run-length coding let a few bytes declare billions of rows, so
    both the declared uncompressed bytes and the decoded width count.
    """
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    declared = sum(group.total_byte_size for group in groups)
    decoded = metadata.num_rows * sum(
        _width(metadata.schema.column(at).physical_type) for at in range(metadata.num_columns)
    )
    rule = f"decoded size <= {max_bytes:,} bytes"
    problems = []
    for what, size in (("declares", declared), ("would decode to at least", decoded)):
        if size > max_bytes:
            text = (
                f"{metadata.num_rows:,} rows in {len(groups)} row groups: the file {what} "
                f"{size:,} bytes, the limit is {max_bytes:,}"
            )
            problems.append(Problem("too_large_decoded", name, text, rule=rule, value=int(size)))
    return problems[:1]


def _width(physical: str) -> int:
    widths = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
    return widths.get(physical, TEXT_OFFSET_BYTES)


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """The plain type a column is read as; None for nested, binary and other kinds."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return pa.bool_()
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pa.timestamp("us")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return pa.string()
    return pa.string() if pa.types.is_string_view(kind) else None


def _unsupported(name: str, item: pa.Field) -> Problem:
    text = f"column {item.name!r} is of type {item.type}; lists, nested and binary are not read"
    rule = "a number, text, bool or time"
    return Problem(
        "unsupported_type", name, text, column=item.name, rule=rule, value=str(item.type)
    )


def _scan(source: ParquetSource, max_bytes: int) -> None:
    """Count rows, nulls, infinities and dates in texts; refuse texts that blow up."""
    source.scans = [ColumnScan(column) for column in source.types]
    source.sketches = [Sketch() for _ in source.types]
    texts = [column for column, kind in source.types.items() if pa.types.is_string(kind)]
    decoded = 0
    with pq.ParquetFile(source.path, read_dictionary=texts) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(source.types)):
            decoded += sum(_text_bytes(batch.column(column)) for column in texts)
            if decoded > max_bytes:
                text = (
                    f"its texts decode to more than {max_bytes:,} bytes (row {source.rows + 1} on)"
                )
                rule = f"decoded size <= {max_bytes:,} bytes"
                source.problems.append(
                    Problem("too_large_decoded", source.name, text, rule=rule, value=decoded)
                )
                source.types = {}
                return
            _scan_batch(source, batch)
            source.rows += batch.num_rows
    for scan in source.scans:
        if scan.infinities:
            source.problems.append(infinity_problem(scan, source.name))
        if scan.huge:
            source.problems.append(huge_problem(scan, source.name))
        formats = scan.date_formats()
        if len(formats) > 1 and scan.dated >= 0.9 * scan.known:
            source.problems.append(mixed_dates_problem(scan, source.name, formats))


def _text_bytes(cells: pa.Array) -> int:
    """Bytes of the decoded texts, told without decoding them."""
    if pa.types.is_null(cells.type):  # a column without any value, written without a type
        return 0
    if not pa.types.is_dictionary(cells.type):
        return int(pc.sum(pc.binary_length(cells)).as_py() or 0)
    lengths = pc.binary_length(cells.dictionary)
    return int(pc.sum(lengths.take(cells.indices)).as_py() or 0)


def _scan_batch(source: ParquetSource, batch: pa.RecordBatch) -> None:
    for scan, sketch, (column, kind) in zip(
        source.scans, source.sketches, source.types.items(), strict=True
    ):
        cells = _cast(batch.column(column), kind, column)
        if pa.types.is_string(kind):
            scan.update(cells, source.rows + 1)
        else:
            scan.rows += len(cells)
            scan.nulls += cells.null_count
        if pa.types.is_floating(kind):
            _note_beyond(scan, cells, source.rows + 1)
        sketch.update(cells)


def _note_beyond(scan: ColumnScan, cells: pa.Array, first_row: int) -> None:
    """Count infinite numbers, and finite ones too large to be computed with."""
    infinite = np.isinf(cells.to_numpy(zero_copy_only=False))
    huge = beyond(cells) & ~infinite
    scan.infinities += remember(scan.infinity_rows, infinite, cells, first_row)
    scan.huge += remember(scan.huge_rows, huge, cells, first_row)


def _cast(cells: pa.Array, kind: pa.DataType, column: str) -> pa.Array:
    if pa.types.is_timestamp(cells.type) and cells.type.tz:
        cells = pc.cast(cells, pa.timestamp("us", "UTC"), safe=False)
    plain = pc.cast(cells, kind, safe=not pa.types.is_timestamp(kind))
    # NaN of a float column means missing, like an empty cell
    return pc.if_else(pc.is_nan(plain), None, plain) if pa.types.is_floating(kind) else plain
