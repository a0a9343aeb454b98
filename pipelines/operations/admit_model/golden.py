"""Golden rows that somebody brought with a model: inputs, and the scores they must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.admit_model.trials import Test, gap
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.package_model.signature import signature_of
from pipelines.operations.packages.loaded import frame_of
from pipelines.operations.packages.signature import RowCheck, RowsError
from pipelines.operations.tables import read_document

MOST_ROWS = 10_000
RULE = (
    'is {"rows": [{column: value, ...}, ...], "scores": [number, ...]}, one score a row; of three'
    " classes or more, a score is a list of their probabilities in the declared order"
)


@dataclass(frozen=True)
class Golden:
    """Rows as a table, and the score of each: probability of the positive class, or the value.

    With several classes, the probabilities of all in the order of the definition.
    """

    frame: pd.DataFrame
    scores: Floats

    def against(self, found: Floats, tolerance: float) -> Test:
        """The scores of a clean process held against those that were brought."""
        return Test(
            "golden rows",
            "the rows that came with it have the scores that came with it",
            gap(found, self.scores),
            tolerance,
            len(self.scores),
        )


def read_golden(
    path: Path, features: FeatureSet, like: pd.DataFrame, places: Sequence[int] = ()
) -> Golden:
    """Read them with the types of the table; raises OperationError naming what is wrong.

    `places` says for each of several classes where it is in a declared row of probabilities.
    """
    found = read_document(path)
    rows, scores = found.get("rows"), found.get("scores")
    if not isinstance(rows, list) or not isinstance(scores, list) or not rows:
        raise _wrong("they need rows and scores")
    if len(rows) != len(scores) or len(rows) > MOST_ROWS:
        raise _wrong(f"they have {len(rows)} rows and {len(scores)} scores")
    named = [row for row in rows if isinstance(row, dict)]
    numbers = [s for s in scores if _is_score(s, len(places))]
    if len(named) != len(rows) or len(numbers) != len(scores):
        due = f"list of {len(places)} numbers" if places else "number"
        raise _wrong(f"a row is no object, or a score is no {due}")
    signature = signature_of(
        features.columns, like, outputs=(), not_null=frozenset(), closed_up_to=0
    )
    try:
        cleaned = RowCheck(signature).clean(named)
    except RowsError as error:
        details = [problem.as_json() for problem in error.problems]
        raise _wrong(str(error), details=details) from error
    kept: Floats = np.asarray(numbers, dtype=np.float64)
    ordered = kept[:, list(places)] if places else kept
    return Golden(frame_of(cleaned, signature), ordered)


def _is_score(given: Json, several: int) -> bool:
    if several:
        whole = isinstance(given, list) and len(given) == several
        return whole and all(_is_score(part, 0) for part in given)  # type: ignore[union-attr]
    return isinstance(given, int | float) and not isinstance(given, bool)


def _wrong(problem: str, *, details: list[dict[str, Json]] | None = None) -> OperationError:
    return OperationError(
        "golden_rows_wrong", f"the golden rows cannot be used: {problem}",
        field="golden", value=None, rule=RULE, details=details or [],
    )  # fmt: skip
