"""A file of either format as one kind of source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipelines.operations.contract import Json
from pipelines.operations.ingest.cells import ColumnScan
from pipelines.operations.ingest.csvfile import CsvSource, survey_csv
from pipelines.operations.ingest.largecsv import LARGE, Room, survey_large_csv
from pipelines.operations.ingest.parquetfile import is_parquet, survey_parquet
from pipelines.operations.ingest.problems import Problem
from pipelines.operations.ingest.sketch import Sketch


class Source(Protocol):
    """A surveyed file."""

    path: Path
    name: str
    format: str
    rows: int
    problems: list[Problem]
    scans: list[ColumnScan]
    sketches: list[Sketch]

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Typed batches in file order."""


@dataclass(frozen=True)
class ReadOptions:
    """How files are read; an empty delimiter is found, empty nulls are the usual ones.

    Without `room` every file is read the small way; with it, CSV files from `large` bytes on
    are read by DuckDB.
    """

    delimiter: str = ""
    nulls: Sequence[str] = ()
    date_formats: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = 64 << 30
    room: Room | None = None
    large: int = LARGE


def survey(path: Path, name: str, options: ReadOptions) -> Source:
    """Look at a whole file; its problems are collected in the source, never raised."""
    if is_parquet(path):
        return survey_parquet(path, name, options.max_bytes)
    size = path.stat().st_size
    if size > options.max_bytes:
        return CsvSource(path, name, None, [_too_large(name, size, options.max_bytes)])
    if options.room is not None and size >= options.large:
        return survey_large_csv(
            path,
            name,
            delimiter=options.delimiter,
            nulls=options.nulls,
            date_formats=options.date_formats,
            room=options.room,
        )
    return survey_csv(path, name, options.delimiter, options.nulls, options.date_formats)


def _too_large(name: str, size: int, limit: int) -> Problem:
    text = f"the file has {size:,} bytes, the limit is {limit:,}"
    return Problem("too_large", name, text, rule=f"size <= {limit:,} bytes", value=size)


def file_facts(source: Source) -> dict[str, Json]:
    """What pages show of a file: format, rows, columns, layout and notes."""
    facts: dict[str, Json] = {
        "name": source.name,
        "format": source.format,
        "bytes": source.path.stat().st_size,
        "rows": source.rows,
        "columns": len(source.schema.names),
        "notes": [p.as_json() for p in source.problems if p.severity != "error"],
    }
    if isinstance(source, CsvSource) and source.layout is not None:
        facts["encoding"] = source.layout.encoding
        facts["delimiter"] = source.layout.delimiter
    return facts
