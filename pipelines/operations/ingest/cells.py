"""What the text cells of a column are: whole numbers, numbers, bools, times or text.

Every cell is looked at. Nothing is guessed from a sample, and what stays text
although it nearly was a number or a date is told with row and value.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.operations.ingest.problems import MAX_EXAMPLES

TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
INFINITY = r"(?i)^\s*[+-]?inf(inity)?\s*$"
LEADING_ZERO = r"^\s*[+-]?0\d"
TOO_LONG = r"^\s*[+-]?\d{19,}\s*$"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_BIG, _SMALL = r"(1[3-9]|2\d|3[01])", r"(0?[1-9]|1[0-2])"
# Patterns exclude each other. name -> (pattern, strptime format; "" is read as ISO 8601)
FORMATS: dict[str, tuple[str, str]] = {
    "YYYY-MM-DD": (rf"^\d{{4}}-\d{{2}}-\d{{2}}({_CLOCK})?$", ""),
    "YYYY-MM-DD with zone": (rf"^\d{{4}}-\d{{2}}-\d{{2}}{_CLOCK}(Z|[+-]\d{{2}}:?\d{{2}})$", "zone"),
    "YYYY/MM/DD": (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    "DD.MM.YYYY": (r"^\d{1,2}\.\d{1,2}\.\d{4}$", "%d.%m.%Y"),
    "DD.MM.YYYY hh:mm": (r"^\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}$", "%d.%m.%Y %H:%M"),
    "DD/MM/YYYY": (rf"^{_BIG}/{_SMALL}/\d{{4}}$", "%d/%m/%Y"),
    "MM/DD/YYYY": (rf"^{_SMALL}/{_BIG}/\d{{4}}$", "%m/%d/%Y"),
    "D/M/YYYY or M/D/YYYY": (rf"^{_SMALL}/{_SMALL}/\d{{4}}$", ""),
    "DD-MM-YYYY": (rf"^{_BIG}-{_SMALL}-\d{{4}}$", "%d-%m-%Y"),
    "MM-DD-YYYY": (rf"^{_SMALL}-{_BIG}-\d{{4}}$", "%m-%d-%Y"),
    "D-M-YYYY or M-D-YYYY": (rf"^{_SMALL}-{_SMALL}-\d{{4}}$", ""),
    "DD Mon YYYY": (r"^\d{1,2} [A-Z][a-z]{2} \d{4}$", "%d %b %Y"),
    "Mon DD, YYYY": (r"^[A-Z][a-z]{2} \d{1,2}, \d{4}$", "%b %d, %Y"),
}
# (day first, month first, cells that fit both)
TWINS = (
    ("DD/MM/YYYY", "MM/DD/YYYY", "D/M/YYYY or M/D/YYYY"),
    ("DD-MM-YYYY", "MM-DD-YYYY", "D-M-YYYY or M-D-YYYY"),
)
# beyond it the sums of squares and third powers that scores and spreads are made of overflow (own)
LARGEST = 1e75
NEARLY = 0.9  # share of cells from which a column "nearly" is of a type (own)


@dataclass
class ColumnScan:
    """What is known of one text column after some of its rows."""

    name: str
    rows: int = 0
    nulls: int = 0
    ints: int = 0
    floats: int = 0
    bools: int = 0
    infinities: int = 0
    infinity_rows: list[tuple[int, str]] = field(default_factory=list)
    huge: int = 0  # numbers beyond LARGEST
    huge_rows: list[tuple[int, str]] = field(default_factory=list)
    dates: dict[str, int] = field(default_factory=dict)
    date_rows: dict[str, tuple[int, str]] = field(default_factory=dict)
    others: int = 0
    other_rows: list[tuple[int, str]] = field(default_factory=list)
    keep_text: tuple[int, str] | None = None  # a number that must stay text, e.g. 00123
    settled: bool = False  # plainly text: cells are only counted from here on

    @property
    def known(self) -> int:
        """Cells that are not missing."""
        return self.rows - self.nulls

    def update(self, cells: pa.Array, first_row: int) -> None:
        """Look at the next cells; `first_row` is the file row of the first one."""
        self.rows += len(cells)
        self.nulls += cells.null_count
        if self.settled or cells.null_count == len(cells):
            return
        filled = len(cells) - cells.null_count
        if self._all_numbers(cells, first_row, filled):
            return
        self._count_kinds(cells, first_row, filled)
        typed = self.ints + self.floats + self.huge + self.infinities + self.bools + self.dated
        self.settled = self.known > 1000 and typed < 0.01 * self.known

    def _all_numbers(self, cells: pa.Array, first_row: int, filled: int) -> bool:
        """The fast way: every cell of the batch is a number that can be computed with."""
        for kind in (pa.int64(), pa.float64()):
            try:
                numbers = pc.cast(cells, kind)
            except pa.ArrowInvalid:
                continue
            if kind == pa.float64() and beyond(numbers).any():
                return False
            self._note_kept_text(cells, first_row)
            if kind == pa.int64():
                self.ints += filled
            else:
                self.floats += filled
            return True
        return False

    def _note_kept_text(self, cells: pa.Array, first_row: int) -> None:
        if self.keep_text is not None:
            return
        for pattern in (LEADING_ZERO, TOO_LONG):
            found = _matches(cells, pattern)
            if found.any():
                at = int(found.argmax())
                self.keep_text = (first_row + at, cells[at].as_py())
                return

    def _count_kinds(self, cells: pa.Array, first_row: int, filled: int) -> None:
        infinite = _matches(cells, INFINITY)
        number = _matches(cells, NUMBER)
        truth = pc.is_in(cells, pa.array(TRUE + FALSE)).to_numpy(zero_copy_only=False)
        self.infinities += remember(self.infinity_rows, infinite, cells, first_row)
        huge = number.copy()
        if number.any():
            self._note_kept_text(cells, first_row)
            texts = cells.filter(pa.array(number)).to_pandas()
            huge[number] = np.abs(pd.to_numeric(texts, errors="coerce")) > LARGEST
        self.floats += int((number & ~huge).sum())
        self.huge += remember(self.huge_rows, huge, cells, first_row)
        self.bools += int(truth.sum())
        rest = cells.is_valid().to_numpy(zero_copy_only=False) & ~infinite & ~number & ~truth
        if rest.any():
            rest &= ~self._count_dates(cells, first_row)
        self.others += remember(self.other_rows, rest, cells, first_row)

    def _count_dates(self, cells: pa.Array, first_row: int) -> np.ndarray:
        dated = np.zeros(len(cells), dtype=bool)
        for name, (pattern, _) in FORMATS.items():
            found = _matches(cells, pattern)
            if not found.any():
                continue
            self.dates[name] = self.dates.get(name, 0) + int(found.sum())
            at = int(found.argmax())
            self.date_rows.setdefault(name, (first_row + at, cells[at].as_py()))
            dated |= found
        return dated

    def date_formats(self) -> list[str]:
        """The formats needed to read every date of the column."""
        formats = list(self.dates)
        for day_first, month_first, either in TWINS:
            if either in formats and (day_first in formats or month_first in formats):
                formats.remove(either)  # the cells that fit one order only decide
        return formats

    @property
    def dated(self) -> int:
        """Cells that are dates in any format."""
        return sum(self.dates.values())


def beyond(numbers: pa.Array) -> np.ndarray:
    """Where a float is infinite or beyond LARGEST; a missing one is not."""
    found: np.ndarray = np.abs(numbers.to_numpy(zero_copy_only=False)) > LARGEST
    return found


def _matches(cells: pa.Array, pattern: str) -> np.ndarray:
    found = pc.match_substring_regex(cells, pattern).fill_null(False)
    result: np.ndarray = found.to_numpy(zero_copy_only=False)
    return result


def remember(
    rows: list[tuple[int, str]], found: np.ndarray, cells: pa.Array, first_row: int
) -> int:
    """Keep the first places with their text, as examples; how many there are."""
    places = np.flatnonzero(found)[: max(0, MAX_EXAMPLES - len(rows))].tolist()
    rows.extend((first_row + at, str(cells[at].as_py())) for at in places)
    return int(found.sum())
