"""Survey every file, then stream the base file through joins, target and filters."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.ingest.joins import Lookup, parse_rules
from pipelines.operations.ingest.largecsv import BATCH_ROWS, LARGE, Room, TypedCsv
from pipelines.operations.ingest.problems import Problem, refuse
from pipelines.operations.ingest.sketch import Sketch
from pipelines.operations.ingest.sources import ReadOptions, Source, file_facts, survey
from pipelines.operations.ingest.target import (
    RowFilter,
    TargetRule,
    add_target,
    add_time,
    parse_rule,
    parse_time,
    unsuited,
)

SURVEY_SHARE = 0.5  # of the progress bar
SUFFIXES = (".csv", ".parquet", ".tsv", ".txt")


def run(context: Context) -> Outcome:
    """One table from all files; raises OperationError naming file, row, column and rule."""
    sources = _survey_all(context)
    base = _base_name(context.text("base"), sources)
    rules = parse_rules(context.items("joins"), sources, base)
    lookups = [Lookup(sources[rule.table], rule) for rule in rules]
    path = context.output("table")
    builder = Builder(context, lookups)
    try:
        builder.write(sources[base], path)
    finally:
        for source in sources.values():
            if isinstance(source, TypedCsv):
                source.typed.unlink(missing_ok=True)
    return Outcome(outputs={"table": path}, facts=_facts(builder, sources, base))


def _survey_all(context: Context) -> dict[str, Source]:
    files = context.many.get("tables", {})
    if not files:
        raise OperationError("no_tables", "no file was given", field="tables", rule=">= 1 file")
    formats = {name: str(value) for name, value in context.mapping("date_formats").items()}
    options = ReadOptions(
        delimiter=context.text("delimiter"),
        nulls=context.names("null_values"),
        date_formats=formats,
        max_bytes=context.whole("max_bytes"),
        room=Room(context.folder, context.spec.max_memory),
        large=LARGE,
    )
    sources: dict[str, Source] = {}
    for at, (name, path) in enumerate(sorted(files.items())):
        context.progress(SURVEY_SHARE * at / len(files), f"looking at {name}")
        sources[short_name(name)] = survey(path, name, options)
        context.log(f"{name}: {sources[short_name(name)].rows:,} rows")
    refuse(problem for source in sources.values() for problem in source.problems)
    return sources


def short_name(name: str) -> str:
    """A file's name without its ending: how joins refer to it."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _base_name(given: str, sources: Mapping[str, Source]) -> str:
    name = short_name(given)
    if not name and len(sources) == 1:
        return next(iter(sources))
    if name not in sources:
        known = ", ".join(sources)
        raise OperationError(
            "unknown_base",
            f"base names {given!r}; the files are {known}",
            field="base",
            value=given,
            rule="names one of the files",
        )
    return name


class Builder:
    """Streams base batches through joins, time, target and filters into the output."""

    def __init__(self, context: Context, lookups: list[Lookup]) -> None:
        self.context = context
        self.lookups = lookups
        self.rule: TargetRule | None = None
        self.time_column = context.text("time_column")
        self.target = context.text("target")
        self.filter = RowFilter()
        self.rows = 0
        self.labelled = 0
        self.positives = 0.0
        self.first: Json = None
        self.last: Json = None
        self.columns: list[str] = []
        self.labels = Sketch()
        self.label_cells = 0

    def write(self, source: Source, path: Path) -> None:
        """Write the table; raises OperationError when no row is left."""
        if isinstance(source, TypedCsv) and self._stays_as_it_is():
            seen = self._take(source, path)
        else:
            seen = self._stream(source, path)
        self._refuse_result(source, seen, path)

    def _stays_as_it_is(self) -> bool:
        """Whether nothing is asked for that adds or drops columns or rows."""
        asked = (
            *map(self.context.mapping, ("target_rule", "time_parts")),
            *map(self.context.text, ("time_from", "time_until")),
            self.context.names("drop_columns"),
            self.context.flag("drop_unlabelled"),
        )
        return not self.lookups and not any(asked)

    def _take(self, source: TypedCsv, path: Path) -> int:
        """Take the table that the survey has written; look at target and time only."""
        self._prepare(source.schema)
        self.columns = list(source.schema.names)
        source.typed.replace(path)
        seen = [name for name in (self.target, self.time_column) if name]
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=seen) if seen else ():
                table = pa.Table.from_batches([batch])
                if self.target:
                    self._note_labels(table.column(self.target))
                self._note(table)
        self.rows = source.rows
        return source.rows

    def _stream(self, source: Source, path: Path) -> int:
        """Stream the base through joins, time, target and filters; the rows it has."""
        writer: pq.ParquetWriter | None = None
        seen = 0
        try:
            for batch in source.batches():
                seen += batch.num_rows
                table = self._transform(pa.Table.from_batches([batch]))
                writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
                if table.num_rows:
                    self._note(table)
                    writer.write_table(table)
                share = SURVEY_SHARE + (1 - SURVEY_SHARE) * seen / max(1, source.rows)
                self.context.progress(share, "joining and writing", seen)
        finally:
            if writer is not None:
                writer.close()
        return seen

    def _refuse_result(self, source: Source, seen: int, path: Path) -> None:
        """Leave no table behind that nobody can learn from."""
        wrong = unsuited(self.context.text("metric"), self.target, self.labels)
        if self.rows and wrong is None and (not self.target or self.labels.distinct >= 2):
            return
        path.unlink(missing_ok=True)
        self.refuse_labels(source)
        if not self.rows:
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in self.filter.dropped.items())
            raise OperationError(
                "no_rows_left",
                f"{source.name}: no row is left of {seen:,} ({reasons})",
                value=0,
                rule="rows >= 1",
            )
        if wrong is not None:
            raise wrong

    def _transform(self, table: pa.Table) -> pa.Table:
        for lookup in self.lookups:
            table = lookup.join(table)
        parts = self.context.mapping("time_parts")
        if parts and self.time_column and self.time_column not in table.column_names:
            table = add_time(table, self.time_column, parts)
        if not self.columns:
            self._prepare(table.schema)
        if self.rule is not None:
            table = add_target(table, self.rule)
        if self.target:
            self._note_labels(table.column(self.target))
        table = self.filter.apply(table)
        dropped = set(self.context.names("drop_columns"))
        self.columns = [name for name in table.column_names if name not in dropped]
        return table.select(self.columns)

    def _prepare(self, schema: pa.Schema) -> None:
        """Check names against the joined schema, once."""
        self.rule = parse_rule(self.context.mapping("target_rule"), schema, self.target)
        self.target = self.rule.name if self.rule else self.target
        named = [("time_column", self.time_column)]
        named += [("target", self.target if self.rule is None else "")]
        named += [("drop_columns", name) for name in self.context.names("drop_columns")]
        for field_name, name in named:
            if name and name not in schema.names:
                raise OperationError(
                    "unknown_column",
                    f"{field_name} names {name!r}, which the table does not have",
                    field=field_name,
                    value=name,
                    rule="names a column of the table",
                )
        if self.time_column and not pa.types.is_timestamp(schema.field(self.time_column).type):
            kind = str(schema.field(self.time_column).type)
            raise OperationError(
                "not_a_time",
                f"time_column {self.time_column!r} holds {kind}, not times",
                field="time_column",
                value=kind,
                rule="holds times",
            )
        self.filter = RowFilter(
            self.time_column,
            parse_time(self.context.text("time_from"), "time_from"),
            parse_time(self.context.text("time_until"), "time_until"),
            self.target if self.context.flag("drop_unlabelled") else "",
        )

    def _note_labels(self, column: pa.ChunkedArray) -> None:
        self.label_cells += len(column) - column.null_count
        for chunk in column.chunks:
            self.labels.update(chunk)

    def refuse_labels(self, source: Source) -> None:
        """Raise OperationError when the target is missing everywhere or never varies."""
        if not self.target or self.labels.distinct >= 2:
            return
        if not self.label_cells:
            code, text, value = "target_missing", "is missing in all rows", None
        else:
            code, value = "target_one_class", str(self.labels.examples[0])
            text = f"has one value only ({value}) in {self.label_cells:,} labelled rows"
        refuse(
            [
                Problem(
                    code,
                    source.name,
                    f"target {self.target!r} {text}",
                    column=self.target,
                    rule="has at least two values",
                    value=value,
                )
            ]
        )

    def _note(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        if self.target in table.column_names:
            column = table.column(self.target)
            self.labelled += table.num_rows - column.null_count
            if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
                self.positives += float(pc.sum(pc.cast(column, pa.int64())).as_py() or 0)
        if self.time_column in table.column_names:
            span = pc.min_max(table.column(self.time_column)).as_py()
            low, high = span["min"], span["max"]
            if low is not None:
                self.first = min(str(self.first or low.isoformat()), low.isoformat())
                self.last = max(str(self.last or high.isoformat()), high.isoformat())


def _facts(builder: Builder, sources: Mapping[str, Source], base: str) -> dict[str, Json]:
    target: dict[str, Json] = {
        "name": builder.target,
        "labelled": builder.labelled,
        "unlabelled": builder.rows - builder.labelled,
        "positives": int(builder.positives) if builder.rule else None,
        "share": finite(builder.positives / builder.labelled, 6)
        if builder.rule and builder.labelled
        else None,
    }
    return {
        "rows": builder.rows,
        "columns": len(builder.columns),
        "column_names": list(builder.columns),
        "base": base,
        "dropped": dict(builder.filter.dropped),
        "dropped_rows": sum(builder.filter.dropped.values()),
        "files": [file_facts(source) for source in sources.values()],
        "joins": [lookup.facts() for lookup in builder.lookups],
        "target": target if builder.target else None,
        "time": {"column": builder.time_column, "first": builder.first, "last": builder.last}
        if builder.time_column
        else None,
    }
