"""Whether every row of a CSV file has as many cells as its header, told by counting bytes.

DuckDB takes a row with one empty cell too many for a good one; the small way refuses it.
"""

from pathlib import Path

import numpy as np

from pipelines.operations.ingest.text import Layout

CHUNK = 8 << 20
QUOTE = b'"'


def widths_hold(path: Path, layout: Layout, rows: int) -> bool:
    """Whether the count of delimiters is that of `rows` rows and a header.

    With quotes in the file delimiters may be part of a cell: then no row may end with one.
    False says that it cannot be told this way, not that it is wrong.
    """
    mark = ord(layout.delimiter)
    marks = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if QUOTE in chunk:
                return not _row_ends_with(path, layout.delimiter.encode())
            marks += int(np.count_nonzero(np.frombuffer(chunk, dtype=np.uint8) == mark))
    return marks == (rows + 1) * (len(layout.header) - 1)


def _row_ends_with(path: Path, mark: bytes) -> bool:
    """Whether a delimiter stands before the end of a line or of the file."""
    last = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            text = last + chunk
            if mark + b"\n" in text or mark + b"\r" in text:
                return True
            last = text[-1:]
    return last == mark
