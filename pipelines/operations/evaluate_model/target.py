"""The brief's target: which metric, which value, and whether it was met."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.operations.contract import Json, OperationError, finite
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER, metric_name
from pipelines.operations.learning.resampling import Interval

IN_MONEY = "value_per_1000"


def parse_target(metric: str, value: Json) -> tuple[str, float] | None:
    """(metric, value); None when the brief names none. Raises OperationError for an unknown one."""
    if not metric and value is None:
        return None
    name = metric_name(metric)
    if not name:
        raise OperationError(
            "unknown_metric",
            f"target_metric is {metric!r}",
            field="target_metric",
            value=metric,
            rule=f"is one of {', '.join(HIGHER_IS_BETTER)}",
        )
    if not isinstance(value, int | float):
        raise OperationError(
            "target_without_value",
            f"the brief names {name} as target, but no value",
            field="target_value",
            value=value,
            rule="is a number when target_metric is given",
        )
    return name, float(value)


def target_facts(asked: tuple[str, float] | None, measured: Mapping[str, Interval]) -> Json:
    """The measured metric beside its target; `met` asks the interval's worse end."""
    if asked is None:
        return None
    name, wanted = asked
    if name not in measured and name != IN_MONEY:
        raise OperationError(
            "metric_of_another_task",
            f"the brief's target is {name}, which is not measured of this candidate",
            field="target_metric",
            value=name,
            rule=f"is one of {', '.join(measured)}",
        )
    if name not in measured:
        raise OperationError(
            "target_without_costs",
            f"the brief's target is {name}, but no costs are given",
            field="costs",
            rule="says what errors cost when the target is in money",
        )
    found, higher = measured[name], HIGHER_IS_BETTER[name]
    worse = found.low if higher else found.high
    return {
        "metric": name,
        "wanted": wanted,
        "higher_is_better": higher,
        "value": finite(found.value, 6),
        "low": finite(found.low, 6),
        "high": finite(found.high, 6),
        "met": bool(worse >= wanted if higher else worse <= wanted),
    }
