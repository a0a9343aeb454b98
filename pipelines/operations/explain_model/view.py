"""The holdout as the model's own part sees it, so that columns can be changed cheaply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.families import encode
from pipelines.operations.learning.metrics import Floats

Rows = Floats | pd.DataFrame
ROWS_AT_ONCE = 40_000  # scored by one call: its fixed cost is that of 3,000 rows (measured)


@dataclass(frozen=True)
class View:
    """Rows as numbers (own models) or as raw columns (models brought in).

    `places` says which numbers a raw column became; a raw column is its own place.
    """

    candidate: Candidate
    holdout: Holdout
    model: BaseEstimator
    matrix: Floats | None
    places: Mapping[str, list[int]]

    @classmethod
    def of(cls, candidate: Candidate, holdout: Holdout) -> Self:
        """Encode once where the file says how; else work on raw columns."""
        features = candidate.features
        if features is None or candidate.brought:  # nothing of it reads encoded rows
            names = {name: [place] for place, name in enumerate(candidate.columns)}
            return cls(candidate, holdout, candidate.model, None, names)
        _, matrix = encode(features, holdout.frame, field="holdout")
        places = {name: features.places(name) for name in features.names}
        return cls(candidate, holdout, candidate.model[-1], matrix, places)

    def rows(self, picked: np.ndarray) -> Rows:
        """A copy of some rows."""
        if self.matrix is not None:
            matrix: Floats = self.matrix[picked]
            return matrix
        frame: pd.DataFrame = self.holdout.frame[list(self.candidate.columns)].iloc[picked]
        return frame.reset_index(drop=True)

    def scores(self, rows: Rows) -> Floats:
        """The task's score of each row."""
        return self.candidate.task.predict(self.model, rows)

    def scores_each(self, tables: Iterable[Rows]) -> Iterator[Floats]:
        """Scores of each of many tables; small ones are stacked, for the same scores sooner."""
        waiting: list[Rows] = []
        for table in tables:
            waiting.append(table)
            if sum(map(len, waiting)) + len(table) > ROWS_AT_ONCE:
                yield from self._stacked(waiting)
                waiting = []
        if waiting:
            yield from self._stacked(waiting)

    def _stacked(self, tables: list[Rows]) -> Iterator[Floats]:
        frames = [table for table in tables if isinstance(table, pd.DataFrame)]
        whole = pd.concat(frames, ignore_index=True) if frames else np.concatenate(tables)
        ends = np.cumsum([len(table) for table in tables])
        yield from np.split(self.scores(whole), ends[:-1])

    def replaced(self, rows: Rows, name: str, source: Rows) -> Rows:
        """Rows with one raw column taken from `source`, which has as many rows, or one."""
        changed = rows.copy()
        places = self.places[name]
        if isinstance(changed, pd.DataFrame) and isinstance(source, pd.DataFrame):
            values = source[name]
            changed[name] = values.iloc[0] if len(values) == 1 else values.to_numpy()
        elif isinstance(changed, np.ndarray) and isinstance(source, np.ndarray):
            changed[:, places] = source[:, places]
        return changed
