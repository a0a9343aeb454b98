"""The holdout as the model's own part sees it, so that columns can be changed cheaply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.families import encode, scores_of
from pipelines.operations.learning.metrics import Floats


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
        if features is None:
            names = {name: [place] for place, name in enumerate(candidate.columns)}
            return cls(candidate, holdout, candidate.model, None, names)
        _, matrix = encode(features, holdout.frame, field="holdout")
        places = {name: features.places(name) for name in features.names}
        return cls(candidate, holdout, candidate.model[-1], matrix, places)

    def rows(self, picked: np.ndarray) -> Floats | pd.DataFrame:
        """A copy of some rows."""
        if self.matrix is not None:
            matrix: Floats = self.matrix[picked]
            return matrix
        frame: pd.DataFrame = self.holdout.frame[list(self.candidate.columns)].iloc[picked]
        return frame.reset_index(drop=True)

    def scores(self, rows: Floats | pd.DataFrame) -> Floats:
        """Probability of the positive class."""
        return scores_of(self.model, rows)

    def replaced(
        self, rows: Floats | pd.DataFrame, name: str, source: Floats | pd.DataFrame
    ) -> Floats | pd.DataFrame:
        """Rows with one raw column taken from `source`, which has as many rows, or one."""
        changed = rows.copy()
        places = self.places[name]
        if isinstance(changed, pd.DataFrame) and isinstance(source, pd.DataFrame):
            values = source[name]
            changed[name] = values.iloc[0] if len(values) == 1 else values.to_numpy()
        elif isinstance(changed, np.ndarray) and isinstance(source, np.ndarray):
            changed[:, places] = source[:, places]
        return changed
