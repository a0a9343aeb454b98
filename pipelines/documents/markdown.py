"""A document as Markdown (CommonMark with tables): every text escaped. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.documents.safe import address, clean, one_line
from pipelines.documents.tree import (
    Block,
    Document,
    Evidence,
    Figure,
    Figures,
    Section,
    Table,
    Text,
    digest_of,
)
from pipelines.documents.wording import interval_of, value_of

SPECIAL: Final = re.compile(r"([\\`*_\[\]{}|~#$^])")
ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What would begin a list, a rule or a heading at the start of a line.
START: Final = re.compile(r"^(\s*)([-+=]|\d+[.)])")
# What some readers make a link of by itself.
LINKS: Final = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(@)")


def page(document: Document, *, base: str) -> str:
    """Return the document as a Markdown file."""
    meta = [f"- {escape(name)}: {escape(value)}" for name, value in document.meta.items()]
    parts = [
        f"# {escape(document.title)}: {escape(document.subject)}",
        escape(document.about),
        "\n".join(meta),
        *(_section(section, base) for section in document.sections),
        f"SHA-256 of the content: {digest_of(document.as_plain())}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Return a text in one line that reads as itself."""
    return _escaped(one_line(text))


def _escaped(line: str) -> str:
    line = "".join(ENTITIES.get(letter, letter) for letter in SPECIAL.sub(r"\\\1", line))
    line = LINKS.sub(lambda found: f"\\{found[0]}", line)
    return START.sub(lambda found: f"{found[1]}{_held(found[2])}", line)


def _held(mark: str) -> str:
    return f"{mark[:-1]}\\{mark[-1]}"


def _lines(text: str) -> str:
    """A text of several lines: each stays one, none begins anything."""
    lines = [_escaped(" ".join(line.split())) for line in clean(text).split("\n")]
    return "\\\n".join(line for line in lines if line)


def _section(section: Section, base: str) -> str:
    parts = [f"## {escape(section.title)}"]
    if section.lead:
        parts.append(f"*{escape(section.lead)}*")
    parts += [_block(block, base) for block in section.blocks]
    return "\n\n".join(parts)


def _block(block: Block, base: str) -> str:
    if isinstance(block, Figures):
        return "\n".join(_figure(figure, base) for figure in block.figures)
    if isinstance(block, Text):
        return _paragraph(block, base)
    return _table(block, base)


def _figure(figure: Figure, base: str) -> str:
    more = [escape(part) for part in (interval_of(figure), figure.note) if part]
    behind = f" ({'; '.join(more)})" if more else ""
    found = _evidence(figure.evidence, base)
    return f"- {escape(figure.label)}: **{escape(value_of(figure))}**{behind}{found}"


def _paragraph(block: Text, base: str) -> str:
    title = f"**{escape(block.title)}** ({block.status}). " if block.title and block.status else ""
    if block.title and not block.status:
        title = f"**{escape(block.title)}.** "
    who = f" {escape(block.who)}." if block.who else ""
    return f"{title}{_lines(block.text)}{who}{_evidence(block.evidence, base)}"


def _table(block: Table, base: str) -> str:
    head = "| " + " | ".join(escape(name) for name in block.columns) + " |"
    numeric = [all(row[i].numeric for row in block.rows) for i in range(len(block.columns))]
    rule = "|" + "|".join("---:" if right else "---" for right in numeric) + "|"
    rows = [
        "| " + " | ".join(f"{escape(c.text)}{_evidence(c.evidence, base)}" for c in row) + " |"
        for row in block.rows
    ]
    title = f"**{escape(block.title)}**\n\n" if block.title else ""
    found = _evidence(block.evidence, base).strip()
    return title + "\n".join([head, rule, *rows]) + (f"\n\n{found}" if found else "")


def _evidence(found: Iterable[Evidence], base: str) -> str:
    links = list(_links(found, base))
    return f" \\[{', '.join(links)}\\]" if links else ""


def _links(found: Iterable[Evidence], base: str) -> Iterator[str]:
    for one in found:
        href = address(base, one.path)
        digest = f" `{one.digest[:12]}`" if one.digest.isalnum() else ""
        yield f"[{escape(one.label)}](<{href}>){digest}" if href else f"{escape(one.label)}{digest}"
