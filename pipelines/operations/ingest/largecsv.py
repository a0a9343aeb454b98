"""A CSV file larger than memory: its head decides, DuckDB reads the rest and verifies.

The head goes through the same cell-by-cell look as a small file. What it settles
(plainly text) stays settled; what it shows to be cleanly of one type is read as that
type by DuckDB, which stops at the first cell that is not; every other column gets the
full look. The result is the same as the small way's, which remains for what DuckDB
does not read alike: other encodings, ragged rows, unusual quoting.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.ingest.cells import ColumnScan
from pipelines.operations.ingest.csvfile import NULLS, CsvSource, survey_csv, text_batches
from pipelines.operations.ingest.plans import ColumnPlan, plan_column, zone_note
from pipelines.operations.ingest.problems import Problem
from pipelines.operations.ingest.text import Layout, find_layout
from pipelines.operations.ingest.typed import STOP, attempt, guard, has_guard, typed
from pipelines.operations.ingest.widths import widths_hold
from pipelines.operations.streaming import (
    Connection,
    copy_to_parquet,
    engine,
    identifier,
    literal,
)

LARGE = 64 << 20  # bytes from which a CSV file is read this way (own)
HEAD_BLOCKS = 4  # of 4 MiB: what the first guess of a column's type rests on (own)
BATCH_ROWS = 65_536
ENCODINGS = ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class Room:
    """Where a large file may be worked on, and with how much memory (MiB)."""

    folder: Path
    memory_mib: int


@dataclass
class TypedCsv(CsvSource):
    """A surveyed CSV file whose rows lie typed in a Parquet file beside."""

    typed: Path = Path()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Typed batches in file order."""
        with pq.ParquetFile(self.typed) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)


def survey_large_csv(
    path: Path,
    name: str,
    *,
    delimiter: str = "",
    nulls: Sequence[str] = (),
    date_formats: Mapping[str, str] | None = None,
    room: Room,
) -> CsvSource:
    """What `survey_csv` gives, for a file of any size; problems are collected, never raised."""
    formats = date_formats or {}
    layout, problems = find_layout(path, name, delimiter)
    if layout is not None and _readable(layout, nulls) and not _blocking(problems):
        reading = Reading(path, name, layout, tuple(nulls or NULLS), formats, room)
        try:
            found = reading.survey(problems)
        except (duckdb.Error, pa.ArrowInvalid):
            found = None  # ragged rows, odd quoting, a broken end: the small way names them
        if found is not None:
            return found
    return survey_csv(path, name, delimiter, nulls, formats)


def _readable(layout: Layout, nulls: Sequence[str]) -> bool:
    """Whether both readers take the file alike as far as its layout tells."""
    names = {column.casefold() for column in layout.header}
    return (
        layout.encoding in ENCODINGS
        and len(layout.header) > 1  # an empty line is a missing cell to one reader only
        and len(names) == len(layout.header)
        and "" in (nulls or NULLS)
    )


def _blocking(problems: Iterable[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


@dataclass(frozen=True)
class Reading:
    """One large file under survey."""

    path: Path
    name: str
    layout: Layout
    nulls: tuple[str, ...]
    formats: Mapping[str, str]
    room: Room

    def survey(self, problems: list[Problem]) -> CsvSource | None:
        """The surveyed source; None where the small way has to read it."""
        clean, unsure = self._head()
        looked = self._look(unsure)
        plans = self._plans(clean, looked)
        if _blocking(_told(plans)):
            return None
        typed_path = (
            self.room.folder / f"typed-{len(list(self.room.folder.glob('typed-*')))}.parquet"
        )
        with engine(
            self.room.folder, memory_mib=self.room.memory_mib, reads=[self.path]
        ) as connection:
            if not self._write(connection, plans, typed_path):
                odd = self._odd(connection, plans)
                plans = self._plans(clean, looked | self._look(odd - set(looked)))
                if odd & set(looked) or _blocking(_told(plans)):
                    return None
                if not self._write(connection, plans, typed_path):
                    return None
        found = self._source(problems, plans, typed_path)
        return found if widths_hold(self.path, self.layout, found.rows) else None

    def _head(self) -> tuple[dict[str, ColumnPlan], set[str]]:
        """Plans of the columns that the head shows to be clean, and the other columns."""
        scans = [ColumnScan(column) for column in self.layout.header]
        row = self.layout.header_rows + 1
        batches = text_batches(self.path, self.layout, self.nulls, [], self.name)
        for batch in islice(batches, HEAD_BLOCKS):
            for scan, cells in zip(scans, batch.columns, strict=True):
                scan.update(cells, row)
            row += batch.num_rows
        clean: dict[str, ColumnPlan] = {}
        for scan in scans:
            plan, found = plan_column(scan, self.name, self.formats.get(scan.name, ""))
            sure = scan.settled or (plan.kind != "text" and not found)
            if plan.time_format == "zone" and len(found) == 1 and found[0].severity == "note":
                sure = True
            if sure and has_guard(plan):
                clean[scan.name] = plan
        return clean, set(self.layout.header) - set(clean)

    def _look(self, columns: set[str]) -> dict[str, tuple[ColumnPlan, list[Problem]]]:
        """Look at every cell of some columns, as the small way does."""
        if not columns:
            return {}
        scans = [ColumnScan(column) for column in self.layout.header if column in columns]
        only = [scan.name for scan in scans]
        row = self.layout.header_rows + 1
        bad: list[Problem] = []
        for batch in text_batches(self.path, self.layout, self.nulls, bad, self.name, only):
            for scan, cells in zip(scans, batch.columns, strict=True):
                scan.update(cells, row)
            row += batch.num_rows
        if bad:
            raise pa.ArrowInvalid("rows differ in their number of cells")
        return {
            scan.name: plan_column(scan, self.name, self.formats.get(scan.name, ""))
            for scan in scans
        }

    def _plans(
        self,
        clean: Mapping[str, ColumnPlan],
        looked: Mapping[str, tuple[ColumnPlan, list[Problem]]],
    ) -> list[tuple[ColumnPlan, list[Problem]]]:
        """Plan and problems of every column in file order; a full look beats the head."""
        plans = []
        for column in self.layout.header:
            if column in looked:
                plans.append(looked[column])
            else:
                plans.append((clean[column], _zone_note(clean[column], self.name)))
        return plans

    def _write(
        self,
        connection: Connection,
        plans: Sequence[tuple[ColumnPlan, list[Problem]]],
        path: Path,
    ) -> bool:
        """Write the typed table; False where a cell is not what its plan says."""
        if not all(has_guard(plan) for plan, _ in plans):
            return False
        columns = ", ".join(
            f"{typed(plan, f'c{at}', f't{at}')} AS {identifier(plan.name)}"
            for at, (plan, _) in enumerate(plans)
        )
        try:
            copy_to_parquet(connection, f"SELECT {columns} FROM {self._tried(plans)}", path)
        except duckdb.Error as error:
            path.unlink(missing_ok=True)
            if STOP in str(error):
                return False
            raise
        return True

    def _odd(
        self, connection: Connection, plans: Sequence[tuple[ColumnPlan, list[Problem]]]
    ) -> set[str]:
        """The columns that hold a cell beyond their plan, in one pass."""
        checked = [
            (plan.name, f"count_if(c{at} NOT NULL AND NOT coalesce({holds}, false))")
            for at, (plan, _) in enumerate(plans)
            if has_guard(plan) and (holds := guard(plan, f"c{at}", f"t{at}"))
        ]
        if not checked:
            return set()
        wanted = ", ".join(count for _, count in checked)
        counts = connection.execute(f"SELECT {wanted} FROM {self._tried(plans)}").fetchone() or ()
        return {name for (name, _), count in zip(checked, counts, strict=True) if count}

    def _tried(self, plans: Sequence[tuple[ColumnPlan, list[Problem]]]) -> str:
        """Every cell as text (c0, c1, ...) and as its planned type where it can be (t0, ...)."""
        tried = [
            f"{attempt(plan, f'c{at}')} AS t{at}"
            for at, (plan, _) in enumerate(plans)
            if has_guard(plan) and plan.kind != "text"
        ]
        return f"(SELECT {', '.join(['*', *tried])} FROM {self._cells()})"

    def _cells(self) -> str:
        """The table function that gives every cell as text, columns c0, c1, ..."""
        columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(self.layout.header)))
        nulls = ", ".join(literal(text) for text in self.nulls)
        return (
            f"read_csv({literal(str(self.path))}, auto_detect = false, header = false, "
            f"skip = {self.layout.header_rows}, delim = {literal(self.layout.delimiter)}, "
            f"quote = '\"', escape = '\"', strict_mode = true, null_padding = false, "
            f"allow_quoted_nulls = true, nullstr = [{nulls}], columns = {{{columns}}})"
        )

    def _source(
        self,
        problems: list[Problem],
        plans: Sequence[tuple[ColumnPlan, list[Problem]]],
        path: Path,
    ) -> TypedCsv:
        return TypedCsv(
            self.path,
            self.name,
            self.layout,
            [*problems, *_told(plans)],
            self.nulls,
            plans=[plan for plan, _ in plans],
            rows=pq.read_metadata(path).num_rows,
            typed=path,
        )


def _told(plans: Iterable[tuple[ColumnPlan, list[Problem]]]) -> list[Problem]:
    return [problem for _, found in plans for problem in found]


def _zone_note(plan: ColumnPlan, file: str) -> list[Problem]:
    return [zone_note(plan.name, file)] if plan.time_format == "zone" else []
