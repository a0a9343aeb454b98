"""One trial: a set of parameters on thinned folds, as many folds at once as there are threads."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.folds import Fold, thinned
from pipelines.operations.learning.training import Settings, Training, score_folds
from pipelines.operations.search_candidate.journal import Journal, Measured


@dataclass
class Bench:
    """Where trials are measured: rows, family and metric, threads, notes, seconds spent."""

    training: Training
    family: str
    metric: str
    seed: int
    threads: int
    journal: Journal
    spent: float = 0.0
    saved: float = 0.0
    _folds: dict[int, list[Fold]] = field(default_factory=dict)

    def measure(self, name: str, settings: Settings, rows: int) -> Measured:
        """Take it over from the notes, or compute and note it; counts its seconds either way."""
        found = self.journal.find(name, settings, rows)
        if found is not None:
            self.saved += found.seconds
        else:
            found = self._compute(settings, rows)
            self.journal.write(name, settings, rows, found)
        self.spent += found.seconds
        return found

    def _compute(self, settings: Settings, rows: int) -> Measured:
        start = perf_counter()
        try:
            folds, problem = self._scores(settings, self._thinned(rows)), ""
            if not all(map(math.isfinite, folds)):
                folds, problem = (), f"{self.metric} is undefined on a fold"
        except (ValueError, ArithmeticError, np.linalg.LinAlgError, OperationError) as error:
            # a set of parameters that cannot be fitted is a bad one, not the end of the search
            folds, problem = (), _said(error)
        return Measured(folds, problem, round(perf_counter() - start, 3))

    def _thinned(self, rows: int) -> list[Fold]:
        several = self.training.task.name == "multiclass"
        classes = self.training.truth if several else None
        if rows not in self._folds:
            self._folds[rows] = [
                thinned(fold, rows=rows, seed=self.seed + place, classes=classes)
                for place, fold in enumerate(self.training.folds)
            ]
        return self._folds[rows]

    def _scores(self, settings: Settings, folds: Sequence[Fold]) -> tuple[float, ...]:
        def score(fold: Fold) -> float:
            (found,) = score_folds(
                self.training, self.family, settings, folds=[fold], done=lambda number: None
            )
            return found[self.metric]

        threads = min(self.threads, len(folds))
        if threads == 1:
            return tuple(map(score, folds))
        # Fitting records warnings, which is no matter of one thread: whatever the threads leave
        # of each other's records and filters, this block puts back what was before.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with ThreadPoolExecutor(threads) as pool:
                return tuple(pool.map(score, folds))


def _said(error: Exception) -> str:
    code = error.code if isinstance(error, OperationError) else type(error).__name__
    return f"{code}: {error}"[:300]
