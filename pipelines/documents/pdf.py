"""A document as PDF: a short-lived child typesets it, so the process that answers people does not.

At most two at once on a host's process: a PDF costs a tenth of a second and some 100 MB.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from personas.errors import Busy
from pipelines.documents.safe import address, clean, one_line
from pipelines.documents.tree import (
    Block,
    Document,
    Evidence,
    Figure,
    Figures,
    Table,
    Text,
    digest_of,
)
from pipelines.documents.wording import interval_of, value_of

COMMAND: Final = (sys.executable, "-E", "-m", "pipelines.documents.typeset")
ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 60.0
AT_ONCE: Final = 2
PATIENCE: Final = 10.0
_seats = threading.BoundedSemaphore(AT_ONCE)


def page(document: Document, *, base: str) -> bytes:
    """Return the PDF. Raises Busy where too many are made at once, or the child takes too long."""
    payload = json.dumps(as_payload(document, base=base)).encode()
    if not _seats.acquire(timeout=PATIENCE):
        raise Busy("pdf_busy", "Other PDFs are being made; try again soon.")
    try:
        done = subprocess.run(
            COMMAND,
            input=payload,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd=ROOT,
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise Busy("pdf_slow", f"The PDF was not ready after {SECONDS:.0f} s.") from error
    finally:
        _seats.release()
    if done.returncode:
        raise RuntimeError(f"the PDF was not made: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def as_payload(document: Document, *, base: str) -> dict[str, Any]:
    """Return what the typesetter walks: texts as they are to be read, links with their address."""
    return {
        "title": one_line(document.title),
        "subject": one_line(document.subject),
        "about": one_line(document.about),
        "digest": digest_of(document.as_plain()),
        "meta": [[one_line(name), one_line(text)] for name, text in document.meta.items()],
        "sections": [
            {
                "title": one_line(section.title),
                "lead": one_line(section.lead),
                "blocks": [_block(block, base) for block in section.blocks],
            }
            for section in document.sections
        ],
    }


def _block(block: Block, base: str) -> dict[str, Any]:
    if isinstance(block, Figures):
        return {"block": "figures", "figures": [_figure(one, base) for one in block.figures]}
    if isinstance(block, Text):
        return {
            "block": "text",
            "title": one_line(block.title),
            "lines": [" ".join(line.split()) for line in clean(block.text).split("\n")],
            "status": block.status,
            "who": one_line(block.who),
            "evidence": _evidence(block.evidence, base),
        }
    return _table(block, base)


def _figure(figure: Figure, base: str) -> dict[str, Any]:
    small = [one_line(part) for part in (interval_of(figure), figure.note) if part]
    return {
        "label": one_line(figure.label),
        "value": one_line(value_of(figure)),
        "small": small,
        "evidence": _evidence(figure.evidence, base),
    }


def _table(block: Table, base: str) -> dict[str, Any]:
    return {
        "block": "table",
        "title": one_line(block.title),
        "columns": [one_line(name) for name in block.columns],
        "widths": _widths(block),
        "evidence": _evidence(block.evidence, base),
        "rows": [
            [
                {
                    "text": one_line(cell.text),
                    "numeric": cell.numeric,
                    "status": cell.status,
                    "evidence": _evidence(cell.evidence, base),
                }
                for cell in row
            ]
            for row in block.rows
        ],
    }


def _widths(block: Table) -> list[int]:
    """How much room each column gets: as its longest text asks, but none takes all."""
    return [
        min(36, max(6, len(name), *(len(row[index].text) for row in block.rows)))
        if block.rows
        else 6
        for index, name in enumerate(block.columns)
    ]


def _evidence(found: Iterable[Evidence], base: str) -> list[dict[str, str]]:
    return [
        {
            "label": one_line(one.label),
            "href": address(base, one.path),
            "digest": one.digest[:12] if one.digest.isalnum() else "",
        }
        for one in found
    ]
