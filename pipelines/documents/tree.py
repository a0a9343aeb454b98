"""A document as plain data: sections of blocks, every value with the evidence it rests on. Pure.

Texts are texts: no renderer takes any part of one for markup.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

# How a value came to be: from a computation, from a person's statement, or not at all.
Status: TypeAlias = Literal["computed", "attested", "missing", ""]
STATUSES: Final = ("computed", "attested", "missing")


@dataclass(frozen=True)
class Evidence:
    """Where a value can be looked up: `path` is the page's address, `digest` the content's."""

    kind: str
    label: str
    path: str
    digest: str = ""


@dataclass(frozen=True)
class Figure:
    """One value with its interval; `unit` says how it is written."""

    label: str
    value: float | str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    note: str = ""
    status: Status = "computed"
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Figures:
    """Values side by side."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph; `title` stands before it."""

    text: str
    title: str = ""
    status: Status = ""
    who: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One cell of a table: a text or a number as it is to be read."""

    text: str
    numeric: bool = False
    status: Status = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows under a head; every row has a cell for each column. `evidence` is that of all rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    evidence: tuple[Evidence, ...] = ()


Block: TypeAlias = Figures | Text | Table


@dataclass(frozen=True)
class Section:
    """A part with a title of its own."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    lead: str = ""


@dataclass(frozen=True)
class Document:
    """One document: what it is of, as of when, and its sections."""

    kind: str
    title: str
    subject: str
    as_of: str
    about: str = ""
    sections: tuple[Section, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """The document as plain data; a block says what it is."""
        found = asdict(self)
        for section, plain in zip(self.sections, found["sections"], strict=True):
            for block, shape in zip(section.blocks, plain["blocks"], strict=True):
                shape["block"] = type(block).__name__.lower()
        return found

    def as_json(self) -> dict[str, Any]:
        """The document as plain data, with its own digest and what it counts."""
        found = self.as_plain()
        return {**found, "digest": digest_of(found), "counts": counts(self)}


def digest_of(plain: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a document's canonical JSON: equal content, equal digest."""
    body = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def counts(document: Document) -> dict[str, int]:
    """Return how many of its values are computed, attested and missing."""
    found = dict.fromkeys(STATUSES, 0)
    for status in _statuses(document):
        if status:
            found[status] += 1
    return found


def _statuses(document: Document) -> Iterator[Status]:
    for block in blocks(document):
        if isinstance(block, Figures):
            yield from (figure.status for figure in block.figures)
        elif isinstance(block, Text):
            yield block.status
        else:
            yield from (cell.status for row in block.rows for cell in row)


def blocks(document: Document) -> Iterator[Block]:
    """Every block, in reading order."""
    for section in document.sections:
        yield from section.blocks


def figures(document: Document) -> Iterator[Figure]:
    """Every figure, in reading order."""
    for block in blocks(document):
        if isinstance(block, Figures):
            yield from block.figures


def table(
    columns: Iterable[str],
    rows: Iterable[Iterable[Cell | str]],
    *,
    title: str = "",
    evidence: tuple[Evidence, ...] = (),
) -> Table:
    """Return a table; texts become cells."""
    made = tuple(
        tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in rows
    )
    return Table(tuple(columns), made, title, evidence)
