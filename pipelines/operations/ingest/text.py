"""Encoding, delimiter and header of a text file, told before any cell is decoded."""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipelines.operations.ingest.problems import Problem, listed

CHUNK = 1 << 20
SAMPLE = 1 << 18
SAMPLE_LINES = 3
LONGEST_SAMPLE = 1 << 25
csv.field_size_limit(LONGEST_SAMPLE)  # 131,072 by default: a cell of prose may be longer
DELIMITERS = (",", ";", "\t", "|")
UNUSUAL = (":", "^", "~", "\x1f")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ARCHIVES = ((b"PK\x03\x04", "a ZIP archive"), (b"\x1f\x8b", "a gzip archive"))


@dataclass(frozen=True)
class Layout:
    """How to read a CSV file."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_rows: int = 1  # lines up to and with the header


def find_layout(path: Path, name: str, delimiter: str = "") -> tuple[Layout | None, list[Problem]]:
    """The layout of a CSV file and its problems; no layout when it cannot be read at all."""
    encoding, problems = find_encoding(path, name)
    if not encoding:
        return None, problems
    sample = _sample(path, encoding)
    lines = [line for line in sample.splitlines() if line.strip()]
    if not lines:
        rule = "holds a header and rows"
        return None, [Problem("empty_file", name, "the file is empty", rule=rule)]
    used, found = find_delimiter(sample, name, delimiter)
    problems += found
    reader = csv.reader(io.StringIO(sample, newline=None), delimiter=used)
    header = tuple(cell.strip() for cell in next(cells for cells in reader if cells))
    problems += header_problems(header, name)
    if len(lines) == 1:
        problems.append(
            Problem(
                "header_only",
                name,
                f"the file has a header ({listed(header)}) and no rows",
                row=1,
                rule="rows >= 1",
                value=0,
            )
        )
    return Layout(encoding, used, header, reader.line_num), problems


def find_encoding(path: Path, name: str) -> tuple[str, list[Problem]]:
    """The encoding of the whole file, "" when it is no text or mixes encodings."""
    with path.open("rb") as stream:
        head = stream.read(CHUNK)
    if not head:
        rule = "holds a header and rows"
        return "", [Problem("empty_file", name, "the file is empty (0 bytes)", rule=rule, value=0)]
    for magic, what in ARCHIVES:
        if head.startswith(magic):
            text = f"the file is {what}, not CSV or Parquet: send the file inside it"
            return "", [Problem("not_a_table", name, text, rule="is CSV or Parquet", value=what)]
    for mark, encoding in BOMS:
        if head.startswith(mark):
            return encoding, _check_bom(path, name, encoding)
    if b"\x00" in head:
        offset = head.index(b"\x00")
        row = head.count(b"\n", 0, offset) + 1
        text = f"row {row} holds a zero byte: neither text in UTF-8 nor Parquet"
        return "", [Problem("not_text", name, text, row=row, rule="is UTF-8 text", value="\\x00")]
    return _check_utf8(path, name)


def _check_bom(path: Path, name: str, encoding: str) -> list[Problem]:
    note = f"the file starts with a byte order mark: read as {encoding}"
    found = [Problem("byte_order_mark", name, note, rule="", value=encoding, severity="note")]
    bad = _first_bad_byte(path, encoding)
    if bad is None:
        return found
    row, value = bad
    text = f"row {row}: byte {value} is not valid {encoding}, which the byte order mark announces"
    return [
        *found,
        Problem("mixed_encodings", name, text, row=row, rule=f"is {encoding}", value=value),
    ]


def _check_utf8(path: Path, name: str) -> tuple[str, list[Problem]]:
    bad = _first_bad_byte(path, "utf-8")
    if bad is None:
        return "utf-8", []
    row, value = bad
    other = _first_multibyte_row(path)
    if other is not None:
        text = (
            f"mixed encodings: row {row} holds byte {value}, which is not UTF-8, "
            f"while row {other} holds UTF-8 letters"
        )
        rule = "one encoding in the whole file"
        return "", [Problem("mixed_encodings", name, text, row=row, rule=rule, value=value)]
    text = f"row {row} holds byte {value}, which is not UTF-8: read as Windows-1252"
    note = Problem(
        "assumed_encoding", name, text, row=row, rule="is UTF-8", value=value, severity="warn"
    )
    return "cp1252", [note]


def _first_bad_byte(path: Path, encoding: str) -> tuple[int, str] | None:
    """Row and byte of the first undecodable byte; reads in chunks."""
    decoder = codecs.getincrementaldecoder(encoding)()
    row = 1
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(CHUNK)
            if chunk.isascii() and chunk and not decoder.getstate()[0] and "utf-8" in encoding:
                row += chunk.count(b"\n")  # ten times as fast as decoding
                continue
            try:
                row += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                row += before.count(b"\n")
                return row, f"0x{error.object[error.start]:02X}"
            if not chunk:
                return None


def _first_multibyte_row(path: Path) -> int | None:
    """First row that holds valid UTF-8 letters beyond ASCII."""
    with path.open("rb") as stream:
        for row, line in enumerate(stream, start=1):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                continue
            return row
    return None


def _sample(path: Path, encoding: str) -> str:
    with path.open("r", encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(SAMPLE)
        # a first row of prose may be longer than the sample
        while text.count("\n") < SAMPLE_LINES and len(text) < LONGEST_SAMPLE:
            more = stream.read(SAMPLE)
            if not more:
                break
            text += more
        rest = stream.read(1)
    # a cut last line would look like a row with too few cells
    return text[: text.rfind("\n") + 1] or text if rest else text


def find_delimiter(sample: str, name: str, wanted: str = "") -> tuple[str, list[Problem]]:
    """The delimiter to use, the wanted one if given, and what speaks against it."""
    counts = {mark: _columns(sample, mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    used = wanted or (best if counts[best] > 1 else ",")
    here = counts.get(used) or _columns(sample, used)
    if here > 1:
        return used, _delimiter_note(name, used) if not wanted and used != "," else []
    header = sample.splitlines()[0]
    other = best if counts[best] > 1 and best != used else _unusual(sample)
    if not other:
        return used, []
    text = (
        f"wrong delimiter: read with {used!r} the file has one column {header[:80]!r}, "
        f"which contains {other!r} {header.count(other)} times"
    )
    rule = f"delimiter {other!r}"
    column = header[:80]
    return used, [
        Problem("wrong_delimiter", name, text, row=1, column=column, rule=rule, value=used)
    ]


def _delimiter_note(name: str, used: str) -> list[Problem]:
    text = f"the cells are separated by {used!r}"
    return [Problem("delimiter", name, text, rule="", value=used, severity="note")]


def _columns(sample: str, mark: str) -> int:
    """Cells of the header if most rows have as many, else 1."""
    sizes = []
    for cells in csv.reader(io.StringIO(sample, newline=None), delimiter=mark):
        if cells:
            sizes.append(len(cells))
        if len(sizes) > 200:
            break
    alike = sum(size == sizes[0] for size in sizes[1:])
    return sizes[0] if len(sizes) == 1 or alike * 2 >= len(sizes) - 1 else 1


def _unusual(sample: str) -> str:
    """A mark outside the known delimiters that every row holds equally often."""
    lines = [line for line in sample.splitlines()[:50] if line.strip()]
    for mark in UNUSUAL:
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return mark
    return ""


def header_problems(header: tuple[str, ...], name: str) -> list[Problem]:
    """Blank and duplicate column names, and a header that looks like data."""
    problems = [
        Problem(
            "blank_column",
            name,
            f"column {position} of {len(header)} has a blank name",
            row=1,
            column=f"#{position}",
            rule="every column has a name",
            value=cell,
        )
        for position, cell in enumerate(header, start=1)
        if not cell
    ]
    for cell, count in Counter(cell for cell in header if cell).items():
        if count > 1:
            places = [at for at, other in enumerate(header, start=1) if other == cell]
            text = f"the name {cell!r} is used by columns {listed(places)}"
            rule = "column names are unique"
            problems.append(
                Problem("duplicate_column", name, text, row=1, column=cell, rule=rule, value=cell)
            )
    if header and all(_is_number(cell) for cell in header):
        text = f"the first row ({listed(header)}) looks like data, not like a header"
        problems.append(
            Problem("no_header", name, text, row=1, rule="row 1 names columns", severity="warn")
        )
    return problems


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
