"""From errors to money, where the answer is a number: what being off by one unit costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Interval, Resampling, interval, sum_samples
from pipelines.operations.learning.thresholds import as_money


@dataclass(frozen=True)
class UnitCost:
    """Money per unit of absolute error of one case."""

    amount: float
    currency: str = ""


def parse_unit_cost(given: Mapping[str, Json]) -> UnitCost | None:
    """The brief's cost of one unit; None for none at all. Raises OperationError for a bad one."""
    if not given:
        return None
    if "unit_cost" not in given:
        raise OperationError(
            "costs_of_another_task",
            f"costs hold {', '.join(sorted(given))}, and not unit_cost",
            field="costs.unit_cost",
            value=dict(given),
            rule="says what an error of one unit costs",
        )
    amount = as_money(given["unit_cost"], "unit_cost")
    if amount <= 0:
        raise OperationError(
            "bad_cost", "costs: unit_cost is 0, so no error would matter",
            field="costs.unit_cost", value=given["unit_cost"], rule="is > 0",
        )  # fmt: skip
    return UnitCost(amount, str(given.get("currency") or ""))


def worth(scores: Floats, truth: Floats, usual: float | Floats, cost: UnitCost) -> Floats:
    """Money per row that a prediction saves beside answering `usual`: one number, or each row's."""
    found: Floats = cost.amount * (np.abs(truth - usual) - np.abs(truth - scores))
    return found


def without_model(column: str, usual: Floats) -> str:
    """What an answer is held against, in words: a column, else always the same number."""
    return f"answering {column}" if column else f"always answering {usual[0]:g}"


def worth_interval(money: Floats, resampling: Resampling) -> Interval:
    """Per 1,000 rows, with its 95 % interval."""
    sums = sum_samples(np.column_stack([money, np.ones(money.size)]), resampling)
    return interval(1000 * float(money.mean()), 1000 * sums[:, 0] / sums[:, 1])
