"""A CSV file as a source of typed batches: surveyed once, then read in blocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipelines.operations.ingest.cells import ColumnScan
from pipelines.operations.ingest.plans import ARROW_TYPES, ColumnPlan, convert, plan_column
from pipelines.operations.ingest.problems import MAX_EXAMPLES, Problem
from pipelines.operations.ingest.sketch import Sketch
from pipelines.operations.ingest.text import Layout, find_layout

BLOCK_BYTES = 4 << 20
NULLS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>")


@dataclass
class CsvSource:
    """A surveyed CSV file. Row numbers count the header as row 1."""

    path: Path
    name: str
    layout: Layout | None
    problems: list[Problem]
    nulls: Sequence[str] = NULLS
    plans: list[ColumnPlan] = field(default_factory=list)
    scans: list[ColumnScan] = field(default_factory=list)
    sketches: list[Sketch] = field(default_factory=list)
    rows: int = 0
    format: str = "csv"

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return pa.schema([(plan.name, ARROW_TYPES[plan.kind]) for plan in self.plans])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Typed batches in file order; raises OperationError where a cell does not fit."""
        if self.layout is None:
            return
        row = self.layout.header_rows + 1
        for batch in text_batches(self.path, self.layout, self.nulls, []):
            columns = [
                convert(batch.column(at), plan, self.name, row)
                for at, plan in enumerate(self.plans)
            ]
            row += batch.num_rows
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


def survey_csv(
    path: Path,
    name: str,
    delimiter: str = "",
    nulls: Sequence[str] = (),
    date_formats: Mapping[str, str] | None = None,
) -> CsvSource:
    """Look at every cell of a CSV file; problems are collected, never raised."""
    layout, problems = find_layout(path, name, delimiter)
    source = CsvSource(path, name, layout, problems, nulls or NULLS)
    if layout is None or any(problem.severity == "error" for problem in problems):
        return source
    source.scans = [ColumnScan(column) for column in layout.header]
    source.sketches = [Sketch() for _ in layout.header]
    bad: list[Problem] = []
    try:
        for batch in text_batches(path, layout, source.nulls, bad, name):
            for scan, sketch, cells in zip(
                source.scans, source.sketches, batch.columns, strict=True
            ):
                scan.update(cells, source.rows + layout.header_rows + 1)
                sketch.update(cells)
            source.rows += batch.num_rows
    except pa.ArrowInvalid as error:
        text = f"cannot be read as CSV after row {source.rows + 1}: {error}"
        problems.append(Problem("bad_csv", name, text, row=source.rows + 1, rule="is CSV"))
        return source
    problems += bad
    for scan in source.scans:
        plan, found = plan_column(scan, name, (date_formats or {}).get(scan.name, ""))
        source.plans.append(plan)
        problems += found
    return source


def text_batches(
    path: Path,
    layout: Layout,
    nulls: Sequence[str],
    bad: list[Problem],
    name: str = "",
    columns: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """Batches of text cells, of some columns or all; rows of another width are told in `bad`."""

    def note(row: pa_csv.InvalidRow) -> str:
        if len(bad) < MAX_EXAMPLES:
            where = f"row {row.number}" if row.number else f"a row starting {row.text[:60]!r}"
            text = f"{where} has {row.actual_columns} cells, the header {row.expected_columns}"
            rule = f"{row.expected_columns} cells in every row"
            bad.append(
                Problem("ragged_row", name, text, row=row.number, rule=rule, value=row.text[:120])
            )
        return "skip"

    encoding = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
    reader = pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(
            use_threads=False,
            block_size=BLOCK_BYTES,
            encoding=encoding,
            column_names=list(layout.header),
            skip_rows=layout.header_rows,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=note
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={column: pa.string() for column in layout.header},
            null_values=list(nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            include_columns=list(columns),
        ),
    )
    with reader:
        yield from reader
