"""Tables as CSV that a spreadsheet opens without computing anything: the one writer of them.

A text that begins like a formula gets an apostrophe before it, as OWASP advises on CSV injection.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args, get_type_hints

from django.http import HttpResponse

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
Cell = str | int | float | bool | None


def sheet(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows as CSV (RFC 4180) with a header; what is missing is an empty cell."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow([_safe(name) for name in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return sink.getvalue()


def csv_file(name: str, text: str) -> HttpResponse:
    """Return CSV as a file to download. `name` is ours, without an ending."""
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def sheet_of(kind: type, records: Iterable[object]) -> str:
    """Return dataclasses of a kind as CSV: one column per field, nested ones joined by `_`.

    Lengths are seconds, named so; times ISO 8601; mappings `key=value` with `; ` between.
    """
    header = list(_columns(kind))
    return sheet(header, ([*_cells(kind, one)] for one in records))


def _columns(kind: type, prefix: str = "") -> Iterator[str]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        inner = dataclass_in(hints[field.name])
        if inner is not None:
            yield from _columns(inner, f"{prefix}{field.name}_")
        else:
            unit = (
                "_seconds" if timedelta in (hints[field.name], *_parts(hints[field.name])) else ""
            )
            yield f"{prefix}{field.name}{unit}"


def _cells(kind: type, one: object | None) -> Iterator[Cell]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        value = getattr(one, field.name) if one is not None else None
        inner = dataclass_in(hints[field.name])
        if inner is not None:
            yield from _cells(inner, value)
        else:
            yield _cell(value)


def dataclass_in(hint: Any) -> type | None:
    """Return the dataclass that a hint is, or may be; None for anything else."""
    for part in (hint, *_parts(hint)):
        if isinstance(part, type) and is_dataclass(part):
            return part
    return None


def _parts(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union; of anything else nothing."""
    return get_args(hint) if type(None) in get_args(hint) else ()


def _cell(value: Any) -> Cell:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}={_cell(each)}" for key, each in value.items())
    if isinstance(value, tuple | list | Set):
        return "; ".join(
            " ".join(map(str, each)) if isinstance(each, tuple) else str(_cell(each))
            for each in value
        )
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def _safe(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return "'" + cell
    return "" if cell is None else cell
