"""Completeness, value and tier of a brief.

Fields of the brief: question, acts, kpi_name, kpi_now, kpi_target, metric,
costs {fp, fn, tp, currency} in money per case (or cost_fp, cost_fn, benefit_tp),
volume (cases per day), base_rate (share of positives, optional), running_cost
(money per year, optional), constraint, date_needed, kill_criterion, data_needed,
purpose (advice, automated, regulated). Where a number is asked: costs {unit_cost,
currency} in money per unit of error of one case, and error_now, the typical error today. With
several classes: class_costs {"true -> answer": money, other}, and error_now, the share of cases
decided wrongly today.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.operations.contract import Context, Json, Outcome, finite

COMMON = {
    "question": "the question in one sentence",
    "acts": "who acts on the answer, and how",
    "kpi_name": "the KPI it moves",
    "kpi_now": "the KPI's value now",
    "kpi_target": "the KPI's target value",
    "metric": "the model metric that stands for the KPI",
    "volume": "cases per day",
    "constraint": "constraints (latency, law, none)",
    "kill_criterion": "when to stop",
    "data_needed": "the data it needs",
}
COSTS = {
    "cost_fp": "cost of a false alarm",
    "cost_fn": "cost of a miss",
    "benefit_tp": "benefit of a hit",
}
SEVERAL = {
    "class_costs": "what each error between several classes costs",
    "error_now": "the share of cases that is decided wrongly today",
}
UNIT = {
    "unit_cost": "cost of an error of one unit",
    "error_now": "the typical error today",
}
NUMBERS = ("kpi_now", "kpi_target", "volume")
DAYS_PER_YEAR = 365
PURPOSES = ("advice", "automated", "regulated")


def run(context: Context) -> Outcome:
    """Fill in value and tier, and say what is missing. Never raises on a bad brief."""
    brief = flatten(context.mapping("brief"))
    several = context.text("task") == "classification" and _filled(brief, "class_costs")
    weighed = WEIGHED["multiclass" if several else context.text("task")]
    problems = find_problems(brief, weighed.fields)
    facts: dict[str, Json] = {
        "complete": not problems,
        "completeness": finite(1 - len(problems) / (len(COMMON) + len(weighed.fields)), 4),
        "missing": [dict(problem) for problem in problems],
        "kpi_mapped": bool(_filled(brief, "kpi_name") and _filled(brief, "metric")),
        **weighed.worth(brief),
        **tier(
            brief,
            context.number("exposure_high"),
            context.number("exposure_low"),
            exposure=weighed.exposure(brief),
        ),
    }
    document = {"brief": brief, **facts}
    path = context.output("brief")
    path.write_text(json.dumps(document, sort_keys=True, allow_nan=False), encoding="utf-8")
    context.progress(1.0, "brief judged")
    return Outcome(outputs={"brief": path}, facts=facts)


def flatten(brief: Mapping[str, Json]) -> dict[str, Json]:
    """The brief with the map of costs laid out as cost_fp, cost_fn and benefit_tp."""
    flat = {key: value for key, value in brief.items() if key != "costs"}
    costs = brief.get("costs")
    if isinstance(costs, dict):
        names = {"fp": "cost_fp", "fn": "cost_fn", "tp": "benefit_tp", "currency": "currency"}
        for short, name in names.items():
            flat.setdefault(name, costs.get(short, costs.get(name)))
        if "unit_cost" in costs:
            flat.setdefault("unit_cost", costs["unit_cost"])
    for name in (*NUMBERS, *COSTS, *UNIT, "base_rate", "running_cost"):
        if name in flat:
            flat[name] = _as_number(flat[name])
    return flat


def find_problems(
    brief: Mapping[str, Json], weighed: Mapping[str, str] = COSTS
) -> list[dict[str, Json]]:
    """What is missing or impossible: rows of field, label, rule and value."""
    found: list[dict[str, Json]] = []
    for name, label in {**COMMON, **weighed}.items():
        value = brief.get(name)
        if not _filled(brief, name):
            found.append({"field": name, "label": label, "rule": "is filled in", "value": None})
        elif name == "class_costs":
            found += [{**row, "label": label} for row in bad_class_costs(value)]
        elif name in (*NUMBERS, *weighed) and not isinstance(value, int | float):
            found.append({"field": name, "label": label, "rule": "is a number", "value": value})
        elif name == "volume" and isinstance(value, int | float) and value <= 0:
            found.append({"field": name, "label": label, "rule": "> 0", "value": value})
        elif name in weighed and _number(brief, name) < 0:
            found.append({"field": name, "label": label, "rule": ">= 0", "value": value})
    return found


def worth(brief: Mapping[str, Json]) -> dict[str, Json]:
    """Value per year, cost of waiting per day, and the score from which acting pays.

    Acting on a case with probability p pays when p (benefit + cost of a miss) is at
    least (1 - p) cost of a false alarm. Value per year is the best case: benefit times
    volume times base rate (1 when unknown), less running cost.
    """
    benefit, miss = _number(brief, "benefit_tp"), _number(brief, "cost_fn")
    alarm, volume = _number(brief, "cost_fp"), _number(brief, "volume")
    rate = brief.get("base_rate")
    share = float(rate) if isinstance(rate, int | float) else 1.0
    value = benefit * volume * share * DAYS_PER_YEAR - _number(brief, "running_cost")
    stake = alarm + benefit + miss
    known = all(_filled(brief, name) for name in ("benefit_tp", "cost_fn", "cost_fp", "volume"))
    return {
        "value_per_year": finite(value, 2) if known else None,
        "value_per_day": finite(value / DAYS_PER_YEAR, 2) if known else None,
        "cost_of_misses_per_year": finite(miss * volume * share * DAYS_PER_YEAR, 2)
        if known
        else None,
        "break_even_score": finite(alarm / stake, 6) if known and stake > 0 else None,
        "base_rate": finite(share, 6),
        "currency": str(brief.get("currency") or ""),
        "costs": {"fp": alarm, "fn": miss, "tp": benefit},
    }


def unit_worth(brief: Mapping[str, Json]) -> dict[str, Json]:
    """Value per year, and what the errors of today cost, where a number is asked.

    Value per year is the best case: cost of one unit times today's typical error times
    volume, as if no error were left, less running cost.
    """
    errors = _number(brief, "unit_cost") * _number(brief, "error_now") * _number(brief, "volume")
    known = all(_filled(brief, name) for name in (*UNIT, "volume"))
    value = errors * DAYS_PER_YEAR - _number(brief, "running_cost")
    return {
        "value_per_year": finite(value, 2) if known else None,
        "value_per_day": finite(value / DAYS_PER_YEAR, 2) if known else None,
        "cost_of_errors_per_year": finite(errors * DAYS_PER_YEAR, 2) if known else None,
        "currency": str(brief.get("currency") or ""),
        "costs": {"unit_cost": _number(brief, "unit_cost")},
    }


def bad_class_costs(value: Json) -> list[dict[str, Json]]:
    """Amounts of a map of errors that are no amounts."""
    entries = value.items() if isinstance(value, dict) else ()
    return [
        {"field": f"class_costs.{name}", "rule": "is a number >= 0", "value": amount}
        for name, amount in entries
        if name != "currency" and not _amount(amount)
    ] or ([] if entries else [{"field": "class_costs", "rule": "is a map", "value": str(value)}])


def _amount(value: Json) -> bool:
    if isinstance(value, dict):
        return all(_amount(each) for name, each in value.items() if name != "currency")
    number = _as_number(value)
    return isinstance(number, int | float) and not isinstance(number, bool) and number >= 0


def several_worth(brief: Mapping[str, Json]) -> dict[str, Json]:
    """Value per year where an answer is one of several classes, as if no error were left.

    Cost of an error (the mean of those named) times today's share of errors times volume, less
    running cost.
    """
    errors = _mean_error(brief) * _number(brief, "error_now") * _number(brief, "volume")
    known = all(_filled(brief, name) for name in (*SEVERAL, "volume"))
    value = errors * DAYS_PER_YEAR - _number(brief, "running_cost")
    return {
        "value_per_year": finite(value, 2) if known else None,
        "value_per_day": finite(value / DAYS_PER_YEAR, 2) if known else None,
        "cost_of_errors_per_year": finite(errors * DAYS_PER_YEAR, 2) if known else None,
        "currency": str(brief.get("currency") or ""),
        "costs": {"mean_error": _mean_error(brief)},
    }


def _mean_error(brief: Mapping[str, Json]) -> float:
    given = brief.get("class_costs")
    amounts: list[float] = []
    for name, value in given.items() if isinstance(given, dict) else ():
        each = value.values() if isinstance(value, dict) else [value]
        numbers = [_as_number(one) for one in each if name != "currency"]
        amounts += [float(one) for one in numbers if isinstance(one, int | float)]
    return sum(amounts) / len(amounts) if amounts else 0.0


def _several_stake(brief: Mapping[str, Json]) -> float:
    return _number(brief, "volume") * _mean_error(brief) * _number(brief, "error_now")


def _stake(brief: Mapping[str, Json]) -> float:
    return _number(brief, "volume") * max(_number(brief, "cost_fp"), _number(brief, "cost_fn"))


def _unit_stake(brief: Mapping[str, Json]) -> float:
    return _number(brief, "volume") * _number(brief, "unit_cost") * _number(brief, "error_now")


@dataclass(frozen=True)
class Weighed:
    """How a kind of error is weighed: fields of the brief, worth, money at stake per day."""

    fields: Mapping[str, str]
    worth: Callable[[Mapping[str, Json]], dict[str, Json]]
    exposure: Callable[[Mapping[str, Json]], float]


WEIGHED: Mapping[str, Weighed] = {
    "classification": Weighed(COSTS, worth, _stake),
    "multiclass": Weighed(SEVERAL, several_worth, _several_stake),
    "regression": Weighed(UNIT, unit_worth, _unit_stake),
}


def tier(
    brief: Mapping[str, Json], high: float, low: float, *, exposure: float | None = None
) -> dict[str, Json]:
    """Tier 1 (strictest) to 3 from purpose and money at stake per day."""
    purpose = str(brief.get("purpose") or "advice")
    exposure = _stake(brief) if exposure is None else exposure
    if purpose == "regulated":
        level, why = 1, "a regulated purpose is always tier 1"
    elif purpose == "automated" and exposure >= high:
        level, why = 1, f"automated, {exposure:,.0f} at stake per day >= {high:,.0f}"
    elif purpose == "advice" and exposure < low:
        level, why = 3, f"advice, {exposure:,.0f} at stake per day < {low:,.0f}"
    else:
        level, why = 2, f"{purpose}, {exposure:,.0f} at stake per day"
    return {
        "tier": level,
        "tier_reason": why,
        "purpose": purpose,
        "purpose_known": purpose in PURPOSES,
        "exposure_per_day": finite(exposure, 2),
    }


def _filled(brief: Mapping[str, Json], name: str) -> bool:
    value = brief.get(name)
    return value is not None and value != "" and value != [] and value != {}


def _number(brief: Mapping[str, Json], name: str) -> float:
    value = brief.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if math.isfinite(value) else 0.0


def _as_number(value: Json) -> Json:
    """Forms send numbers as text: read plain ones, leave all else as it is."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value.replace(" ", ""))
    except ValueError:
        return value
    return number if math.isfinite(number) else value
