"""Answers of a candidate of several classes on its holdout, at the evaluation's costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.learning.class_costs import ClassCosts, equal_costs
from pipelines.operations.learning.metrics import Labels
from pipelines.operations.tables import read_document


@dataclass(frozen=True)
class Answers:
    """What each error costs, where that comes from, and the answer to every row."""

    costs: ClassCosts
    source: str
    answers: Labels

    def as_json(self) -> dict[str, Json]:
        """For facts; there is no threshold, so none is stated."""
        return {"threshold": None, "decided_by": "least expected cost", "costs_from": self.source}


def decide_class(context: Context, holdout: Holdout) -> Answers:
    """By the costs that the input `evaluation` states, else every error costs 1.

    Raises OperationError for a threshold, which several classes have not, and for an evaluation
    of other classes.
    """
    if isinstance(context.params.get("threshold"), int | float):
        raise OperationError(
            "threshold_of_several", "several classes are not told apart by one threshold",
            field="threshold", value=context.params.get("threshold"), rule="is empty",
        )  # fmt: skip
    count = len(holdout.classes)
    stated = stated_costs(context, count)
    costs, source = (stated, "evaluation") if stated else (equal_costs(count), "every error is 1")
    return Answers(costs, source, costs.answers(holdout.scores))


def stated_costs(context: Context, classes: int) -> ClassCosts | None:
    """The matrix of the input `evaluation`; None without one. Raises OperationError for another
    number of classes."""
    path = context.inputs.get("evaluation")
    facts = read_document(path).get("facts") if path else None
    decision = facts.get("decision") if isinstance(facts, dict) else None
    rows = decision.get("costs") if isinstance(decision, dict) else None
    if path is None:
        return None
    matrix = np.asarray(rows, dtype=np.float64) if isinstance(rows, list) else np.empty(0)
    if matrix.shape != (classes, classes):
        raise OperationError(
            "costs_absent", "the evaluation states no costs of these classes",
            field="evaluation", value=list(matrix.shape),
            rule=f"facts.decision.costs has {classes} rows and columns",
        )  # fmt: skip
    given = isinstance(decision, dict) and decision.get("costs_given") is True
    currency = str(decision.get("currency") or "") if isinstance(decision, dict) else ""
    return ClassCosts(matrix, currency, given=given)
