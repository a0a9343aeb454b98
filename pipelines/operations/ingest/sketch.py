"""Distinct values of a column, estimated in bounded memory, with first examples."""

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.operations.ingest.prose import MOST, sampled

KEPT = 1024  # smallest hashes kept; relative error about 1 / sqrt(KEPT) = 3 %
EXAMPLES = 5


class Sketch:
    """Counts exactly up to KEPT distinct values, estimates beyond (k minimum values)."""

    def __init__(self) -> None:
        self._hashes: np.ndarray = np.empty(0, dtype=np.uint64)
        self._overflowed = False
        self.examples: list[object] = []
        self.texts: list[str] = []  # some, for how many words they have

    def update(self, cells: pa.Array) -> None:
        """Take in the next cells."""
        values = cells.unique().drop_null()
        if not len(values):
            return
        for value in values[:EXAMPLES].to_pylist():
            if len(self.examples) < EXAMPLES and value not in self.examples:
                self.examples.append(value)
        if len(self.texts) < MOST:
            self.texts += sampled(values)
        hashes = pd.util.hash_array(values.to_pandas().to_numpy(), categorize=False)
        merged = np.union1d(self._hashes, hashes)
        self._overflowed = self._overflowed or len(merged) > KEPT
        self._hashes = merged[:KEPT]

    @property
    def exact(self) -> bool:
        """Whether `distinct` is a count and no estimate."""
        return not self._overflowed

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        if self.exact:
            return len(self._hashes)
        return round((KEPT - 1) / (float(self._hashes[-1]) / 2**64))
