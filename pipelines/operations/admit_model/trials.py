"""What a brought model does on rows: what it answers, and whether it depends on anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.brought.estimators import (
    AnswerError,
    BroughtClasses,
    BroughtClassifier,
)
from pipelines.operations.contract import Context, Json, OperationError, finite
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.packages.loaded import scores_of
from pipelines.operations.tables import plain

SUM_SLACK = 1e-3  # how far two float32 probabilities may miss a sum of 1 (own)
SHOWN = 20


@dataclass(frozen=True)
class Test:
    """One promise that was tried; `gaps` is how far each row is off, relative beyond 1."""

    name: str
    promise: str
    gaps: Floats
    tolerance: float
    rows: int
    failures: tuple[dict[str, Json], ...] = field(default=())

    @property
    def broken(self) -> bool:
        """Whether a row is too far off, or something failed otherwise."""
        return bool(self.failures) or bool((~(self.gaps <= self.tolerance)).any())

    def as_json(self) -> dict[str, Json]:
        """For facts and the report."""
        off = np.flatnonzero(~(self.gaps <= self.tolerance))
        rows: list[Json] = [
            {"row": int(place), "difference": finite(float(self.gaps[place]))}
            for place in off[:SHOWN]
        ]
        return {
            "test": self.name,
            "promise": self.promise,
            "rows": self.rows,
            "largest_difference": finite(float(self.gaps.max())) if self.gaps.size else None,
            "tolerance": self.tolerance,
            "beyond": int(off.size) + len(self.failures),
            "passed": not self.broken,
            "failures": [*rows, *self.failures[:SHOWN]],
        }


@dataclass(frozen=True)
class Tried:
    """Scores of the rows, and the promises tried on them."""

    scores: Floats
    tests: tuple[Test, ...]


def try_model(
    model: BaseEstimator, frame: pd.DataFrame, *, nullable: Sequence[str], context: Context
) -> Tried:
    """Score the rows in several ways; raises OperationError where it answers something else."""
    scores = _first(model, frame)
    tolerance, rows = context.number("tolerance"), len(frame)
    again = scores_of(model, frame)
    backwards = scores_of(model, frame.iloc[::-1].reset_index(drop=True))[::-1]
    few = min(context.whole("singles"), rows)
    single = np.asarray([scores_of(model, frame.iloc[[k]])[0] for k in range(few)])
    context.progress(0.5, "tried", rows)
    tests = (
        Test("same answer again", "asked twice, it answers the same", gap(again, scores),
             tolerance, rows),
        Test("order of rows", "the order of rows plays no part", gap(backwards, scores),
             tolerance, rows),
        Test("one row at a time", "a row alone is answered as among others",
             gap(single, scores[:few]), tolerance, few),
        _missing(model, frame, nullable),
    )  # fmt: skip
    return Tried(scores, tests)


def gap(found: Floats, expected: Floats) -> Floats:
    """How far the scores of each row are apart, relative beyond 1; of several the worst."""
    result: Floats = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    return result.max(axis=1) if result.ndim == 2 else result


def _first(model: BaseEstimator, frame: pd.DataFrame) -> Floats:
    """The scores; raises OperationError where it does not answer as declared."""
    try:
        if isinstance(model, BroughtClassifier | BroughtClasses):
            _sums(model.raw(frame))
        return scores_of(model, frame)
    except AnswerError as error:
        raise OperationError(
            "signature_differs",
            f"the model is not what is declared of it: it {error}",
            field="model", value=None, rule="answers as declared",
            details=[{"problem": str(error)}],
        ) from error  # fmt: skip
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise OperationError(
            "model_refuses_rows",
            f"the model cannot score rows as they come from the source: {_short(error)}",
            field="model", value=type(error).__name__, rule="takes the declared columns",
        ) from error  # fmt: skip


def _sums(shares: Floats) -> None:
    sums = shares.sum(axis=1)
    off = ~(np.abs(sums - 1.0) <= SUM_SLACK)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        told = ", ".join(f"{share:g}" for share in shares[row][:-1])
        count = "two" if shares.shape[1] == 2 else str(shares.shape[1])
        raise AnswerError(
            f"answers {told} and {shares[row][-1]:g} to row {row}, which are no "
            f"probabilities of {count} classes (are they logits? Put a softmax at the end)"
        )


def _missing(model: BaseEstimator, frame: pd.DataFrame, nullable: Sequence[str]) -> Test:
    """Each column that may be missing, missing: a number is answered, nothing breaks."""
    failures: list[dict[str, Json]] = []
    row = frame.iloc[[0]]
    for name in nullable:
        try:
            scores_of(model, row.assign(**{name: _gone(row[name])}))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            shown = plain(row[name].iloc[0])
            failures.append({"column": name, "instead_of": shown, "problem": _short(error)})
    return Test(
        "missing values",
        "a value that the contract allows to be missing may be missing",
        np.zeros(0),
        0.0,
        len(nullable),
        tuple(failures),
    )


def _gone(values: pd.Series) -> pd.Series:
    """The column without values, of the type that it then has when rows are served."""
    if pd.api.types.is_bool_dtype(values):
        return pd.Series([None] * len(values), index=values.index, dtype="object")
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(np.nan, index=values.index, dtype="float64")
    return values.where(pd.Series(data=False, index=values.index))


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
