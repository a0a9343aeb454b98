"""What each wrong answer costs where there are several classes, and which answer is cheapest.

A matrix has what answering j costs where i is true. Given probabilities p, answering j costs
sum_i p_i C_ij on average; the answer is the j for which that is least, which for costs of 0 and 1
is the likeliest class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import Interval, Resampling, interval, sum_samples
from pipelines.operations.learning.thresholds import as_money
from pipelines.operations.packages.decisions import rounding

ARROWS = ("->", "→", ">")
OTHER = "other"  # the cost of each error that is not named


@dataclass(frozen=True)
class ClassCosts:
    """Money per row: `matrix[i, j]` for answering class j where class i is true."""

    matrix: Floats
    currency: str = ""
    given: bool = False

    def expected(self, scores: Floats) -> Floats:
        """rows x answers: what each answer costs on average."""
        found: Floats = scores @ self.matrix
        return found

    def answers(self, scores: Floats) -> Labels:
        """The cheapest answer; the likelier, then the first of equally cheap ones."""
        cost = self.expected(scores)
        cheapest = cost <= cost.min(axis=1, keepdims=True) + rounding(float(self.matrix.max()))
        found: Labels = np.argmax(np.where(cheapest, scores, -1.0), axis=1).astype(np.int64)
        return found

    def paid(self, truth: Labels, answers: Labels) -> Floats:
        """What each row's answer cost."""
        found: Floats = self.matrix[truth, answers]
        return found

    def as_json(self) -> list[Json]:
        """The matrix for documents."""
        return [[float(cell) for cell in row] for row in self.matrix]


def equal_costs(classes: int) -> ClassCosts:
    """Every error costs 1."""
    return ClassCosts(1.0 - np.eye(classes))


def parse_class_costs(given: Mapping[str, Json], classes: Sequence[Json]) -> ClassCosts:
    """A matrix out of the brief: "cat -> dog" = 5 for a cat answered as a dog, "other" for the
    rest; or {"cat": {"dog": 5}}. Every error costs 1 where nothing is given.

    Raises OperationError for classes that there are not, what is negative or no number, and
    costs by which one answer is cheapest whatever the model says.
    """
    names = {str(value): place for place, value in enumerate(classes)}
    currency = str(given.get("currency") or "")
    if not {name for name in given if name != "currency"}:
        return ClassCosts(equal_costs(len(names)).matrix, currency)
    rest = as_money(given.get(OTHER, 1.0), OTHER)
    matrix = np.full((len(names), len(names)), rest) * (1.0 - np.eye(len(names)))
    for (true, answer), amount in _pairs(given):
        for name in (true, answer):
            if name not in names:
                raise OperationError(
                    "cost_of_unknown_class", f"costs name the class {name!r}, which there is not",
                    field="class_costs", value=name, rule=f"is one of {', '.join(names)}",
                )  # fmt: skip
        matrix[names[true], names[answer]] = as_money(amount, f"{true} -> {answer}")
    if bool((matrix <= matrix.min(axis=1, keepdims=True)).all(axis=0).any()):
        raise OperationError(
            "costs_one_sided",
            "with these costs one answer is cheapest for every row, whatever the model says",
            field="class_costs", value=dict(given),
            rule="for each answer there is a class for which another answer is cheaper",
        )  # fmt: skip
    return ClassCosts(matrix, currency, given=True)


def _pairs(given: Mapping[str, Json]) -> list[tuple[tuple[str, str], Json]]:
    found: list[tuple[tuple[str, str], Json]] = []
    for name, value in given.items():
        if isinstance(value, dict) and "amount" not in value:
            found += [((name, answer), amount) for answer, amount in value.items()]
        elif name not in ("currency", OTHER):
            arrow = next((arrow for arrow in ARROWS if arrow in name), None)
            if arrow is None:
                raise OperationError(
                    "bad_cost", f"costs: {name!r} names no error",
                    field="class_costs", value=name, rule='is written "true class -> answer"',
                )  # fmt: skip
            true, _, answer = name.partition(arrow)
            found.append(((true.strip(), answer.strip()), value))
    return found


def constant_answer(costs: ClassCosts, truth: Labels) -> int:
    """The cheapest single answer to all rows: what one could do without a model."""
    counts = np.bincount(truth, minlength=len(costs.matrix))
    return int(np.argmin(counts @ costs.matrix))


def saved_interval(
    truth: Labels, answers: Labels, costs: ClassCosts, resampling: Resampling
) -> tuple[Interval, Interval]:
    """Per 1,000 rows: what answers cost, and what they save beside the best single answer."""
    paid = costs.paid(truth, answers)
    alone = costs.paid(truth, np.full(truth.size, constant_answer(costs, truth)))
    sums = sum_samples(np.column_stack([paid, alone, np.ones(truth.size)]), resampling)
    drawn = 1000 * sums[:, :2] / sums[:, 2:3]
    return (
        interval(1000 * float(paid.mean()), drawn[:, 0]),
        interval(1000 * float((alone - paid).mean()), drawn[:, 1] - drawn[:, 0]),
    )
