"""What a candidate said of each row that its fold had not seen: kept, and averaged with others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.folds import Fold
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.tasks import Task
from pipelines.operations.tables import read_table, write_table

FOLD, ROW, TRUTH, WEIGHS, SCORE = "fold", "row", "truth", "weight", "score_"


@dataclass(frozen=True)
class Unseen:
    """Scores of unseen rows, fold by fold; the rows as columns fold, row, truth and weight."""

    rows: pd.DataFrame
    scores: Floats  # rows, or rows x classes

    def measured(self, task: Task, metric: str) -> tuple[float, ...]:
        """The metric of each fold, as it was measured when the candidate was trained."""
        found = []
        for number in sorted(self.rows[FOLD].unique()):
            chosen = (self.rows[FOLD] == number).to_numpy()
            part = self.rows[chosen]
            weights = part[WEIGHS].to_numpy() if WEIGHS in part else None
            said = task.measure(self.scores[chosen], part[TRUTH].to_numpy(), weights)
            found.append(said[metric])
        return tuple(found)


def write_unseen(
    path: Path,
    folds: Sequence[Fold],
    scores: Sequence[Floats],
    *,
    truth: np.ndarray,
    weights: Floats | None,
) -> Path:
    """One line for each row of each fold that was scored."""
    rows = np.concatenate([fold.test for fold in folds])
    every = np.concatenate(scores)
    columns: dict[str, np.ndarray] = {
        FOLD: np.repeat(np.arange(1, len(folds) + 1), [fold.test.size for fold in folds]),
        ROW: rows,
        TRUTH: truth[rows],
    }
    if weights is not None:
        columns[WEIGHS] = weights[rows]
    wide = every[:, None] if every.ndim == 1 else every
    columns |= {f"{SCORE}{place}": wide[:, place] for place in range(wide.shape[1])}
    return write_table(pd.DataFrame(columns), path)


def read_unseen(path: Path) -> Unseen:
    """Raises OperationError for another table."""
    frame = read_table(path)
    names = [str(name) for name in frame.columns if str(name).startswith(SCORE)]
    if not names or not {FOLD, ROW, TRUTH} <= set(frame.columns):
        raise OperationError(
            "no_unseen_scores", "unseen holds no scores of unseen rows",
            field="unseen", value=len(frame.columns), rule="a candidate wrote it",
        )  # fmt: skip
    scores: Floats = frame[names].to_numpy(dtype=np.float64)
    rows = frame.drop(columns=names)
    return Unseen(rows, scores[:, 0] if len(names) == 1 else scores)


def averaged(found: Mapping[str, Unseen]) -> Unseen:
    """The mean of what all say; raises OperationError where they speak of other rows."""
    first, *others = found.values()
    for name, other in zip([*found][1:], others, strict=True):
        if not first.rows.equals(other.rows) or first.scores.shape != other.scores.shape:
            raise OperationError(
                "not_comparable", f"{name} was scored on other rows",
                field="unseen", value=name, rule="the same unseen rows for all",
            )  # fmt: skip
    return Unseen(first.rows, np.mean([one.scores for one in found.values()], axis=0))
