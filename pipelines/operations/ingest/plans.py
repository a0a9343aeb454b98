"""From what was seen in a column to its type, its problems and its conversion."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.operations.ingest.cells import FORMATS, LARGEST, NEARLY, TRUE, ColumnScan
from pipelines.operations.ingest.problems import Problem, listed, refuse

Kind = Literal["int", "float", "bool", "time", "text"]
ARROW_TYPES = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us"),
    "text": pa.string(),
}


@dataclass(frozen=True)
class ColumnPlan:
    """How to read one column: its type, and for times the format ("" is ISO 8601)."""

    name: str
    kind: Kind
    time_format: str = ""


def plan_column(
    scan: ColumnScan, file: str, time_format: str = ""
) -> tuple[ColumnPlan, list[Problem]]:
    """The type of a column and what is wrong with it."""
    if time_format:
        return ColumnPlan(scan.name, "time", time_format), []
    if scan.known == 0:
        text = f"column {scan.name!r} is empty in all {scan.rows:,} rows"
        rule = "has values"
        empty = Problem("empty_column", file, text, column=scan.name, rule=rule, severity="warn")
        return ColumnPlan(scan.name, "text"), [empty]
    numbers = scan.ints + scan.floats
    if scan.infinities and numbers + scan.infinities >= NEARLY * scan.known:
        return ColumnPlan(scan.name, "float"), [infinity_problem(scan, file)]
    if scan.huge and numbers + scan.huge >= NEARLY * scan.known:
        return ColumnPlan(scan.name, "float"), [huge_problem(scan, file)]
    if scan.dates and scan.dated >= NEARLY * scan.known:
        return _plan_dates(scan, file)
    if scan.bools == scan.known:
        return ColumnPlan(scan.name, "bool"), []
    if numbers == scan.known:
        return _plan_numbers(scan, file)
    return ColumnPlan(scan.name, "text"), _nearly(scan, file, numbers)


def _plan_numbers(scan: ColumnScan, file: str) -> tuple[ColumnPlan, list[Problem]]:
    if scan.keep_text is not None:
        row, value = scan.keep_text
        text = f"column {scan.name!r} stays text: as a number {value!r} (row {row}) loses digits"
        note = Problem(
            "kept_text", file, text, row=row, column=scan.name, value=value, severity="note"
        )
        return ColumnPlan(scan.name, "text"), [note]
    return ColumnPlan(scan.name, "float" if scan.floats else "int"), []


def _plan_dates(scan: ColumnScan, file: str) -> tuple[ColumnPlan, list[Problem]]:
    formats = scan.date_formats()
    text_plan = ColumnPlan(scan.name, "text")
    if len(formats) > 1:
        return text_plan, [mixed_dates_problem(scan, file, formats)]
    if scan.others or scan.dated < scan.known:
        row, value = scan.other_rows[0] if scan.other_rows else (None, None)
        text = (
            f"column {scan.name!r} stays text: {scan.dated:,} cells are dates ({formats[0]}), "
            f"but row {row} holds {value!r}"
        )
        return text_plan, [
            Problem(
                "nearly_dates",
                file,
                text,
                row=row,
                column=scan.name,
                rule="every cell is a date",
                value=value,
                severity="warn",
            )
        ]
    if " or " in formats[0]:
        row, value = scan.date_rows[formats[0]]
        text = (
            f"column {scan.name!r} stays text: {formats[0]} cannot be told apart "
            f"(row {row}: {value!r}); name its format in date_formats"
        )
        return text_plan, [
            Problem(
                "ambiguous_dates",
                file,
                text,
                row=row,
                column=scan.name,
                rule="day and month can be told apart",
                value=value,
                severity="warn",
            )
        ]
    if FORMATS[formats[0]][1] == "zone":
        return ColumnPlan(scan.name, "time", "zone"), [zone_note(scan.name, file)]
    return ColumnPlan(scan.name, "time", FORMATS[formats[0]][1]), []


def zone_note(column: str, file: str) -> Problem:
    """Times with a zone: told that they are kept as UTC."""
    text = f"times of column {column!r} carry a zone: kept as UTC"
    return Problem("kept_as_utc", file, text, column=column, severity="note")


def mixed_dates_problem(scan: ColumnScan, file: str, formats: list[str]) -> Problem:
    """Dates in several formats: names each format with an example row."""
    rows = [(*scan.date_rows[name], name) for name in formats]
    examples = listed([f"row {row} {value!r} ({name})" for row, value, name in rows])
    text = f"column {scan.name!r} holds dates in {len(formats)} formats: {examples}"
    return Problem(
        "mixed_dates",
        file,
        text,
        row=max(row for row, _, _ in rows),
        column=scan.name,
        rule="one date format per column",
        value=[value for _, value, _ in rows],
    )


def infinity_problem(scan: ColumnScan, file: str) -> Problem:
    """Infinite values: names column, count and first rows."""
    rows = listed([row for row, _ in scan.infinity_rows])
    text = f"column {scan.name!r} holds {scan.infinities:,} infinite values (rows {rows})"
    row, value = scan.infinity_rows[0]
    return Problem(
        "infinity", file, text, row=row, column=scan.name, rule="numbers are finite", value=value
    )


def _nearly(scan: ColumnScan, file: str, numbers: int) -> list[Problem]:
    """A warning when a few odd cells keep a column from being numeric."""
    if numbers < NEARLY * scan.known or not scan.other_rows:
        return []
    row, value = scan.other_rows[0]
    text = (
        f"column {scan.name!r} stays text: {numbers:,} of {scan.known:,} cells are numbers, "
        f"but row {row} holds {value!r}"
    )
    return [
        Problem(
            "nearly_numbers",
            file,
            text,
            row=row,
            column=scan.name,
            rule="every cell is a number",
            value=value,
            severity="warn",
        )
    ]


def convert(cells: pa.Array, plan: ColumnPlan, file: str, first_row: int) -> pa.Array:
    """Cells of the planned type; raises OperationError with the row that does not fit."""
    try:
        return _convert(cells, plan)
    except pa.ArrowInvalid:
        for at in range(len(cells)):
            try:
                _convert(cells.slice(at, 1), plan)
            except pa.ArrowInvalid:
                refuse([_unfit(cells[at].as_py(), plan, file, first_row + at)])
        raise


def _unfit(value: str, plan: ColumnPlan, file: str, row: int) -> Problem:
    rule = f"is {plan.kind}" + (f" {plan.time_format}" if plan.time_format else "")
    text = (
        f"row {row}: column {plan.name!r} holds {value!r}, which {rule.replace('is', 'is no', 1)}"
    )
    return Problem("bad_value", file, text, row=row, column=plan.name, rule=rule, value=value)


def _convert(cells: pa.Array, plan: ColumnPlan) -> pa.Array:
    if plan.kind == "text":
        return cells
    if plan.kind == "bool":
        return pc.if_else(cells.is_valid(), pc.is_in(cells, pa.array(TRUE)), None)
    trimmed = pc.utf8_trim_whitespace(cells)
    if plan.kind != "time":
        return pc.cast(trimmed, ARROW_TYPES[plan.kind])
    if plan.time_format == "zone":
        return pc.cast(pc.cast(trimmed, pa.timestamp("us", "UTC")), pa.timestamp("us"))
    if plan.time_format:
        return _strptime(trimmed, plan.time_format)
    return pc.cast(trimmed, pa.timestamp("us"))


def _strptime(cells: pa.Array, time_format: str) -> pa.Array:
    """Strict: the C library would read 31.02. as 3 March, so each text is parsed once."""
    parsed: dict[str, datetime] = {}
    for value in cells.unique().to_pylist():
        if value is not None:
            try:
                parsed[value] = datetime.strptime(value, time_format)  # noqa: DTZ007
            except ValueError as error:
                raise pa.ArrowInvalid(str(error)) from error
    return pa.array([parsed.get(value) for value in cells.to_pylist()], type=pa.timestamp("us"))


def huge_problem(scan: ColumnScan, file: str) -> Problem:
    """Numbers that cannot be computed with: names column, count and first rows."""
    rows = listed([row for row, _ in scan.huge_rows])
    text = f"column {scan.name!r} holds {scan.huge:,} numbers beyond {LARGEST:g} (rows {rows})"
    row, value = scan.huge_rows[0]
    rule = f"numbers lie between -{LARGEST:g} and {LARGEST:g}"
    return Problem(
        "number_too_large", file, text, row=row, column=scan.name, rule=rule, value=value
    )
