"""Decisions of a candidate on its holdout: at the evaluation's threshold, or the one given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.learning.thresholds import balanced
from pipelines.operations.tables import read_document


@dataclass(frozen=True)
class Decided:
    """The threshold, where it comes from, and which rows it flags."""

    threshold: float
    source: str
    flags: npt.NDArray[np.bool_]

    def as_json(self) -> dict[str, Json]:
        """The threshold for facts."""
        return {"threshold": self.threshold, "threshold_from": self.source}


def decide(context: Context, holdout: Holdout) -> Decided:
    """Flag rows by the param `threshold`, the input `evaluation`, or balanced accuracy.

    Raises OperationError for an evaluation that states no threshold, or rows without classes.
    """
    if not holdout.classes:
        raise OperationError(
            "task_not_suited", "a number is no decision: the holdout's target has no classes",
            field="candidate", value="regression", rule="is a model of classification",
        )  # fmt: skip
    given = context.params.get("threshold")
    if isinstance(given, int | float):
        value, source = float(given), "given"
    elif "evaluation" in context.inputs:
        value, source = _stated(context), "evaluation"
    else:
        value, source = balanced(holdout.scores, holdout.labels), "balanced accuracy"
    return Decided(value, source, holdout.scores >= value)


def _stated(context: Context) -> float:
    facts = read_document(context.inputs["evaluation"]).get("facts")
    found = facts.get("threshold") if isinstance(facts, dict) else None
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise OperationError(
            "threshold_absent",
            "the evaluation states no threshold",
            field="evaluation",
            value=found,
            rule="facts.threshold is a number",
        )
    return float(found)
